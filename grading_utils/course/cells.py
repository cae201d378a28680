"""Who owns a cell of an nbgrader notebook, and therefore where it may run.

This is the security boundary of grading, so it is decided here once, from the *instructor's* notebook. What a
submission claims about its own cells is never asked.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from grading_utils.errors import AuthoringError

TIME_LIMIT_SECONDS = 30.0
"""Seconds of computing that a code cell may use unless its author says otherwise."""

LONGEST_SECONDS = 600.0
"""What a cell may use where `c.Execute.timeout` says that there is no limit: nothing may keep a class waiting."""

DEMONSTRATION = "demonstration"
"""Cell tag of instructor cells that only show what the student's functions do."""


class Role(StrEnum):
    """Where a code cell runs while a submission is graded."""

    INSTRUCTOR = "instructor"
    """Locked and not graded: runs in the student's and in the tester's process."""
    STUDENT = "student"
    """A solution cell, or a cell the student added: runs in the student's process only."""
    TEST = "test"
    """An autograded test: runs in the tester's process only."""


class Place(StrEnum):
    """Where an author wants a check to run; see the page on writing assignments."""

    ANY = "any"
    """Wherever the solution earns its points, apart if it can."""
    APART = "apart"
    """In the tester, or not at all."""
    INSIDE = "inside"
    """In a copy of the student's process, whatever the solution needs."""

    def allows(self, inside: bool) -> bool:
        """May a check run inside, or else apart?"""
        return self is Place.ANY or (self is Place.INSIDE) == inside


def nbgrader_metadata(cell: Any) -> dict[str, Any]:
    """The `nbgrader` entry of a cell's metadata; empty where there is none or it is not a mapping."""
    entry = cell.get("metadata", {}).get("nbgrader", {})
    return dict(entry) if isinstance(entry, dict) else {}


def grade_id(cell: Any) -> str | None:
    """The name that nbgrader knows a cell by, or None for a cell it does not manage."""
    name = nbgrader_metadata(cell).get("grade_id")
    return name if isinstance(name, str) and name else None


def role(cell: Any) -> Role:
    """The role of a code cell of the instructor's notebook."""
    entry = nbgrader_metadata(cell)
    if entry.get("solution"):
        return Role.STUDENT
    if entry.get("grade"):
        return Role.TEST
    return Role.INSTRUCTOR if entry.get("locked") else Role.STUDENT


def is_graded(cell: Any) -> bool:
    """Does this cell carry points (tests, written answers and tasks)?"""
    entry = nbgrader_metadata(cell)
    return bool(entry.get("grade") or entry.get("task"))


def is_graded_by_hand(cell: Any) -> bool:
    """Does a person read what the student wrote in this cell?"""
    entry = nbgrader_metadata(cell)
    return bool(entry.get("task") or (entry.get("grade") and entry.get("solution")))


def is_demonstration(cell: Any) -> bool:
    """Is this an instructor's cell that only shows something, so that grading can do without it?

    Its author says so with the cell tag `demonstration`: it binds nothing that a later cell uses, and changes nothing.
    """
    return role(cell) is Role.INSTRUCTOR and DEMONSTRATION in cell.get("metadata", {}).get("tags", ())


def is_instructor_owned(cell: Any) -> bool:
    """Must this managed cell, code or text, be put back as the instructor wrote it?"""
    return not nbgrader_metadata(cell).get("solution")


def demanded_place(cell: Any) -> Place:
    """Where the author wants a check to run: `grading_utils.place` in the cell's metadata, or wherever it must.

    Raises:
        AuthoringError: The metadata names no such place.
    """
    place = cell.get("metadata", {}).get("grading_utils", {}).get("place", Place.ANY)
    try:
        return Place(place)
    except ValueError as error:
        raise AuthoringError(
            f"the metadata asks for the place {place!r}; there are: {', '.join(Place)}",
            where=f"cell {grade_id(cell)}",
        ) from error


def time_limit(cell: Any, default: float = TIME_LIMIT_SECONDS) -> float:
    """Seconds of computing a cell may use: the author's `grading_utils.time_limit` metadata, or the course's."""
    limit = cell.get("metadata", {}).get("grading_utils", {}).get("time_limit", default)
    return float(limit)
