"""What grading one submission produced, as frozen data that JSON, JUnit, the report and the tests share.

This module only describes results; scoring is in `grading/`, writing them out in `reporting/`.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec


class Status(StrEnum):
    """How grading one submission ended."""

    GRADED = "graded"
    """Every grade cell has a score that needs nobody's attention (written answers may still wait for a person)."""
    NEEDS_ATTENTION = "needs-attention"
    """Graded as far as possible, but a person should look: the message says at what."""
    FAILED = "failed"
    """Not graded: the submission is unreadable or our own machinery broke. Points are those of an earlier hand-in."""
    MISSING = "missing"
    """Nothing was handed in; only standings have this, never a result of grading."""


class CellResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one grade cell."""

    grade_id: str
    score: float | None
    """Points given; None while a person has to grade the cell."""
    max_score: float
    message: str = ""
    """Why points were lost, in words that are safe to show the student."""
    details: str = ""
    """For the instructor: all that a hidden check said, which may hold its arguments; empty where `message` is all."""
    open: str = ""
    """Why an automatic score is missing, for the instructor; "" where there is one, or where none was meant to be."""
    inside: str = ""
    """Why the check ran in a copy of the student's process; "" where it ran apart, as checks do."""
    seconds: float = 0.0
    """Computing time of the check and of the student's cells before it, from the question before; 0 where unknown."""


class SubmissionResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one student's submission of one assignment."""

    student: str
    assignment: str
    status: Status
    score: float
    max_score: float
    message: str = ""
    """One line for the instructor: what needs attention, or why grading failed."""
    seconds: float = 0.0
    """Wall-clock seconds spent on this submission."""
    penalty: float = 0.0
    """Points that handing in late costs; `score` is before that."""
    cells: tuple[CellResult, ...] = ()


def points(score: float) -> str:
    """Points as people and LMS's read them, everywhere the same: two decimals at most, a half rounded up.

    `points(2.5) == "2.5"`, `points(3.0) == "3"`, `points(0.125) == "0.13"`
    """
    rounded = Decimal(repr(float(score))).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return format(rounded.normalize() if rounded else Decimal(0), "f")
