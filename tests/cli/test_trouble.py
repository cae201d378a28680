"""Trouble that is nobody's code: one line, and an exit code that a script can act on."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from grading_utils.cli import main
from grading_utils.course.course import Course
from grading_utils.grading import autograded, pipeline

from ..conftest import ASSIGNMENT, hand_in


def call(course: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--course", str(course.root)])


def assert_machine_trouble(result: Result, sentence: str) -> None:
    assert result.exit_code == 3, result.output
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert len([line for line in result.output.splitlines() if line.startswith("grading-utils:")]) == 1


def test_a_full_disk_ends_with_3_and_keeps_what_was_graded(
    small_course: Course, solution: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("amara", "bo"):
        hand_in(small_course, student, solution)
    write = pipeline.write_autograded

    def full(course: Course, bundle: Any, student: str, *rest: Any) -> Any:
        if student == "bo":
            raise OSError(errno.ENOSPC, "No space left on device", "autograded/bo")
        return write(course, bundle, student, *rest)

    monkeypatch.setattr(pipeline, "write_autograded", full)
    assert_machine_trouble(call(small_course, "grade", ASSIGNMENT, "--workers", "1"), "the disk is full")
    monkeypatch.undo()
    out = small_course.root / "g.json"
    assert call(small_course, "export", "--to", "json", "--output", str(out)).exit_code == 0
    assert '"amara"' in out.read_text()


def test_a_full_disk_is_known_by_its_cause_too(
    small_course: Course, solution: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(small_course, "amara", solution)

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(autograded.nbformat, "writes", full)
    assert_machine_trouble(call(small_course, "grade", ASSIGNMENT), "the disk is full")


def test_a_locked_gradebook_ends_with_3(small_course: Course, solution: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(small_course, "amara", solution)
    assert call(small_course, "grade", ASSIGNMENT).exit_code == 0
    connect = sqlite3.dbapi2.connect
    monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda *a, **k: connect(*a, **{**k, "timeout": 0.1}))
    with sqlite3.connect(small_course.root / "gradebook.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        assert_machine_trouble(call(small_course, "grade", ASSIGNMENT), "locked")
        other.rollback()


def test_a_broken_gradebook_ends_with_3(small_course: Course, solution: Any) -> None:
    hand_in(small_course, "amara", solution)
    (small_course.root / "gradebook.db").write_bytes(b"this is no database, but it is long enough to look like one" * 9)
    assert_machine_trouble(call(small_course, "grade", ASSIGNMENT), "gradebook")


def test_a_missing_package_is_named(small_course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "grading_utils.cli.students", raising=False)
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    for name in [name for name in sys.modules if name.startswith("grading_utils.lms.matching")]:
        monkeypatch.delitem(sys.modules, name)
    result = call(small_course, "students", "list")
    assert_machine_trouble(result, "nbgrader.api")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (f"{ASSIGNMENT}/ann/{ASSIGNMENT}.ipynb", f"has to be submitted/ann/{ASSIGNMENT}"),
        ("ann/countin/counting.ipynb", f"there is no assignment 'countin'; has to be submitted/ann/{ASSIGNMENT}"),
        (f"ann/{ASSIGNMENT}.ipynb", f"submitted/ann/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"),
        ("ann.ipynb", "has to be submitted/<student>/<assignment>/ann.ipynb"),
    ],
)
def test_nothing_to_grade_is_wrong_use_and_lists_what_lies_in_the_wrong_place(
    path: str, sentence: str, small_course: Course
) -> None:
    stray: Path = small_course.root / "submitted" / path
    stray.parent.mkdir(parents=True)
    stray.write_text("{}")
    result = call(small_course, "grade")
    assert result.exit_code == 2
    assert "nothing was handed in" in result.output
    assert sentence in result.output


def test_work_in_the_wrong_place_is_said_while_the_others_are_graded(small_course: Course, solution: Any) -> None:
    hand_in(small_course, "amara", solution)
    (small_course.root / "submitted" / ASSIGNMENT / "bo").mkdir(parents=True)
    result = call(small_course, "grade")
    assert result.exit_code == 0
    assert f"not looked at: submitted/{ASSIGNMENT}/bo" in result.output
