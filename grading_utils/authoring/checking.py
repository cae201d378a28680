"""Do the tests of an assignment notice mistakes? Grades every mutant of every solution and lists the survivors.

A mutant that loses no point is a mistake that the tests would let pass, unless it is *equivalent*: another way of
writing the same thing. The author lists those with a reason in `mutants/<assignment>.yaml`; nothing else is exempt.

A mutant is graded by the checks of its own cell. Cells that these checks don't need, such as demonstrations of what
the student has built, are left out: that takes seconds where grading whole notebooks takes half an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec
import nbformat
import yaml

from grading_utils.authoring.mutants import Mutant, mutants_of
from grading_utils.authoring.proof import solution_notebook
from grading_utils.checks.names import bound_names, free_names
from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import Role, grade_id, nbgrader_metadata
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.jobs import Engine, make_job
from grading_utils.grading.pipeline import EngineFactory
from grading_utils.grading.scoring import insert_outputs, score_cells
from grading_utils.intake.restoring import restore
from grading_utils.jobs import Cell, Job

FOLDER = "mutants"
_SECONDS = 5.0
"""Computing that a mutant's cell may use: many mutants loop for ever, and no solution needs that long."""


@dataclass(frozen=True)
class Verdict:
    """What grading one mutant showed."""

    grade_id: str
    mutant: Mutant
    lost: float
    """Points lost compared with the solution."""
    equivalent: str = ""
    """The author's reason why this mutant is no mistake; "" where there is none."""

    @property
    def survived(self) -> bool:
        """Did the tests let a mistake pass?"""
        return self.lost <= 0 and not self.equivalent


def check_tests(course: Course, bundle: Bundle, make_engine: EngineFactory, *, workers: int = 1) -> Iterator[Verdict]:
    """Grade every mutant of an assignment's solutions, yielding each verdict as it is known.

    Raises:
        CourseError: The list of equivalent mutants is not as it should be.
        SandboxError: The engine cannot start on this machine.
    """
    reasons = _equivalent(course, bundle.assignment)
    for name, notebook in bundle.notebooks.items():
        path = course.source(bundle.assignment) / f"{name}.ipynb"
        original = nbformat.read(path, as_version=4)
        solution = solution_notebook(path, notebook)
        engine = make_engine(bundle, notebook)
        try:
            for cell, mutant, lost in _grade_mutants(original, solution, notebook, engine, workers):
                reason = reasons.get((cell, mutant.before, mutant.changed_line), "")
                yield Verdict(cell, mutant, lost, reason)
        finally:
            engine.close()


def _grade_mutants(
    original: Any, solution: Any, bundle: NotebookBundle, engine: Engine, workers: int
) -> Iterator[tuple[str, Mutant, float]]:
    checks = _own_checks(original)
    work = [
        (grade_id(cell) or "", mutant)
        for cell in original.cells
        if grade_id(cell) in checks
        for mutant in mutants_of(cell.source, bundle.grammar)
    ]
    full = {cell: _score(solution, cell, None, own, bundle, engine) for cell, own in checks.items()}

    def score(planted: tuple[str, Mutant]) -> float:
        cell, mutant = planted
        return _score(solution, cell, mutant.source, checks[cell], bundle, engine)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        for (cell, mutant), points in zip(work, pool.map(score, work), strict=True):
            yield cell, mutant, full[cell] - points


def _own_checks(notebook: Any) -> dict[str, list[str]]:
    """For every answer cell the checks that follow it, up to the next answer."""
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


def _score(
    solution: Any, answer: str, source: str | None, checks: list[str], bundle: NotebookBundle, engine: Engine
) -> float:
    """The points that the checks of one answer cell give, with another source in that cell unless it is None."""
    notebook = restore(solution, bundle).notebook
    for cell in notebook.cells:
        if source is not None and grade_id(cell) == answer:
            cell.source = source
    job = make_job(notebook, bundle, everything=False)
    run = engine.run(msgspec.structs.replace(job, cells=_needed(job, answer, checks)))
    insert_outputs(notebook, run)
    return sum(result.score or 0.0 for result in score_cells(notebook, run) if result.grade_id in checks)


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


def _equivalent(course: Course, assignment: str) -> dict[tuple[str, str, str], str]:
    """Reasons by answer cell, what was replaced, and the line that it has become."""
    path = course.root / FOLDER / f"{assignment}.yaml"
    if not path.exists():
        return {}
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        return {(entry["cell"], entry["before"], entry["becomes"]): entry["reason"] for entry in entries}
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise CourseError(f"is no list of equivalent mutants: {error!r}", where=str(path)) from error
