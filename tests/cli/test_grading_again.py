"""Grading again: only what changed, and whose score moved is said with the reason."""

from __future__ import annotations

import shutil
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner

from grading_utils.cli import main
from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, cell_named, hand_in


def call(course: Course, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return result.output


@pytest.fixture
def graded(small_course: Course, solution: Any) -> Course:
    """amara is right, bo has one answer wrong; both were graded."""
    hand_in(small_course, "amara", solution)
    cell_named(solution, "commonest").source = "commonest = 'da'"
    hand_in(small_course, "bo", solution)
    assert "unchanged" not in call(small_course, "grade")
    return small_course


def test_what_has_not_changed_is_not_graded_again_and_still_counted(graded: Course) -> None:
    stamp = (graded.autograded(ASSIGNMENT, "amara") / f"{ASSIGNMENT}.ipynb").stat().st_mtime_ns
    output = call(graded, "grade")
    assert "counting: 2 unchanged" in output
    assert "2 submissions: 2 graded" in output
    assert (graded.autograded(ASSIGNMENT, "amara") / f"{ASSIGNMENT}.ipynb").stat().st_mtime_ns == stamp
    assert "0 scores moved" in call(graded, "diff")


def test_a_new_hand_in_is_graded_alone_and_its_move_explained(graded: Course, solution: Any) -> None:
    cell_named(solution, "commonest").source = "commonest = 'la'"
    hand_in(graded, "bo", solution)
    assert "counting: 1 unchanged" in call(graded, "grade")
    moves = call(graded, "diff")
    assert "bo counting: 2/5 graded → 3/5 graded (handed in again)" in moves
    assert "commonest-test: 0 → 1" in moves
    assert "1 scores moved" in moves


def test_a_mended_test_grades_everybody_and_shows_whose_score_moved(graded: Course) -> None:
    path = graded.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_named(notebook, "commonest-test").source = "assert commonest in ('la', 'da'), 'a word of the song'"
    nbformat.write(notebook, path)
    assert "unchanged" not in call(graded, "grade")
    moves = call(graded, "diff")
    assert "bo counting: 2/5 graded → 3/5 graded (tests, grader or model changed)" in moves
    assert "amara" not in moves


def test_an_extension_is_a_reason_to_look_at_lateness_again(graded: Course) -> None:
    call(graded, "due", ASSIGNMENT, "2030-01-01")
    assert "unchanged" not in call(graded, "grade")
    call(graded, "extend", ASSIGNMENT, "bo", "2030-02-01")
    assert "counting: 1 unchanged" in call(graded, "grade")


@pytest.mark.parametrize("how", ["again", "autograded is gone", "gradebook is gone"])
def test_nothing_is_skipped_that_is_asked_for_or_missing(graded: Course, how: str) -> None:
    if how == "autograded is gone":
        shutil.rmtree(graded.autograded(ASSIGNMENT, "amara"))
        shutil.rmtree(graded.autograded(ASSIGNMENT, "bo"))
    elif how == "gradebook is gone":
        (graded.root / "gradebook.db").unlink()
    assert "unchanged" not in call(graded, "grade", *(["--again"] if how == "again" else []))


def test_what_failed_is_tried_again(graded: Course) -> None:
    hand_in(graded, "cy", b"{")
    call(graded, "grade")
    output = call(graded, "grade")
    assert "counting: 2 unchanged" in output
    assert "cy counting: failed" in output
