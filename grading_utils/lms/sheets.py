"""A table that another program wrote and that goes back to it with a few cells changed.

What is not changed stays as it was, to the byte: encoding, byte order mark, separator, quoting and line ends. Cells are
text; nothing is read as a number here.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path

from grading_utils.errors import CourseError, machine_trouble
from grading_utils.replacing import replace_file

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATORS = ",;\t"
_QUOTING = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)


@dataclass
class Sheet:
    """Rows of text cells, and how they were written.

    Attributes:
        rows: All rows, the header first; rows may differ in length.
        encoding: Python's name of the encoding.
        separator: Between cells.
        newline: Between rows.
        quoting: One of the `csv` module's constants.
        where: The file it was read from, for messages.
    """

    rows: list[list[str]]
    encoding: str = "utf-8"
    separator: str = ","
    newline: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL
    where: str = ""

    @classmethod
    def read(cls, path: Path) -> Sheet:
        """Read a CSV file as Canvas, Moodle, Gradescope or a spreadsheet writes it.

        Raises:
            CourseError: There is no such file, it is no text, or it is empty.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise machine_trouble(error) or CourseError(f"cannot be read: {error.strerror}", where=str(path)) from error
        encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            encoding = "cp1252"  # what older spreadsheets write in Western Europe and America
            text = content.decode(encoding, "replace")
        if not text.strip() or "\0" in text:
            raise CourseError("is empty, or no table of text (export it as CSV)", where=str(path))
        first = text.splitlines()[0]
        separator = max(_SEPARATORS, key=lambda mark: len(next(csv.reader([first], delimiter=mark))))
        newline = "\r\n" if "\r\n" in text else "\n"
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        sheet = cls(rows, encoding, separator, newline, where=str(path))
        sheet.quoting = next((way for way in _QUOTING if sheet._text(way) == text), csv.QUOTE_MINIMAL)
        return sheet

    @property
    def header(self) -> list[str]:
        """The first row."""
        return self.rows[0]

    def column(self, *names: str) -> int | None:
        """Index of the first column that has one of these names, whatever its case; None where there is none."""
        known = [title.strip().casefold() for title in self.header]
        return next((known.index(name.casefold()) for name in names if name.casefold() in known), None)

    def cell(self, row: list[str], column: int | None) -> str:
        """A cell without the guard that keeps spreadsheets from taking it for a formula; "" where there is none."""
        text = row[column].strip() if column is not None and column < len(row) else ""
        return text[2:-1] if text.startswith('="') and text.endswith('"') else text

    def put(self, row: list[str], column: int, text: str) -> bool:
        """Set a cell; returns whether that changed it."""
        row.extend([""] * (column + 1 - len(row)))
        changed = row[column] != text
        row[column] = text
        return changed

    def write(self, path: Path) -> None:
        """Write the table the way it was read; the file is replaced in one step."""
        try:
            replace_file(path, self._text(self.quoting).encode(self.encoding, "replace"))
        except OSError as error:
            wrong = CourseError(f"cannot be written: {error.strerror}", where=str(path))
            raise machine_trouble(error) or wrong from error

    def _text(self, quoting: int) -> str:
        rows = io.StringIO(newline="")
        csv.writer(rows, delimiter=self.separator, lineterminator=self.newline, quoting=quoting).writerows(  # type: ignore[arg-type]
            self.rows
        )
        return rows.getvalue()
