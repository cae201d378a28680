"""Two gradebooks are compared cell by cell, and a cell that lost points is never overlooked."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from grading_utils import patches
from grading_utils.cli import main
from grading_utils.errors import CourseError
from grading_utils.reporting.differences import Kind, compare, counts

CELLS = ("same", "below", "above", "open", "closed")
FIRST = (2.0, 2.0, 0.0, 1.0, None)
SECOND = (2.0, 1.0, 1.0, None, 1.0)


def gradebook(path: Path, scores: tuple[float | None, ...], *students: str) -> Path:
    with Gradebook(f"sqlite:///{path}") as book:
        book.add_assignment("hw")
        book.add_notebook("n", "hw")
        for cell in CELLS:
            book.add_grade_cell(cell, "n", "hw", max_score=2, cell_type="code")
        for student in students:
            book.add_student(student)
            book.add_submission("hw", student)
            for cell, score in zip(CELLS, scores, strict=True):
                book.find_grade(cell, "n", "hw", student).auto_score = score
        book.db.commit()
    return path


@pytest.fixture
def books(tmp_path: Path) -> tuple[Path, Path]:
    patches.ask_schema_version_here()
    (tmp_path / "a folder").mkdir()
    return (
        gradebook(tmp_path / "a folder" / "first.db", FIRST, "ann", "bob"),
        gradebook(tmp_path / "second.db", SECOND, "ann", "cleo"),
    )


def test_every_cell_of_either_gradebook_is_compared(books: tuple[Path, Path]) -> None:
    before = [book.read_bytes() for book in books]
    found = compare(*books)
    ann = {difference.cell: difference.kind for difference in found if difference.student == "ann"}
    assert ann == {name: Kind(name) for name in CELLS}
    assert {d.kind for d in found if d.student == "bob"} == {Kind.ONLY_FIRST}
    assert {d.kind for d in found if d.student == "cleo"} == {Kind.ONLY_SECOND}
    assert counts(found)[Kind.ONLY_SECOND] == 5
    assert [book.read_bytes() for book in books] == before


def test_points_that_a_person_gave_count_unless_only_automatic_ones_are_asked_for(books: tuple[Path, Path]) -> None:
    with Gradebook(f"sqlite:///{books[1]}") as book:
        book.find_grade("open", "n", "hw", "ann").manual_score = 1
        book.db.commit()
    kinds = {
        manual: {d.cell: d.kind for d in compare(*books, manual=manual) if d.student == "ann"}["open"]
        for manual in (True, False)
    }
    assert kinds == {True: Kind.SAME, False: Kind.OPEN}


def run(*arguments: Any) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["compare-gradebooks", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_command_lists_what_differs_and_fails_where_points_were_lost(
    books: tuple[Path, Path], tmp_path: Path
) -> None:
    code, output = run(*books)
    assert code == 1
    assert "hw/ann/n/below: below: 2 -> 1" in output
    assert "hw/ann/n/open: open: 1 -> a person has to look" in output
    assert "ann/n/same" not in output
    assert run(books[0], shutil.copy(books[0], tmp_path / "copy.db")) == (0, "10 same\n")


def test_what_is_no_gradebook_is_named_and_left_as_it_is(books: tuple[Path, Path], tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    empty.write_bytes(b"")
    text = tmp_path / "text.db"
    text.write_text("no database")
    for path in (empty, text, tmp_path / "missing.db"):
        with pytest.raises(CourseError, match=path.name):
            compare(books[0], path)
    assert empty.read_bytes() == b""
    code, output = run(books[0], text)
    assert code == 2
    assert "is no gradebook" in output
