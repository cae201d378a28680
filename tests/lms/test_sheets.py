"""Tables of other programs: what is not changed stays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from grading_utils.errors import CourseError
from grading_utils.lms.sheets import Sheet

from .conftest import CANVAS, MOODLE


@pytest.mark.parametrize(
    "content",
    [
        CANVAS.encode(),
        MOODLE.encode(),
        MOODLE.replace(",", ";").encode("utf-8-sig"),
        "Identifier\tGrade\r\nTeilnehmer/in 1\t2,5\r\n".encode("utf-16"),
        "Name;Punkte\nMüller;3,5\n".encode("cp1252"),
        b'"a","b"\n"1","2"\n',
    ],
)
def test_a_table_comes_back_to_the_byte(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    Sheet.read(tmp_path / "a.csv").write(tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_bytes() == content


def test_columns_are_found_whatever_their_case_and_formula_guards_are_taken_off(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CANVAS)
    sheet = Sheet.read(tmp_path / "a.csv")
    assert sheet.column("nothing", "sis login id") == 3
    assert sheet.cell(sheet.rows[5], 0) == "Evil, Bob"
    assert sheet.cell(["short"], 7) == ""


@pytest.mark.parametrize("content", [b"", b"  \n", b"PK\x03\x04\0\0\0\0"])
def test_what_is_no_table_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(CourseError, match=r"a\.csv"):
        Sheet.read(tmp_path / "a.csv")
