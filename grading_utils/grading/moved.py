"""Whose score moved when the class was graded last, and why: compared and kept for `grading-utils diff`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from grading_utils.course.course import OWN_FOLDER, Course
from grading_utils.errors import CourseError
from grading_utils.results import CellResult, SubmissionResult


class MovedCell(msgspec.Struct, frozen=True):
    """One question whose points are other ones now; None stands for points that a person has to give."""

    grade_id: str
    before: float | None
    after: float | None
    message: str


class Moved(msgspec.Struct, frozen=True):
    """One submission whose points or status are other ones now."""

    assignment: str
    student: str
    before: str
    after: str
    why: str
    cells: tuple[MovedCell, ...]


def moved(before: SubmissionResult | None, after: SubmissionResult, why: str) -> Moved | None:
    """What grading a submission again has changed; None where nothing, or where it was graded for the first time."""
    if before is None:
        return None
    old = {cell.grade_id: cell for cell in before.cells}
    cells = tuple(
        MovedCell(cell.grade_id, known.score if known else None, cell.score, cell.message)
        for cell in after.cells
        if (known := old.get(cell.grade_id)) is None or known.score != cell.score
    )
    gone = tuple(MovedCell(cell.grade_id, cell.score, None, "the question is gone") for cell in _missing(before, after))
    if not cells and not gone and before.status is after.status and before.score == after.score:
        return None
    return Moved(after.assignment, after.student, _said(before), _said(after), why, (*cells, *gone))


def _missing(before: SubmissionResult, after: SubmissionResult) -> Iterable[CellResult]:
    there = {cell.grade_id for cell in after.cells}
    return (cell for cell in before.cells if cell.grade_id not in there)


def _said(result: SubmissionResult) -> str:
    return f"{result.score:g}/{result.max_score:g} {result.status}"


def keep(course: Course, changes: Iterable[Moved]) -> None:
    """Keep what the last run changed, in place of what the run before it did."""
    path = course.root / OWN_FOLDER / "moved.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(msgspec.json.encode(list(changes)))
    partial.replace(path)


def last(course: Course) -> list[Moved]:
    """What the last run of `grade` changed.

    Raises:
        CourseError: Nothing was graded here.
    """
    try:
        return msgspec.json.decode((course.root / OWN_FOLDER / "moved.json").read_bytes(), type=list[Moved])
    except (OSError, msgspec.MsgspecError) as error:
        raise CourseError("nothing was graded here yet: run `grading-utils grade` first") from error


def by_key(results: Iterable[SubmissionResult]) -> Mapping[tuple[str, str], SubmissionResult]:
    """Results by assignment and student."""
    return {(result.assignment, result.student): result for result in results}
