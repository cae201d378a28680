"""Try another source in one answer cell: graded by the checks of that cell, everything else as the instructor has it.

One engine, warm, grades as many sources as one likes. Cells that the checks don't need, such as demonstrations of
what the student has built, are left out: that takes seconds where grading whole notebooks takes half an hour.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import nbformat

from grading_utils.checks.names import bound_names, free_names
from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import Role, grade_id, nbgrader_metadata
from grading_utils.grading.jobs import Engine, make_job
from grading_utils.grading.scoring import insert_outputs, score_cells
from grading_utils.grading.solutions import solution_notebook
from grading_utils.intake.restoring import restore
from grading_utils.jobs import Cell, CellRun, Job
from grading_utils.results import CellResult

_SECONDS = 5.0
"""Computing that a cell may use: many mistakes loop for ever, and no solution needs that long."""


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one check said of one source."""

    result: CellResult
    run: CellRun | None
    """What running it gave; None where it did not run."""


class Trials:
    """The answer cells of an instructor's notebook with their checks, ready to be tried on other sources."""

    def __init__(self, source: Path, bundle: NotebookBundle, engine: Engine) -> None:
        """Prepare for one notebook.

        Args:
            source: The instructor's notebook, solutions and hidden tests included.
            bundle: What the course knows of it.
            engine: Runs that notebook.
        """
        self.original = nbformat.read(source, as_version=4)
        self.checks = _own_checks(self.original)
        """For every answer cell the checks that follow it, up to the next answer."""
        self.grammar = bundle.grammar
        self._solution = solution_notebook(source, bundle)
        self._bundle = bundle
        self._engine = engine

    def grade(self, answer: str, source: str | None) -> dict[str, CheckResult]:
        """What the checks of an answer cell say, by `grade_id`, with this source in the cell; None for the solution."""
        notebook = restore(self._solution, self._bundle).notebook
        for cell in notebook.cells:
            if source is not None and grade_id(cell) == answer:
                cell.source = source
        checks = self.checks[answer]
        job = make_job(notebook, self._bundle, everything=False)
        run = self._engine.run(msgspec.structs.replace(job, cells=_needed(job, answer, checks)))
        insert_outputs(notebook, run)
        names = {grade_id(cell): index for index, cell in enumerate(notebook.cells)}
        runs = {cell_run.index: cell_run for cell_run in run.cells}
        return {
            result.grade_id: CheckResult(result=result, run=runs.get(names[result.grade_id]))
            for result in score_cells(notebook, run)
            if result.grade_id in checks
        }


def _own_checks(notebook: Any) -> dict[str, list[str]]:
    checks: dict[str, list[str]] = {}
    answer = None
    for cell in notebook.cells:
        entry = nbgrader_metadata(cell)
        if cell.cell_type != "code" or not entry:
            continue
        if entry.get("solution"):
            answer = grade_id(cell)
        elif entry.get("grade") and answer:
            checks.setdefault(answer, []).append(grade_id(cell) or "")
    return checks


def _needed(job: Job, answer: str, checks: list[str]) -> tuple[Cell, ...]:
    """The leading cells, and of the others the answer, its checks, and what binds a name that these read."""
    needed: list[Cell] = []
    names: set[str] = set()
    for cell in reversed(job.cells[job.leading :]):
        if cell.grade_id in checks or (needed and (cell.grade_id == answer or bound_names(cell.source) & names)):
            if cell.role is Role.TEST and cell.grade_id not in checks:
                continue
            names |= free_names(cell.source)
            limit = cell.time_limit if cell.role is Role.INSTRUCTOR else min(cell.time_limit, _SECONDS)
            needed.append(msgspec.structs.replace(cell, time_limit=limit))
    return (*job.cells[: job.leading], *reversed(needed))
