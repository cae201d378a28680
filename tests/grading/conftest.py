"""What several tests of grading begin with."""

from __future__ import annotations

from typing import Any

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.solutions import solution_notebook

from ..conftest import ASSIGNMENT, cell_named


def solved(course: Course, **cells: str) -> Any:
    """The instructor's solution as a student would hand it in, with other sources in some cells."""
    bundle = build_bundle(course, ASSIGNMENT)
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = solution_notebook(path, bundle.notebooks[ASSIGNMENT])
    for name, source in cells.items():
        cell_named(notebook, name).source = source
    return notebook
