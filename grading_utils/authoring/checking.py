"""Do the tests of an assignment notice mistakes? Grades every mutant of every solution and lists the survivors.

A mutant that loses no point is a mistake that the tests would let pass, unless it is *equivalent*: another way of
writing the same thing. The author lists those with a reason in `mutants/<assignment>.yaml`; nothing else is exempt.

A mutant is graded by the checks of its own cell; how, is in `trials`.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import yaml

from grading_utils.authoring.mutants import Mutant, mutants_of
from grading_utils.authoring.trials import Trials
from grading_utils.course.bundle import Bundle
from grading_utils.course.cells import grade_id
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.pipeline import EngineFactory

FOLDER = "mutants"


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
        engine = make_engine(bundle, notebook)
        try:
            trials = Trials(course.source(bundle.assignment) / f"{name}.ipynb", notebook, engine)
            for cell, mutant, lost in _grade_mutants(trials, workers):
                reason = reasons.get((cell, mutant.before, mutant.changed_line), "")
                yield Verdict(cell, mutant, lost, reason)
        finally:
            engine.close()


def _grade_mutants(trials: Trials, workers: int) -> Iterator[tuple[str, Mutant, float]]:
    work = [
        (grade_id(cell) or "", mutant)
        for cell in trials.original.cells
        if grade_id(cell) in trials.checks
        for mutant in mutants_of(cell.source, trials.grammar)
    ]
    full = {cell: _points(trials, cell, None) for cell in trials.checks}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        points = pool.map(lambda planted: _points(trials, planted[0], planted[1].source), work)
        for (cell, mutant), got in zip(work, points, strict=True):
            yield cell, mutant, full[cell] - got


def _points(trials: Trials, answer: str, source: str | None) -> float:
    return sum(check.result.score or 0.0 for check in trials.grade(answer, source).values())


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
