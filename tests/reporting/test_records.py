"""JSON, JUnit and CSV."""

from __future__ import annotations

import csv
import json
import random
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pytest

from grading_utils.errors import CourseError
from grading_utils.reporting.records import NBGRADER_COLUMNS, merge_json, read_json, write_csv, write_json, write_junit
from grading_utils.reporting.standings import Standing
from grading_utils.results import CellResult, Status, SubmissionResult

HOSTILE_TEXT = (
    "".join(map(chr, range(0x20))),
    "]]> & < > \" ' <!--",
    "\ufffe\uffff\x7f\x85",
    "\ud800 half a pair",
    "😀 ‮ right to left",
)


def submission(message: str = "", *, student: str = "ada", status: Status = Status.GRADED) -> SubmissionResult:
    cells = (
        CellResult(grade_id="q1", score=1.0, max_score=2.0, message=message),
        CellResult(grade_id="q2", score=3.0, max_score=3.0),
        CellResult(grade_id="q3", score=None, max_score=1.0),
    )
    return SubmissionResult(
        student=student,
        assignment="a",
        status=status,
        score=4.0,
        max_score=6.0,
        message=message,
        seconds=1.5,
        cells=() if status is Status.FAILED else cells,
    )


def standing(message: str = "", *, student: str = "ada", status: Status = Status.GRADED) -> Standing:
    """What `submission` becomes for everybody but the file that grading itself keeps."""
    result = submission(message, student=student, status=status)
    same = ("student", "assignment", "status", "max_score", "message", "cells")
    told = {name: getattr(result, name) for name in same}
    return Standing(**told, raw_score=result.score, score=result.score, seconds=result.seconds)


def test_json_comes_back_as_it_was_written(results: list[SubmissionResult], tmp_path: Path) -> None:
    write_json(results, tmp_path / "grades.json")
    assert read_json(tmp_path / "grades.json") == results


def test_json_has_the_documented_fields(tmp_path: Path) -> None:
    write_json([submission("m")], tmp_path / "grades.json")
    (written,) = json.loads((tmp_path / "grades.json").read_text())
    told = {"student", "assignment", "status", "score", "penalty", "max_score", "message", "seconds", "cells"}
    assert set(written) == told
    assert written["status"] == "graded"
    cell = {
        "grade_id": "q1",
        "score": 1.0,
        "max_score": 2.0,
        "message": "m",
        "details": "",
        "open": "",
        "inside": "",
        "seconds": 0.0,
    }
    assert written["cells"][0] == cell
    assert written["cells"][2]["score"] is None


@pytest.mark.parametrize("write", [write_json, write_junit, write_csv])
def test_the_order_of_standings_does_not_change_a_file(write, tmp_path: Path) -> None:
    standings = [standing(student=name) for name in ("ada", "bob", "cy", "dee")]
    write(standings, tmp_path / "one")
    random.Random(0).shuffle(standings)
    write(standings, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("text", HOSTILE_TEXT)
@pytest.mark.parametrize("status", [Status.GRADED, Status.FAILED])
def test_every_file_stays_readable_whatever_a_student_wrote(text: str, status: Status, tmp_path: Path) -> None:
    write_json([submission(text, status=status)], tmp_path / "r.json")
    write_junit([standing(text, status=status)], tmp_path / "r.xml")
    write_csv([standing(text, status=status)], tmp_path / "r.csv")
    assert read_json(tmp_path / "r.json")[0].score == 4.0
    assert ET.parse(tmp_path / "r.xml").getroot().get("tests") == ("3" if status is Status.GRADED else "1")
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 1


def test_missing_results_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="grading-utils grade"):
        read_json(tmp_path / "grades.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[{}]", b"\xff\xfe", b'[{"student": 1}]'])
def test_a_file_that_holds_no_results_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "grades.json").write_bytes(content)
    with pytest.raises(CourseError, match=r"grades\.json"):
        read_json(tmp_path / "grades.json")


def test_junit_tells_lost_points_waiting_and_broken_apart(tmp_path: Path) -> None:
    missing = Standing(student="cy", assignment="a", status=Status.MISSING)
    broken = standing("no JSON", student="bob", status=Status.FAILED)
    write_junit([standing("why"), broken, missing], tmp_path / "r.xml")
    root = ET.parse(tmp_path / "r.xml").getroot()
    assert {key: root.get(key) for key in ("tests", "failures", "skipped", "errors")} == {
        "tests": "5",
        "failures": "1",
        "skipped": "2",
        "errors": "1",
    }
    failure = root.find("testsuite[@name='a/ada']/testcase[@name='q1']/failure")
    assert failure is not None
    assert failure.get("message") == "1 of 2 points: why"
    error = root.find("testsuite[@name='a/bob']/testcase/error")
    assert error is not None
    assert error.get("message") == "no JSON"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1"])
def test_no_csv_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    write_csv([standing(text, student=text)], tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["student_id"] == row["message"] == "'" + text.replace("\r", "\n")


def test_csv_starts_with_the_columns_of_nbgrader_and_adds_points_per_question(tmp_path: Path) -> None:
    late = msgspec.structs.replace(standing(), penalty=1.0, score=3.0, first_name="Ada", email="ada@example.org")
    write_csv([late], tmp_path / "r.csv")
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = csv.DictReader(file)
        (row,) = rows
    assert tuple(rows.fieldnames or ())[: len(NBGRADER_COLUMNS)] == NBGRADER_COLUMNS
    assert (row["raw_score"], row["late_submission_penalty"], row["score"], row["max_score"]) == ("4", "1", "3", "6")
    assert (row["points: q1"], row["points: q2"], row["points: q3"]) == ("1", "3", "")
    assert row["first_name"] == "Ada"


def test_our_csv_columns_are_those_of_the_installed_nbgrader() -> None:
    import inspect

    from nbgrader.plugins.export import CsvExportPlugin

    source = inspect.getsource(CsvExportPlugin.export)
    assert all(f'"{column}"' in source for column in NBGRADER_COLUMNS)


def test_merging_replaces_what_was_graded_again_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "grades.json"
    merge_json([submission("old"), submission("bob's", student="bob")], path)
    merge_json([submission("new")], path)
    assert [(result.student, result.message) for result in read_json(path)] == [("ada", "new"), ("bob", "bob's")]


def test_merging_into_a_broken_file_leaves_it_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "grades.json").write_bytes(b"{")
    with pytest.raises(CourseError):
        merge_json([submission()], tmp_path / "grades.json")
    assert (tmp_path / "grades.json").read_bytes() == b"{"


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    write_json([submission("über")], Path("-"))
    assert json.loads(capsys.readouterr().out)[0]["message"] == "über"
