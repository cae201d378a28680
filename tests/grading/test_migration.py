"""Changing a notebook after grading: grades stay with their cells, and the instructor is told what changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from grading_utils.cli import main
from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, cell_named, hand_in, managed


def call(course: Course, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def graded(small_course: Course, solution: Any) -> Course:
    """amara's written answer was graded by a person: 1.5 points."""
    hand_in(small_course, "amara", solution)
    assert call(small_course, "grade")[0] == 0
    with Gradebook(small_course.layout.db_url) as gradebook:
        grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "amara")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    return small_course


def change(course: Course, edit: Any) -> None:
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    edit(notebook)
    nbformat.write(notebook, path)


def points(course: Course) -> dict[str, float | None]:
    target: Path = course.root / "out.json"
    call(course, "export", "--to", "json", "--output", str(target))
    (entry,) = json.loads(target.read_text())
    return {cell["grade_id"]: cell["score"] for cell in entry["cells"]}


def test_a_renamed_question_keeps_what_a_person_gave(graded: Course) -> None:
    def rename(notebook: Any) -> None:
        cell_named(notebook, "why").metadata.nbgrader.grade_id = "reason"

    change(graded, rename)
    _, output = call(graded, "grade")
    assert "why is called reason now; its grades were kept" in output
    assert points(graded)["reason"] == 1.5


def test_other_points_and_a_new_question_are_said_and_graded(graded: Course) -> None:
    def more(notebook: Any) -> None:
        cell_named(notebook, "commonest-test").metadata.nbgrader.points = 4
        notebook.cells.append(managed("test", "extra", "assert commonest", 1))

    change(graded, more)
    _, output = call(graded, "grade")
    assert "commonest-test is worth 4 points now, not 1" in output
    assert "extra is new" in output
    assert points(graded) == {"count-words-test": 2, "commonest-test": 4, "why": 1.5, "extra": 1}


def test_a_removed_question_goes_with_its_automatic_scores(graded: Course) -> None:
    def remove(notebook: Any) -> None:
        notebook.cells.remove(cell_named(notebook, "commonest-test"))

    change(graded, remove)
    code, output = call(graded, "grade")
    assert code == 0
    assert "commonest-test is no graded cell any more" in output
    assert points(graded) == {"count-words-test": 2, "why": 1.5}


def test_what_a_person_gave_is_never_dropped(graded: Course) -> None:
    def remove(notebook: Any) -> None:
        notebook.cells.remove(cell_named(notebook, "why"))

    change(graded, remove)
    code, output = call(graded, "grade")
    assert code == 2
    assert "why is gone, and 1 students have points or a comment there that a person gave" in output
    assert points(graded)["why"] == 1.5
