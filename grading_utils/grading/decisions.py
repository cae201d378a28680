"""Remembers which check of whose submission a person wants to run inside, for as long as the submission is the same.

One JSON file for each assignment, in the course's own hidden folder. What the terms of a check are is in `terms`.
"""

from __future__ import annotations

import os
from collections.abc import Collection

import msgspec

from grading_utils.course.course import OWN_FOLDER, Course
from grading_utils.grading.unchanged import digest_of


class Decisions:
    """What people have decided about the submissions of one assignment.

    Args:
        course: The course.
        assignment: Its name.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        self._course, self._assignment = course, assignment
        self._path = course.root / OWN_FOLDER / "inside" / f"{assignment}.json"
        self._known: dict[str, dict[str, str]] = {}  # by student and check, what the submission looked like
        if self._path.exists():
            self._known = msgspec.json.decode(self._path.read_bytes(), type=dict[str, dict[str, str]])

    def add(self, students: Collection[str], checks: Collection[str]) -> None:
        """Keep that these checks of these students' present submissions run inside."""
        for student in students:
            now = self._digest(student)
            self._known.setdefault(student, {}).update(dict.fromkeys(checks, now))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(self._known), indent=1))
        partial.replace(self._path)

    def of(self, student: str) -> frozenset[str]:
        """The checks of a student's submission that run inside, because a person asked for it."""
        known = self._known.get(student)
        if not known:
            return frozenset()
        now = self._digest(student)
        return frozenset(check for check, submission in known.items() if submission == now)

    def _digest(self, student: str) -> str:
        return digest_of(self._course.submitted(self._assignment, student))
