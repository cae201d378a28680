"""What to write into an LMS's table for each student, the same for every system.

The modules of the systems know where their table has people, scores and limits; this one decides what may go there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from grading_utils.errors import CourseError
from grading_utils.lms.matching import Person, Roster
from grading_utils.reporting.standings import Standing
from grading_utils.results import Status


@dataclass(frozen=True)
class Choices:
    """What the instructor wants where there is more than one right way.

    Attributes:
        partial: Write what a student has so far although some question waits for a person.
        missing_as_zero: Write 0 where nothing was handed in; otherwise the cell stays as it is.
        scale: Where the LMS gives the assignment other points than the notebooks have, convert to its points.
        skip_unmatched: Leave out students whose row is not there instead of refusing.
    """

    partial: bool = False
    missing_as_zero: bool = False
    scale: bool = False
    skip_unmatched: bool = False


@dataclass
class Filled:
    """What was done to a table.

    Attributes:
        changed: Ids of students whose cell is another one now.
        left: Sentences about students whose cell stayed as it was, or whom nobody looked for.
    """

    changed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def value(standing: Standing, limit: float | None, choices: Choices) -> tuple[float | None, str]:
    """The score to write, or None and the reason why the cell stays as it is.

    Args:
        standing: What the student has.
        limit: Points that the LMS gives the assignment, where its table says so.
        choices: What the instructor wants.
    """
    if standing.status is Status.MISSING:
        return (0.0, "") if choices.missing_as_zero else (None, "handed in nothing")
    if standing.status is Status.FAILED and not standing.cells:
        return None, f"was not graded: {standing.message}"
    if standing.waiting and not choices.partial:
        return None, f"waits for a person: {', '.join(standing.waiting)}"
    score = standing.score
    if choices.scale and limit is not None and standing.max_score:
        score = score * limit / standing.max_score
    return score, ""


def check_limit(assignment: str, limit: float | None, standings: Iterable[Standing], choices: Choices) -> None:
    """Refuse where the LMS would cut scores or take them for something else.

    Raises:
        CourseError: The LMS gives the assignment other points than the notebooks have.
    """
    worth = max((standing.max_score for standing in standings), default=0.0)
    if limit is not None and limit != worth and not choices.scale:
        raise CourseError(
            f"{assignment} is worth {worth:g} points here and {limit:g} there: change the points in the LMS, "
            "or have the scores converted with --scale"
        )


def fill(
    rows: Sequence[list[str]],
    who: Callable[[list[str]], tuple[list[str], str]],
    put: Callable[[list[str], float], bool],
    standings: Iterable[Standing],
    roster: Roster,
    limit: float | None,
    choices: Choices,
) -> Filled:
    """Write one assignment's scores into the rows of their students.

    Args:
        rows: The table's rows of people.
        who: The ids and the name that a row has.
        put: Writes a score into a row; returns whether that changed it.
        standings: One assignment's.
        roster: Everybody in the course.
        limit: Points that the LMS gives the assignment.
        choices: What the instructor wants.

    Raises:
        CourseError: A student who handed in has no row, or more than one.
    """
    by_student = {standing.student: standing for standing in standings}
    filled, seen = Filled(), set[str]()
    for row in rows:
        ids, name = who(row)
        person: Person | None = roster.find(ids, name)
        if person is None or person.id not in by_student:
            filled.left.append(f"{name or ids[0]}: nobody in the gradebook, the row stays as it is")
            continue
        if person.id in seen:
            raise CourseError(f"two rows belong to {person.id}; give them ids with `grading-utils students import`")
        seen.add(person.id)
        score, why = value(by_student[person.id], limit, choices)
        if score is None:
            filled.left.append(f"{person.id}: {why}")
        elif put(row, score):
            filled.changed.append(person.id)
    strangers = [s.student for s in by_student.values() if s.student not in seen and s.status is not Status.MISSING]
    if strangers and not choices.skip_unmatched:
        raise CourseError(
            f"no row there for {', '.join(strangers)}: give these students the LMS's id or address with "
            "`grading-utils students import`, or leave them out with --skip-unmatched"
        )
    filled.left += [f"{student}: no row there" for student in strangers]
    return filled
