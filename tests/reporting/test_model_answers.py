"""Graders see the model answer beside each answer; pages for students never have it."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter

from grading_utils.course.course import Course
from grading_utils.reporting.model_answers import HEADING

from ..conftest import ASSIGNMENT, cell_named

FORMGRADER = {"submission_id": "1", "base_url": "/", "assignment_id": ASSIGNMENT, "notebook_id": ASSIGNMENT}
FEEDBACK = {"nbgrader": {"assignment": ASSIGNMENT, "notebook": ASSIGNMENT, "student": "ann"}}
MODEL_ANSWER = "Because a Counter counts everything that can be hashed."


def page(course: Course, notebook: Any, resources: dict[str, Any]) -> str:
    html, _ = HTMLExporter(config=course.config).from_notebook_node(notebook, resources=dict(resources))
    return str(html)


@pytest.fixture
def answered(solution: Any) -> Any:
    cell_named(solution, "why").source = "My own words."
    return solution


def test_the_formgrader_shows_it_below_the_answer(small_course: Course, answered: Any) -> None:
    shown = page(small_course, answered, FORMGRADER)
    assert shown.index("My own words.") < shown.index(HEADING) < shown.index(MODEL_ANSWER)
    assert shown.count(HEADING) == 1


def test_feedback_does_not(small_course: Course, answered: Any) -> None:
    shown = page(small_course, answered, FEEDBACK)
    assert "My own words." in shown
    assert MODEL_ANSWER not in shown
    assert HEADING not in shown


def test_a_task_shows_its_mark_scheme_without_markers(small_course: Course, answered: Any) -> None:
    path = small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    source = nbformat.read(path, as_version=4)
    scheme = "=== BEGIN MARK SCHEME ===\n2 points: hashable\n=== END MARK SCHEME ==="
    cell_named(source, "why").source = f"Say why.\n{scheme}"
    nbformat.write(source, path)
    shown = page(small_course, answered, FORMGRADER)
    assert "2 points: hashable" in shown
    assert "MARK SCHEME" not in shown


def test_an_assignment_that_is_gone_from_source_still_opens(small_course: Course, answered: Any) -> None:
    assert "My own words." in page(small_course, answered, {**FORMGRADER, "notebook_id": "gone"})
