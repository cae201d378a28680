"""The answers of an assignment as a table for a spreadsheet: one row for each group of answers that are alike.

A person fills in score and comment. Each row remembers which texts it showed, so that what is filled in never counts
for a text that nobody read. No cell can be taken for a formula, whatever students wrote.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grading_utils.errors import CourseError
from grading_utils.lms.sheets import Sheet
from grading_utils.marking.alike import Group
from grading_utils.marking.answers import Key, Question

COLUMNS = (
    "question", "points", "count", "students", "answer", "score", "comment", "given", "model answer",
    "assignment", "notebook", "versions",
)  # fmt: skip
MAX_CELL = 30_000
"""Spreadsheets hold no more than 32,767 characters in a cell."""

_RISKY = re.compile(r"[' ]*[=+\-@\t\r\n|%]")
"""What a spreadsheet may take for a formula, and what would look like a text that was guarded already."""


@dataclass(frozen=True)
class Mark:
    """What a person gives one student for one question, and the versions of the answer that they saw.

    Attributes:
        score: None where only a comment is given.
        comment: "" where none is.
    """

    notebook: str
    question: str
    student: str
    score: float | None
    comment: str
    versions: frozenset[str]


def write_sheet(path: Path, assignment: str, groups: Iterable[tuple[Question, Group]]) -> int:
    """Write a row for each group.

    Score and comment stand there already where people gave one and the same to all of a group that they graded;
    otherwise `given` says what they gave, and to whom.

    Returns:
        The number of rows.

    Raises:
        CourseError: The file cannot be written.
    """
    rows = [_row(assignment, question, group) for question, group in groups]
    Sheet([list(COLUMNS), *rows], newline="\r\n", encoding="utf-8-sig").write(path)  # the mark is for Excel
    return len(rows)


def _row(assignment: str, question: Question, group: Group) -> list[str]:
    given = list(group.given.items())
    score, comment = given[0][0] if len(given) == 1 else (None, "")
    told = [f"{score:g} ({', '.join(students)})" for (score, _), students in given]
    earlier = [f"{a.score:g} for an earlier answer ({a.student})" for a in group.waiting if a.score is not None]
    cells = {
        "question": guarded(question.name),
        "points": f"{group.answers[0].points:.10g}",
        "count": str(len(group.answers)),
        "students": _guarded_names([answer.student for answer in group.answers]),
        "answer": guarded(_shown(group)),
        "score": "" if score is None else f"{score:.10g}",
        "comment": guarded(comment),
        "given": guarded("\n".join([*told, *earlier])),
        "model answer": guarded(question.model_answer[:MAX_CELL]),
        "assignment": guarded(assignment),
        "notebook": guarded(question.notebook),
        "versions": " ".join(dict.fromkeys(f"v{answer.version}" for answer in group.answers)),
    }
    return [cells[name] for name in COLUMNS]


def _shown(group: Group) -> str:
    """All wordings of a group, as far as a cell has room."""
    text = "\n\n--- or, with the same words: ---\n\n".join(group.wordings) or "(nothing)"
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}\n… (the rest is in the formgrader)"


def read_sheet(path: Path) -> tuple[str, list[Mark]]:
    """Read what a person filled in; rows with neither score nor comment say nothing.

    Returns:
        The assignment, and a mark for each student.

    Raises:
        CourseError: It is no sheet of ours, a score is no number or not between 0 and the points of its question, or
            a student has two different marks for one question. Names the row.
    """
    sheet = Sheet.read(path)
    places = {name: sheet.column(name) for name in COLUMNS}
    if missing := [name for name, place in places.items() if place is None and name not in ("count", "given")]:
        raise CourseError(f"is no sheet of `grading-utils answers`: no column {missing[0]!r}", where=str(path))
    marks: dict[Key, Mark] = {}
    assignments = set()
    for number, row in enumerate(sheet.rows[1:], start=2):
        cells = {name: row[place] if place is not None and place < len(row) else "" for name, place in places.items()}
        score, comment = cells["score"].strip(), unguarded(cells["comment"]).strip()
        if not score and not comment:
            continue
        where = f"{path}, row {number}"
        assignments.add(unguarded(cells["assignment"]))
        given = _score(score, cells["points"], where) if score else None
        versions = frozenset(word.removeprefix("v") for word in cells["versions"].split())
        for student in _names(cells["students"]):
            mark = Mark(unguarded(cells["notebook"]), unguarded(cells["question"]), student, given, comment, versions)
            key = (mark.notebook, mark.question, student)
            if key in marks and (marks[key].score, marks[key].comment) != (mark.score, mark.comment):
                raise CourseError(
                    f"{student} has another score or comment for {mark.question} in a row above: take the name out of "
                    "one of the two",
                    where=where,
                )
            marks[key] = mark
    if len(assignments) > 1:
        raise CourseError(f"has rows of {len(assignments)} assignments; one sheet is of one", where=str(path))
    return next(iter(assignments), ""), list(marks.values())


def _score(text: str, points: str, where: str) -> float:
    try:
        score, most = float(text.replace(",", ".")), float(points.replace(",", "."))
    except ValueError as error:
        raise CourseError(f"the score {text!r} is no number", where=where) from error
    if not math.isfinite(score) or not 0 <= score <= most:
        raise CourseError(f"the score {text} is not between 0 and {points}", where=where)
    return score


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula; `unguarded` gives it back."""
    text = text.replace("\0", "�")
    return f"'{text}" if _RISKY.match(text) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given, also where nothing had to be guarded."""
    return text[1:] if text.startswith("'") and _RISKY.match(text[1:]) else text


def _guarded_names(names: list[str]) -> str:
    """One name a line; with a quote before what a spreadsheet would make a number or a date of (0012, 1e5, mar1)."""
    text = "\n".join(names)
    return f"'{text}" if _RISKY.match(text) or (len(names) == 1 and re.search(r"\d", text)) else text


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.strip().removeprefix("'").splitlines() if name.strip()]
