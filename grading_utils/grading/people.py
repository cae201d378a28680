"""Who is in the course, when work is due, and who has longer: written into nbgrader's gradebook.

nbgrader keeps due dates in UTC and an extension as time added to them; here dates come with a time zone or in one that
is named. Scores are not touched; lateness counts when a submission is graded next.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser as dates
from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy.exc import SAWarning

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.gradebook import GradebookWriter

_BY_DAY = re.compile(r"\s*\d{1,2}\.\d{1,2}\.\d{4}\b")
_EITHER = re.compile(r"\s*(\d{1,2})/(\d{1,2})/\d{2,4}\b")


@contextmanager
def _gradebook(course: Course) -> Iterator[Gradebook]:
    with course.gradebook() as gradebook:
        yield gradebook


def import_students(course: Course, people: Mapping[str, Mapping[str, str]]) -> tuple[int, int]:
    """Add students, or change what is known of them; nobody is removed and nothing is emptied.

    Args:
        course: The course.
        people: For each student's id, some of nbgrader's columns; empty ones are left as they are.

    Returns:
        How many were new, and how many were known.
    """
    with _gradebook(course) as gradebook:
        known = {student.id for student in gradebook.students}
        for id, columns in people.items():
            gradebook.update_or_create_student(id, **{key: text for key, text in columns.items() if text})
    return len(set(people) - known), len(set(people) & known)


def set_due(course: Course, assignment: str, due: datetime) -> None:
    """Set when an assignment is due, for everybody; extensions stay as long as they were.

    Args:
        course: The course.
        assignment: The assignment; it need not have been graded yet.
        due: With a time zone.
    """
    with _gradebook(course) as gradebook:
        gradebook.update_or_create_assignment(assignment, duedate=due.astimezone(ZoneInfo("UTC")).replace(tzinfo=None))


def extend(course: Course, assignment: str, student: str, until: datetime) -> timedelta:
    """Give one student longer, instead of any extension before.

    Args:
        course: The course.
        assignment: The assignment, which must be due at some time.
        student: The student's id, which the gradebook must know.
        until: With a time zone.

    Returns:
        By how much it is longer than for everybody.

    Raises:
        CourseError: The gradebook knows no due date or no such student, or `until` is before the due date.
    """
    _know_notebooks(course, assignment)
    with _gradebook(course) as gradebook:
        try:
            due: datetime | None = gradebook.find_assignment(assignment).duedate
            gradebook.find_student(student)
        except MissingEntry as error:
            raise CourseError(f"{error}; see `grading-utils students` and `grading-utils due`") from error
        if due is None:
            raise CourseError(f"{assignment} has no due date to extend: set it with `grading-utils due`")
        longer = until.astimezone(ZoneInfo("UTC")).replace(tzinfo=None) - due
        if longer < timedelta(0):
            raise CourseError(f"{until} is before {assignment} is due for everybody ({due} UTC)")
        try:
            gradebook.find_submission(assignment, student)
        except MissingEntry:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # nbgrader's way of adding a submission is old but works
                gradebook.add_submission(assignment, student)
        minutes, seconds = divmod(int(longer.total_seconds()), 60)
        gradebook.grant_extension(assignment, student, minutes=minutes + (seconds > 0))
    return longer


def _know_notebooks(course: Course, assignment: str) -> None:
    """An extension makes a submission, and nbgrader adds no notebook to an assignment that has one already."""
    with _gradebook(course) as gradebook:
        try:
            known = bool(gradebook.find_assignment(assignment).notebooks)
        except MissingEntry:
            return
    if not known:
        with GradebookWriter(course) as writer:
            writer.sync(build_bundle(course, assignment))


def read_date(text: str, timezone: str) -> datetime:
    """A date as people write it, in a time zone: the text's own where it has an offset, else the one named.

    `read_date("2026-12-01 23:59", "Europe/Berlin")`; `1.12.2026` is the first of December.

    Raises:
        CourseError: The text is no date or could be two (`1/12/2026`), it names a zone by letters other than UTC, or
            there is no such zone.
    """
    if (either := _EITHER.match(text)) and max(int(either[1]), int(either[2])) <= 12 and either[1] != either[2]:
        raise CourseError(f"{text!r} is another day in America than elsewhere; write it as in '2026-12-01 23:59'")
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CourseError(f"there is no time zone {timezone!r}; write it as in Europe/Berlin") from error
    foreign: list[str] = []

    def named(name: str | None, offset: int | None) -> int | ZoneInfo | None:
        if name is not None and offset is None and name.upper() not in ("UTC", "GMT", "Z"):
            foreign.append(name)
        return offset if offset is not None else ZoneInfo("UTC") if name else None

    try:
        when: datetime = dates.parse(text, tzinfos=named, dayfirst=bool(_BY_DAY.match(text)))
    except (ValueError, OverflowError) as error:
        raise CourseError(f"{text!r} is no date; write it as in '2026-12-01 23:59'") from error
    if foreign:
        raise CourseError(f"the time zone {foreign[0]!r} has more than one meaning; name it with --timezone")
    return when if when.tzinfo is not None else when.replace(tzinfo=zone)
