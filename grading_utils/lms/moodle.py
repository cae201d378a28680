"""Moodle by file: its offline grading worksheet is filled, its zip of submissions read, a zip of feedback made for it.

Formats as `mod_assign` writes and reads them (Moodle 4 and 5). Worksheets are in the teacher's language, so columns may
be named; identifiers and dates go back as they came, since Moodle compares them.
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

COLUMNS = {
    "identifier": ("Identifier", "ID", "Identificador", "Identifiant", "Identificativo", "Teilnehmer-ID"),
    "grade": ("Grade", "Bewertung", "Calificación", "Note", "Valutazione", "Nota", "Cijfer"),
    "maximum": ("Maximum grade", "Höchstwertung", "Beste Bewertung", "Calificación máxima", "Note maximale"),
    "name": ("Full name", "Vollständiger Name", "Nombre completo", "Nom complet", "Nome completo"),
    "email": ("Email address", "E-Mail-Adresse", "Dirección de correo", "Adresse de courriel", "E-mail"),
    "number": ("ID number", "ID-Nummer", "Número de ID", "Numéro d'identification", "Username", "Anmeldename"),
    "submitted": ("Last modified (submission)", "Zuletzt geändert (Abgabe)"),
}
"""What each column is called in languages that we know; another name is given with `--column KEY=NAME`."""

_NUMBER = re.compile(r"(\d+)\s*\Z")
_FOLDER = re.compile(r"\A(?P<name>.*)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?\Z", re.DOTALL)
_FLAT = re.compile(
    r"\A(?P<name>.*?)_(?P<id>\d+)_assignsubmission_(?:file_(?=.)|(?=onlinetext))(?P<file>.+)\Z", re.DOTALL
)
_TWICE = re.compile(r"\A(?P<what>.+) \(.+\)\Z")


@dataclass(frozen=True)
class Upload:
    """What the path of a file in Moodle's zip says.

    Attributes:
        name: The student's full name, or the group's.
        participant: The number of this student in this assignment, as in the worksheet.
        file: The path under which the student handed it in.
        prefix: What Moodle needs in front of a file to hand it back.
    """

    name: str
    participant: str
    file: PurePosixPath
    prefix: str


def read_upload(path: PurePosixPath) -> Upload | None:
    """Take apart `Jane Doe_123_assignsubmission_file/hw.ipynb` or its form without folders; None for other paths."""
    for depth, part in enumerate(path.parts):
        is_file = depth + 1 == len(path.parts)
        match = (_FLAT if is_file else _FOLDER).match(part)
        if match is not None:
            rest = PurePosixPath(match["file"]) if is_file else PurePosixPath(*path.parts[depth + 1 :])
            name = match["name"].replace("_", " ")
            return Upload(name, match["id"], rest, f"{match['name']}_{match['id']}_assignsubmission_file")
    return None


def feedback_name(upload: PurePosixPath, page: str) -> str:
    """The path under which Moodle hands a page of feedback to whoever handed in `upload`."""
    said = read_upload(upload)
    assert said is not None
    return f"{said.prefix}/{page}"


class Worksheet:
    """Moodle's worksheet of one assignment.

    Args:
        sheet: What Moodle exported.
        columns: Names of columns by key of `COLUMNS`, for other languages.

    Raises:
        CourseError: It has no identifiers or no grades.
    """

    def __init__(self, sheet: Sheet, columns: Mapping[str, str] | None = None) -> None:
        self.sheet = sheet
        named = columns or {}
        if unknown := set(named) - set(COLUMNS):
            raise CourseError(f"--column knows {', '.join(COLUMNS)}, not {', '.join(sorted(unknown))}")
        self._at = {"submitted": _first_of_two(sheet.header)} | {
            key: found
            for key, names in COLUMNS.items()
            if (found := sheet.column(*([named[key]] if key in named else names))) is not None
        }
        for key in COLUMNS:
            self._at.setdefault(key, None)
        for key in ("identifier", "grade"):
            if self._at[key] is None:
                raise CourseError(
                    f"has no column for the {key}; there are: {', '.join(sheet.header)}. "
                    f"Name it with --column '{key}=NAME'",
                    where=sheet.where,
                )
        self.rows = [row for row in sheet.rows[1:] if self.participant(row)]

    def participant(self, row: list[str]) -> str:
        """The number of a row's student in this assignment; "" where there is none."""
        match = _NUMBER.search(self.sheet.cell(row, self._at["identifier"]))
        return match[1] if match else ""

    def is_row_of(self, row: list[str], name: str) -> bool:
        """Can the row be of whom a download names so? A group's number may be another student's in the worksheet.

        Where names are hidden, the worksheet has none, or the download has what stands in front of the number.
        """
        ours, theirs = letters(self.sheet.cell(row, self._at["name"])), letters(name)
        hidden = letters(_NUMBER.sub("", self.sheet.cell(row, self._at["identifier"])))
        return ours in theirs or theirs == hidden

    def who(self, row: list[str]) -> tuple[list[str], str]:
        """What can identify a row's student: ids and addresses, and the name."""
        ids = [self.sheet.cell(row, self._at[key]) for key in ("number", "email")]
        return ids, self.sheet.cell(row, self._at["name"])

    def submitted(self, row: list[str]) -> str:
        """When the row's student handed in, in Moodle's words; "" where that is not there."""
        text = self.sheet.cell(row, self._at["submitted"])
        return "" if text == "-" else text

    def fill_scores(self, standings: Sequence[Standing], roster: Roster, choices: Choices) -> Filled:
        """Fill in one assignment's scores, in place.

        Raises:
            CourseError: There is no row for a student, or Moodle gives the assignment other points.
        """
        column, maximum = self._at["grade"], self._at["maximum"]
        assert column is not None
        numbers = [self.sheet.cell(row, index) for row in self.rows for index in (column, maximum)]
        comma = any("," in number for number in numbers)
        limits = {number for row in self.rows if (number := _number(self.sheet.cell(row, maximum))) is not None}
        if len(limits) > 1 or (maximum is not None and not limits):
            raise CourseError("is graded with a scale; give the assignment points in Moodle", where=self.sheet.where)
        limit = limits.pop() if limits else None
        check_limit(standings[0].assignment if standings else "", limit, standings, choices)

        def put(row: list[str], score: float) -> bool:
            written = points(score)
            if _number(self.sheet.cell(row, column)) == float(written):
                return False
            return self.sheet.put(row, column, written.replace(".", ",") if comma else written)

        return fill(self.rows, self.who, put, standings, roster, limit, choices)


def _first_of_two(header: Sequence[str]) -> int | None:
    """The column of the submission's date: in every language it is the first of "Last modified (…)", "… (…)"."""
    whats = [match["what"] if (match := _TWICE.match(title)) else None for title in header]
    return next((index for index, what in enumerate(whats) if what is not None and what in whats[index + 1 :]), None)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
