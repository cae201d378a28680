"""Files as the LMS's write them, made here from their documented formats, and people who handed in."""

from __future__ import annotations

import pytest

from grading_utils.lms.matching import Person, Roster
from grading_utils.reporting.standings import Standing
from grading_utils.results import CellResult, Status

CANVAS = (
    '\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Reading (11),"Counting, part (1) (12)",counting (13),'
    "Final Score\r\n"
    ",,,,,Manual Posting,,,\r\n"
    "    Points Possible,,,,,10.00,5.00,5.00,(read only)\r\n"
    '"Doe, Jane",4711,s1,jdoe,"One, Two",8.00,,2.00,70.00\r\n'
    '"Müller, Zoë",4712,s2,zoe,One,EX,,,\r\n'
    '"=""Evil, Bob""",4713,s3,bob,One,,,,\r\n'
    '"Excused, Eve",4714,s4,eve,One,,,EX,\r\n'
    '"Student, Test",4799,,test,One,,,,\r\n'
)
"""A gradebook as Canvas exports it: a byte order mark, a row on posting, formula guards, excused and test students."""

MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Grade can be changed,Last modified (submission),"
    "Last modified (grade),Feedback comments\n"
    'Participant 101,Jane Doe,jane@example.org,Submitted,2.00,5.00,Yes,"Monday, 1 December 2025, 10:15 PM",-,\n'
    'Participant 102,Zoë Müller,zoe@example.org,Submitted,,5.00,Yes,-,-,"<p>so, ""far""</p>"\n'
)
"""A grading worksheet as Moodle exports it in English."""

PEOPLE = (
    Person("jane", "Jane", "Doe", "jane@example.org", "4711"),
    Person("zoe", "Zoë", "Müller", "zoe@example.org", "4712"),
    Person("bob", "Bob", "Evil", "bob@example.org", "4713"),
    Person("eve", "Eve", "Excused", "eve@example.org", "4714"),
)


def standing(student: str, score: float | None = None, **more: object) -> Standing:
    """What somebody has in the assignment `counting`; without a score, nothing was handed in."""
    known: dict[str, object] = {"status": Status.MISSING if score is None else Status.GRADED, "score": score or 0.0}
    if score is not None:
        known["cells"] = (CellResult(grade_id="q", score=score, max_score=5.0),)
    return Standing(student=student, assignment="counting", max_score=5.0, **{**known, **more})  # type: ignore[arg-type]


@pytest.fixture
def roster() -> Roster:
    return Roster(PEOPLE)
