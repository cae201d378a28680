"""Do the tests of an assignment notice mistakes? Grades every mutant of every solution and lists the survivors.

A mutant that loses no point is a mistake that the tests would let pass, unless it is *equivalent*: another way of
writing the same thing. The author lists those with a reason in `mutants/<assignment>.yaml`; nothing else is exempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import msgspec
import nbformat
import yaml

from grading_utils.authoring.mutants import Mutant, mutants_of
from grading_utils.authoring.proof import solution_notebook
from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import Role, grade_id, nbgrader_metadata
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.jobs import Engine, make_job
from grading_utils.grading.pipeline import EngineFactory
from grading_utils.grading.scoring import insert_outputs, score_cells
from grading_utils.intake.restoring import restore

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
            full = _score(solution, {}, notebook, engine)
            work = [
                (grade_id(cell) or "", mutant)
                for cell in original.cells
                if _is_tested(cell)
                for mutant in mutants_of(cell.source)
            ]
            with ThreadPoolExecutor(max_workers=workers) as pool:
                replaced = [{cell: mutant.source} for cell, mutant in work]
                scores = pool.map(_score, repeat(solution), replaced, repeat(notebook), repeat(engine))
                for (cell, mutant), score in zip(work, scores, strict=True):
                    reason = reasons.get((cell, mutant.before, mutant.after), "")
                    yield Verdict(cell, mutant, full - score, reason)
        finally:
            engine.close()


def _is_tested(cell: Any) -> bool:
    entry = nbgrader_metadata(cell)
    return cell.cell_type == "code" and bool(entry.get("solution")) and not entry.get("grade")


def _score(solution: Any, replaced: dict[str, str], bundle: NotebookBundle, engine: Engine) -> float:
    notebook = restore(solution, bundle).notebook
    for cell in notebook.cells:
        cell.source = replaced.get(grade_id(cell) or "", cell.source)
    job = make_job(notebook, bundle, everything=False)
    limited = tuple(
        msgspec.structs.replace(cell, time_limit=min(cell.time_limit, _SECONDS))
        if cell.role is not Role.INSTRUCTOR
        else cell
        for cell in job.cells
    )
    run = engine.run(msgspec.structs.replace(job, cells=limited))
    insert_outputs(notebook, run)
    return sum(result.score or 0.0 for result in score_cells(notebook, run))


def _equivalent(course: Course, assignment: str) -> dict[tuple[str, str, str], str]:
    path = course.root / FOLDER / f"{assignment}.yaml"
    if not path.exists():
        return {}
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        return {(entry["cell"], entry["before"], entry["after"]): entry["reason"] for entry in entries}
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise CourseError(f"is no list of equivalent mutants: {error!r}", where=str(path)) from error
