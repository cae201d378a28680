"""Whose row or file is it: people as an LMS names them, found among the people that the gradebook knows.

Only an unambiguous match counts. Names are the last resort, since two people may share one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from nbgrader.api import Student as Row

from grading_utils.course.course import Course


@dataclass(frozen=True)
class Person:
    """A student as the gradebook knows them.

    Attributes:
        id: The student's id in this course, the name of the folder in `submitted/`.
        lms_id: The number that the LMS gives the student; "" where unknown.
    """

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""


class Roster:
    """Finds people by what another system calls them."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = {person.id: person for person in people}
        self._by_id: dict[str, set[str]] = defaultdict(set)
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for person in self.people.values():
            for key in (person.id, person.email, person.lms_id):
                if key:
                    self._by_id[key.casefold()].add(person.id)
            for name in (f"{person.first_name} {person.last_name}", f"{person.last_name} {person.first_name}"):
                if name.strip():
                    self._by_name[letters(name)].add(person.id)

    def find(self, ids: Iterable[str], name: str = "") -> Person | None:
        """The one person with one of these ids or addresses, else the only one of that name.

        Args:
            ids: In the order in which they are to be believed; empty ones are passed over.
            name: In any order of first and last name, with or without spaces and commas.
        """
        for key in ids:
            found = self._by_id.get(key.casefold(), set()) if key else set()
            if len(found) == 1:
                return self.people[next(iter(found))]
        found = self._by_name.get(letters(name), set()) if name else set()
        return self.people[next(iter(found))] if len(found) == 1 else None

    def called(self, name: str) -> list[str]:
        """Ids of everybody with this name, sorted."""
        return sorted(self._by_name.get(letters(name), ())) if name else []


def read_roster(course: Course) -> Roster:
    """Everybody that the course's gradebook knows; empty where there is no gradebook yet."""
    if not course.has_gradebook:
        return Roster([])
    with course.gradebook() as gradebook:
        rows: list[Row] = gradebook.students
        return Roster(
            Person(row.id, row.first_name or "", row.last_name or "", row.email or "", str(row.lms_user_id or ""))
            for row in rows
        )


def letters(name: str) -> str:
    """A name as file names keep it: lower case, accents composed, word characters only.

    `letters("Doe, Jane") == "doejane"`
    """
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())
