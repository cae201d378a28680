"""Prove that an assignment grades as promised: the instructor's solution gets full marks, the untouched release none.

Both are graded exactly like a student's submission, by the engine that will grade the class.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import grade_id
from grading_utils.course.course import Course
from grading_utils.errors import AuthoringError
from grading_utils.grading.jobs import make_job
from grading_utils.grading.pipeline import EngineFactory
from grading_utils.grading.scoring import insert_outputs, score_cells
from grading_utils.intake.restoring import restore
from grading_utils.results import CellResult


def prove(course: Course, bundle: Bundle, make_engine: EngineFactory) -> None:
    """Grade the solution and the untouched release of an assignment.

    Raises:
        AuthoringError: The solution loses points or the release earns some; lists the cells and why.
        SandboxError: The engine cannot start on this machine.
    """
    problems = []
    for name, notebook in bundle.notebooks.items():
        engine = make_engine(bundle, notebook)
        try:
            solution = solution_notebook(course.source(bundle.assignment) / f"{name}.ipynb", notebook)
            for result in _automatic(_grade(solution, notebook, engine)):
                if result.score != result.max_score:
                    problems.append(
                        f"{name}: the instructor's own solution gets {result.score:g} of {result.max_score:g} points "
                        f"in {result.grade_id}: {result.message}"
                    )
            untouched = nbformat.from_dict({"cells": [dict(cell) for cell in copy.deepcopy(notebook.cells)]})
            problems += [
                f"{name}: the untouched release gets {result.score:g} points in {result.grade_id}"
                for result in _automatic(_grade(untouched, notebook, engine))
                if result.score
            ]
        finally:
            engine.close()
    if problems:
        raise AuthoringError("\n  ".join(["does not grade as promised:", *problems]), where=bundle.assignment)


def solution_notebook(path: Path, bundle: NotebookBundle) -> Any:
    """The instructor's notebook as a perfect student would hand it in: solutions filled in, no markers."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if grade_id(cell) in bundle.managed:
            cell.source = bundle.grammar.solved(cell.source)
    return notebook


def _grade(submitted: Any, bundle: NotebookBundle, engine: Any) -> list[CellResult]:
    notebook = restore(submitted, bundle).notebook
    run = engine.run(make_job(notebook, bundle, everything=False))
    insert_outputs(notebook, run)
    return score_cells(notebook, run)


def _automatic(results: list[CellResult]) -> list[CellResult]:
    return [result for result in results if result.score is not None]
