"""On what terms each notebook of an assignment is graded: what calibration has learned, and what a person asked for.

One place for `grading-utils grade` and plain nbgrader: both give the same rights and leave the same scores open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from grading_utils.course.bundle import Bundle
from grading_utils.course.course import Course
from grading_utils.errors import AuthoringError
from grading_utils.grading.calibration import DEMANDED, Calibration, Check
from grading_utils.grading.jobs import Engine
from grading_utils.grading.remembered import calibrations
from grading_utils.jobs import Rights, Solution

NOT_PASSED = "the instructor's own solution does not earn its points in this check"
ASKED = "a person asked for it"


@dataclass(frozen=True)
class Terms:
    """The terms of one notebook; empty where nothing is isolated, and so nothing was calibrated."""

    rights: dict[str, Rights] = field(default_factory=dict)
    solution: Solution | None = None
    inside: dict[str, str] = field(default_factory=dict)
    """Checks that run inside, and why."""
    open: dict[str, str] = field(default_factory=dict)
    """Checks that wait for a person whoever hands in what, and why."""

    def with_inside(self, checks: Collection[str]) -> Terms:
        """The terms of a submission for which a person wants these checks to run inside."""
        asked = {name: rights for name, rights in self.rights.items() if name in checks and name not in self.inside}
        return Terms(
            rights=self.rights | dict.fromkeys(asked, Rights(inside=True)),
            solution=self.solution,
            inside=self.inside | dict.fromkeys(asked, ASKED),
            open={name: why for name, why in self.open.items() if name not in asked},
        )


def terms(
    course: Course,
    bundle: Bundle,
    engines: Mapping[str, Engine],
    *,
    inside: Collection[str] = (),
    apart_only: bool = False,
    tell: Callable[[str], None],
) -> dict[str, Terms]:
    """The terms of every notebook.

    Args:
        course: The course.
        bundle: The assignment.
        engines: By notebook.
        inside: Checks that a person wants to run inside in some submissions; see `Terms.with_inside`.
        apart_only: Refuse checks that run inside.
        tell: Takes what was found out and concerns the whole class, one line for each thing.

    Raises:
        AuthoringError: There is no such check, or one runs inside although `apart_only`.
        SandboxError: An engine broke.
    """
    checks = {name for notebook in bundle.notebooks.values() for name in notebook.managed}
    if unknown := sorted(set(inside) - checks):
        raise AuthoringError(f"there is no check {unknown[0]!r}", where=bundle.assignment)
    if not all(engine.isolated for engine in engines.values()):
        return {name: Terms() for name in bundle.notebooks}
    device = ", ".join(sorted({engine.device for engine in engines.values()}))
    learned = calibrations(course, bundle, engines.__getitem__, device)
    for line in findings(learned):
        tell(f"{bundle.assignment}: {line}")
    weak = sorted({*inside, *(name for known in learned.values() for name in known.inside)})
    if apart_only and weak:
        raise AuthoringError(f"{', '.join(weak)} would run inside, which --apart-only forbids", where=bundle.assignment)
    return {name: _terms(known) for name, known in learned.items()}


def _terms(known: Calibration) -> Terms:
    return Terms(
        rights=known.rights(),
        solution=known.solution,
        inside=known.inside,
        open={name: check.problem if check.is_fault else NOT_PASSED for name, check in known.problems.items()},
    )


def _because(check: Check) -> str:
    if check.rights.history:
        return f" after all earlier checks, because without them: {check.why}"
    return f", because {check.why if check.why == DEMANDED else f'apart: {check.why}'}"


def findings(learned: Mapping[str, Calibration]) -> list[str]:
    """What an instructor should know about the checks of an assignment, one line for each thing."""
    lines: list[str] = []
    for notebook, known in learned.items():
        lines += [f"{notebook}: {name} runs inside{_because(known.checks[name])}" for name in known.inside]
        lines += [
            f"{notebook}: {name} waits for a person, whoever hands it in: the instructor's own solution gets "
            f"{check.points:g} points ({check.problem})"
            for name, check in known.problems.items()
        ]
        lines += [
            f"{notebook}: {name} gives {gift:g} points to the untouched release" for name, gift in known.gifts.items()
        ]
    return lines
