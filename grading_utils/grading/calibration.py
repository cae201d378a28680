"""Finds out, for every check, the least that the instructor's own solution needs to earn its points.

The solution and the untouched release are graded by the engine that will grade the class. A check starts with no
rights at all, and gets more only while the solution fails without: `LADDER` says in which order. It ends with a run in
which everything is as it will be for the class. What needs the
student's process runs there (`inside`); what the solution can't pass anywhere is a fault of the author's or of ours,
and waits for a person whoever hands it in. Students' submissions are never looked at here, so nobody can choose the
weaker place for himself.

Nothing is remembered here; `remembered` keeps what was learned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import Place, Role, demanded_place, grade_id, is_graded, nbgrader_metadata, role
from grading_utils.course.device import gpu_checks
from grading_utils.devices.choice import CPU
from grading_utils.grading.jobs import Engine, make_job
from grading_utils.grading.scoring import insert_outputs, returned_points, score_cells
from grading_utils.grading.solutions import names_in, solution_notebook, untouched_notebook
from grading_utils.intake.restoring import restore
from grading_utils.jobs import CellStatus, Rights, Solution
from grading_utils.results import CellResult

LADDER = (
    Rights(),
    Rights(methods=True),
    Rights(changes=True),
    Rights(methods=True, changes=True),
    Rights(methods=True, comparisons=True),
    Rights(methods=True, changes=True, comparisons=True),
    Rights(methods=True, files=True),
    Rights(methods=True, changes=True, comparisons=True, files=True),
    Rights(methods=True, changes=True, comparisons=True, figures=True),
    Rights(inside=True),
    Rights(inside=True, history=True),
)
"""From the least that a check may be granted to the most."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned about one check."""

    rights: Rights = Rights()
    why: str = ""
    """Why it can't do with less than `rights`: what the solution met one step below; "" where it needs nothing."""
    problem: str = ""
    """What the solution met in the last place that was tried, where it earns its points in none."""
    points: float = 0.0
    """What the solution got then."""
    is_fault: bool = False
    """Was it our own machinery that broke? That is no reason to run a check inside."""
    gift: float = 0.0
    """Points that the untouched release gets."""


DEMANDED = "its author wants it there"
NEEDS_GPU = "it asks for a GPU in its metadata, and this is graded without one"


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned about one notebook."""

    checks: dict[str, Check]
    """By `grade_id`."""
    solution: Solution = Solution()
    """What the solution does to names, and which checks give it a number of points."""

    @property
    def inside(self) -> dict[str, str]:
        """Checks that run inside, and why."""
        return {name: check.why for name, check in self.checks.items() if check.rights.inside}

    @property
    def problems(self) -> dict[str, Check]:
        """Checks that the solution can't pass anywhere."""
        return {name: check for name, check in self.checks.items() if check.problem}

    @property
    def gifts(self) -> dict[str, float]:
        """Checks that give points to the untouched release, and how many."""
        return {name: check.gift for name, check in self.checks.items() if check.gift}

    def rights(self) -> dict[str, Rights]:
        """The rights of every check."""
        return {name: check.rights for name, check in self.checks.items()}


def calibrate(source: Path, bundle: NotebookBundle, engine: Engine) -> Calibration:
    """Grade the solution of one notebook as often as it takes to know what every check needs, then the release.

    Args:
        source: The instructor's notebook.
        bundle: The same notebook as the grader needs it.
        engine: Will grade the class.

    Raises:
        SandboxError: The engine broke.
    """
    solution = solution_notebook(source, bundle)
    known = names_in(solution, source.parent)
    places = {
        str(nbgrader_metadata(cell)["grade_id"]): demanded_place(cell)
        for cell in bundle.cells
        if cell.cell_type == "code" and is_graded(cell) and role(cell) is Role.TEST
    }
    ladder: tuple[Rights, ...] = LADDER if engine.isolated else LADDER[:1]
    unmet = gpu_checks(bundle.cells) if engine.device == CPU and engine.isolated else frozenset()
    if not any("plt" in cell.source or "pyplot" in cell.source for cell in bundle.cells):
        ladder = tuple(step for step in ladder if not step.figures)
    steps = {n: len(ladder) if n in unmet else _next_step(ladder, place, 0) for n, place in places.items()}
    failed: dict[str, CellResult] = {}
    broken: set[str] = set()
    while True:
        rights_of = {name: ladder[step] for name, step in steps.items() if step < len(ladder)}
        results, faults, numbers = _grade(solution, bundle, engine, rights_of, known)
        # Also one that passed before: what it met may have come from another check, which has moved inside since.
        failing = {name for name in rights_of if results[name].score != results[name].max_score}
        if not failing:
            break
        broken |= faults & failing
        for name in failing:
            failed[name] = results[name]
            steps[name] = len(ladder) if name in broken else _next_step(ladder, places[name], steps[name] + 1)
    learned: dict[str, Check] = {}
    for name, place in places.items():
        if name in unmet:
            learned[name] = Check(problem=NEEDS_GPU, is_fault=True)
        elif name in rights_of:
            why = DEMANDED if place is Place.INSIDE else ""
            learned[name] = Check(rights=rights_of[name], why=_said(failed[name]) if name in failed else why)
        else:
            result = failed[name]
            learned[name] = Check(problem=_said(result), points=result.score or 0.0, is_fault=name in broken)
    known = msgspec.structs.replace(known, points=numbers)
    blank, *_ = _grade(untouched_notebook(bundle), bundle, engine, rights_of, known)
    checks = {name: msgspec.structs.replace(learned[name], gift=blank[name].score or 0.0) for name in places}
    return Calibration(checks=checks, solution=known)


def _next_step(ladder: Sequence[Rights], place: Place, first: int) -> int:
    """The first step from `first` on that a check's place allows; one beyond the ladder where there is none."""
    return next((step for step in range(first, len(ladder)) if place.allows(ladder[step].inside)), len(ladder))


def _grade(
    submitted: Any, bundle: NotebookBundle, engine: Engine, rights: Mapping[str, Rights], known: Solution
) -> tuple[dict[str, CellResult], set[str], frozenset[str]]:
    """The results by `grade_id`, the checks in which our machinery broke, and those that returned points."""
    notebook = restore(submitted, bundle).notebook
    run = engine.run(make_job(notebook, bundle, rights=rights, solution=known, everything=False))
    insert_outputs(notebook, run)
    by_name = {grade_id(notebook.cells[cell.index]) or "": cell for cell in run.cells}
    results = {result.grade_id: result for result in score_cells(notebook, run)}
    for name, result in results.items():
        if name in by_name and not result.open:
            results[name] = msgspec.structs.replace(result, open=by_name[name].reason)
    faults = {name for name, cell in by_name.items() if cell.status is CellStatus.FAULT}
    checks = [cell for cell in notebook.cells if cell.cell_type == "code" and grade_id(cell) in results]
    return results, faults, frozenset(str(grade_id(cell)) for cell in checks if returned_points(cell) is not None)


def _said(result: CellResult) -> str:
    return result.open or result.message or f"{result.score:g} of {result.max_score:g} points"
