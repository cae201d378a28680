"""Canvas by file: its gradebook export is filled, its zip of submissions read, a zip of feedback made for it.

Formats as Canvas's own exporter, importer and zipper write and read them (canvas-lms, 2026). Rows are found by what
stands in them, never by their number; every column that is no score of ours goes back as it came.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from grading_utils.errors import CourseError
from grading_utils.lms.filling import Choices, Filled, check_limit, fill
from grading_utils.lms.matching import Roster, letters
from grading_utils.lms.sheets import Sheet
from grading_utils.reporting.standings import Standing
from grading_utils.results import points

_TITLE = re.compile(r"\A(?P<title>.*)\s\((?P<id>\d+)\)\Z", re.DOTALL)
_UPLOAD = re.compile(
    r"\A(?P<name>[^/]*?)(?:_(?P<late>LATE))?_(?P<user>\d+)_(?P<attachment>\d+)_(?P<file>.+)\Z", re.DOTALL
)
_ANONYMOUS = re.compile(r"\A(?:(?P<late>LATE)_)?anon_(?P<user>[^_]+)_(?P<attachment>\d+)_(?P<file>.+)\Z", re.DOTALL)
_ENTRY = re.compile(r"\A(?P<name>[^/]*?)(?:_(?P<late>LATE))?_(?P<user>\d+)_(?P<file>(?:text|link)\.html)\Z", re.DOTALL)
_DROPPED = re.compile(r"(Current|Final) (Score|Points|Grade)|Override (Score|Status|Grade)")
"""Canvas passes over a column with such a title when it imports, whatever else is in it."""
_EXCUSED = ("EX", "N/A")


@dataclass(frozen=True)
class Upload:
    """What the name of a file in Canvas's zip says.

    Attributes:
        name: The student's last and first name in lower-case letters; a group's name; "" where anonymous.
        user: The student's number in Canvas, of a representative for a group; an anonymous id.
        attachment: The number under which feedback finds its way back; "" for a text or link typed into Canvas.
        file: The name under which the student handed it in.
    """

    name: str
    user: str
    attachment: str
    file: str
    is_late: bool
    is_anonymous: bool = False


def read_upload(path: PurePosixPath) -> Upload | None:
    """Take apart a name such as `doejane_LATE_4711_90210_04-next-token.ipynb`; None where it is not of this form."""
    if match := _ANONYMOUS.match(path.name):
        return Upload("", match["user"], match["attachment"], match["file"], bool(match["late"]), is_anonymous=True)
    if match := _UPLOAD.match(path.name):
        return Upload(match["name"], match["user"], match["attachment"], match["file"], bool(match["late"]))
    if match := _ENTRY.match(path.name):
        return Upload(match["name"], match["user"], "", match["file"], bool(match["late"]))
    return None


def feedback_name(upload: PurePosixPath, page: str) -> str:
    """The name under which Canvas hands a page of feedback to whoever handed in `upload`."""
    said = read_upload(upload)
    assert said is not None
    return upload.name.removesuffix(said.file) + page


def fill_scores(
    sheet: Sheet, standings: Sequence[Standing], columns: Mapping[str, str], roster: Roster, choices: Choices
) -> dict[str, Filled]:
    """Fill Canvas's exported gradebook, in place.

    Args:
        sheet: What Canvas exported.
        standings: Of the assignments to fill in.
        columns: For assignments that have another title in Canvas: title or whole header by assignment.
        roster: Everybody in the course.
        choices: What the instructor wants.

    Returns:
        What was done, by assignment.

    Raises:
        CourseError: The table is not Canvas's, has no column for an assignment or no row for a student, or other
            points. The table may then be half filled.
    """
    student, ids = sheet.column("Student", "\ufeffStudent"), sheet.column("ID")
    if ids is None or sheet.column("Section") is None:
        raise CourseError("is not a gradebook exported from Canvas (it needs ID and Section)", where=sheet.where)
    more = [sheet.column(title) for title in ("SIS User ID", "SIS Login ID", "Integration ID")]
    rows = [row for row in sheet.rows[1:] if sheet.cell(row, ids)]
    filled = {}
    for assignment in dict.fromkeys(standing.assignment for standing in standings):
        ours = [standing for standing in standings if standing.assignment == assignment]
        column = _column(sheet, assignment, columns.get(assignment, assignment))
        _require_importable(sheet, column)
        limit = _points_possible(sheet, column)
        check_limit(assignment, limit, ours, choices)

        def who(row: list[str]) -> tuple[list[str], str]:
            return [sheet.cell(row, index) for index in (ids, *more)], sheet.cell(row, student)

        def put(row: list[str], score: float, column: int = column) -> bool:
            return sheet.cell(row, column).upper() not in _EXCUSED and _put_score(sheet, row, column, score)

        filled[assignment] = fill(rows, who, put, ours, roster, limit, choices)
    return filled


def _put_score(sheet: Sheet, row: list[str], column: int, score: float) -> bool:
    """Write a score where it is not there already in another spelling (`8.00`, `8,00`)."""
    written = points(score)
    if _number(sheet.cell(row, column)) == float(written):
        return False
    return sheet.put(row, column, written)


def _column(sheet: Sheet, assignment: str, wanted: str) -> int:
    """The column of an assignment: by whole header, by title, or by the title's letters and digits."""
    titles = [match["title"] if (match := _TITLE.match(header)) else header for header in sheet.header]
    for names, key in ((sheet.header, str), (titles, str), (titles, letters)):
        found = [index for index, name in enumerate(names) if key(name) == key(wanted)]
        if len(found) == 1:
            return found[0]
    there = ", ".join(header for header in sheet.header if _TITLE.match(header))
    raise CourseError(
        f"no one column for {wanted!r}; there are: {there or 'none'}. Name it with --column '{assignment}=TITLE'",
        where=sheet.where,
    )


def _require_importable(sheet: Sheet, column: int) -> None:
    title = sheet.header[column]
    if _DROPPED.search(title):
        raise CourseError(f"Canvas imports no column with such a title: rename {title!r} there", where=sheet.where)
    if "read only" in sheet.cell(_points_row(sheet), column).casefold():
        raise CourseError(f"Canvas says that {title!r} is read only", where=sheet.where)


def _points_possible(sheet: Sheet, column: int) -> float | None:
    return _number(sheet.cell(_points_row(sheet), column))


def _points_row(sheet: Sheet) -> list[str]:
    return next((row for row in sheet.rows[1:4] if row and row[0].strip().startswith("Points Possible")), [])


def _number(text: str) -> float | None:
    """A number as Canvas writes it: the last comma or point is the decimal sign."""
    whole, sign, decimals = text.replace(",", ".").rpartition(".")
    try:
        return float(whole.replace(".", "") + sign + decimals)
    except ValueError:
        return None
