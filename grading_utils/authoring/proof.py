"""Prove that an assignment grades as promised: the instructor's solution gets full marks, the untouched release none.

Both are graded exactly like a student's submission, by the engine that will grade the class. With isolation that is
what calibration does anyway, and the class is then graded with what was learned here.
"""

from __future__ import annotations

from collections.abc import Callable

from grading_utils.authoring.expectations import late_expectations
from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import nbgrader_metadata
from grading_utils.course.course import Course
from grading_utils.errors import AuthoringError
from grading_utils.grading.calibration import Calibration
from grading_utils.grading.jobs import Engine
from grading_utils.grading.pipeline import EngineFactory
from grading_utils.grading.remembered import calibrations
from grading_utils.grading.terms import findings


def prove(
    course: Course, bundle: Bundle, make_engine: EngineFactory, *, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Grade the solution and the untouched release of an assignment.

    Args:
        course: The course.
        bundle: The assignment.
        make_engine: Starts the engine of a notebook.
        tell: Takes what the author should know although nothing is wrong, one line for each thing.

    Raises:
        AuthoringError: The solution loses points or the release earns some; lists the cells and why.
        SandboxError: The engine cannot start on this machine.
    """
    engines: dict[str, Engine] = {}

    def engine_of(name: str) -> Engine:
        engines[name] = make_engine(bundle, bundle.notebooks[name])
        return engines[name]

    try:
        learned = calibrations(course, bundle, engine_of)
    finally:
        for engine in engines.values():
            engine.close()
    problems = [line for notebook, known in learned.items() for line in _problems(notebook, known, bundle.notebooks)]
    if problems:
        raise AuthoringError("\n  ".join(["does not grade as promised:", *problems]), where=bundle.assignment)
    for line in (*findings(learned), *_late(bundle, learned)):
        tell(line)


def _problems(name: str, known: Calibration, notebooks: dict[str, NotebookBundle]) -> list[str]:
    return [
        f"{name}: the instructor's own solution gets {check.points:g} of {_points(notebooks[name], cell):g} points "
        f"in {cell}: {check.problem}"
        for cell, check in known.problems.items()
    ] + [f"{name}: the untouched release gets {gift:g} points in {cell}" for cell, gift in known.gifts.items()]


def _late(bundle: Bundle, learned: dict[str, Calibration]) -> list[str]:
    """Where tests work out what they expect from what student code may have changed."""
    return [
        f"{notebook}: {name}: {warning}"
        for notebook, known in learned.items()
        for name in known.checks
        for warning in late_expectations(bundle.notebooks[notebook].managed[name].source, known.solution.answers)
    ]


def _points(bundle: NotebookBundle, name: str) -> float:
    return float(nbgrader_metadata(bundle.managed[name])["points"])
