"""Who is in a course, from a table that a person wrote or that Canvas, Moodle or Gradescope exported.

Only reads; `grading.people` writes what is found into the gradebook. An id becomes the name of a folder in
`submitted/`, so one that can't be a folder's name is refused.
"""

from __future__ import annotations

import re

from grading_utils.errors import CourseError
from grading_utils.lms import moodle
from grading_utils.lms.matching import letters
from grading_utils.lms.sheets import Sheet

COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "student_id", "student", "sis login id", "username", "login", "sid", *moodle.COLUMNS["number"]),
    "first_name": ("first_name", "first name", "given name", "firstname", "Vorname", "Prénom", "Nombre", "Nome"),
    "last_name": ("last_name", "last name", "surname", "family name", "lastname", "Nachname", "Nom de famille", "Nom",
                  "Apellidos", "Cognome"),
    "email": ("email", "e-mail", "mail", *moodle.COLUMNS["email"]),
    "lms_user_id": ("lms_user_id", "lms id", "canvas id", "moodle id", "user id"),
}  # fmt: skip
"""What the columns of a roster may be called, whatever their case, by nbgrader's name."""

_NO_FOLDER = re.compile(r"[/\\\0+]|^\.|^\s*$")
_TEST_STUDENT = "studenttest"


def read_people(sheet: Sheet) -> dict[str, dict[str, str]]:
    """What a table says of each student, by id and nbgrader's names of columns; empty cells are left out.

    In Canvas's gradebook export the id is the login where there is one, and Canvas's own number becomes
    `lms_user_id`. Where a table has addresses but no ids (Moodle's), the address is the id.

    Raises:
        CourseError: There is nothing to take ids from, an id can't be a folder's name, or two rows have one id and
            disagree.
    """
    people: dict[str, dict[str, str]] = {}
    for id, told in _canvas(sheet) if _is_canvas(sheet) else _rows(sheet):
        if _NO_FOLDER.search(id):
            raise CourseError(f"{id!r} can't be the id of a student, since it can't name a folder", where=sheet.where)
        known = {key: text for key, text in told.items() if text}
        if people.setdefault(id, known) != known:
            raise CourseError(f"two rows have the id {id!r} and say different things of it", where=sheet.where)
    return people


def _is_canvas(sheet: Sheet) -> bool:
    return all(sheet.column(title) is not None for title in ("Student", "ID", "Section"))


def _canvas(sheet: Sheet) -> list[tuple[str, dict[str, str]]]:
    number, student = sheet.column("ID"), sheet.column("Student")
    logins = [sheet.column("SIS Login ID"), sheet.column("SIS User ID")]
    found = []
    for row in sheet.rows[1:]:
        own, name = sheet.cell(row, number), sheet.cell(row, student)
        if not own or letters(name) == _TEST_STUDENT:
            continue
        ids = [id for column in logins if (id := sheet.cell(row, column)) and not _NO_FOLDER.search(id)]
        last, _, first = (part.strip() for part in name.rpartition(",")) if "," in name else ("", "", name)
        found.append(((ids or [own])[0], {"first_name": first, "last_name": last, "lms_user_id": own}))
    return found


def _rows(sheet: Sheet) -> list[tuple[str, dict[str, str]]]:
    at = {key: sheet.column(*names) for key, names in COLUMNS.items()}
    whole = sheet.column(*moodle.COLUMNS["name"])
    if at["id"] is None and at["email"] is None:
        raise CourseError(
            f"has no column for ids (id) and none for addresses (email); there are: {', '.join(sheet.header)}",
            where=sheet.where,
        )
    found = []
    for row in sheet.rows[1:]:
        told = {key: sheet.cell(row, column) for key, column in at.items() if column is not None}
        id = told.pop("id", "") or told.get("email", "")
        if whole is not None and not told.get("first_name"):
            told["first_name"], _, told["last_name"] = sheet.cell(row, whole).rpartition(" ")
        if id:
            found.append((id, told))
    return found
