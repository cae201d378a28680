"""Compare two gradebooks of the same course, cell by cell: stock nbgrader's and ours, or before and after a change.

Reads both; neither is changed. Students, assignments and cells are matched by their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from nbgrader.api import BaseCell, Grade, Notebook, SubmittedAssignment, SubmittedNotebook
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from grading_utils.errors import CourseError

Key = tuple[str, str, str, str]
"""Assignment, student, notebook, cell."""


class Kind(StrEnum):
    """How two gradebooks agree on one cell."""

    SAME = "same"
    BELOW = "below"
    """The second has fewer points."""
    ABOVE = "above"
    OPEN = "open"
    """The second waits for a person where the first has points."""
    CLOSED = "closed"
    """The first waits for a person where the second has points."""
    ONLY_FIRST = "only in the first"
    ONLY_SECOND = "only in the second"


@dataclass(frozen=True)
class Difference:
    """One cell of one submission in both gradebooks; None stands for points that a person has to give."""

    assignment: str
    student: str
    notebook: str
    cell: str
    kind: Kind
    first: float | None = None
    second: float | None = None


def compare(first: Path | str, second: Path | str, *, manual: bool = True) -> list[Difference]:
    """Every cell that either gradebook has, sorted by assignment, student, notebook and cell.

    Args:
        first: An nbgrader gradebook: an SQLite file, or the address of a database.
        second: The one to compare with it.
        manual: Whether points that a person gave count; otherwise automatic ones alone are compared.

    Raises:
        CourseError: One of the files is no gradebook.
    """
    before, after = _scores(first, manual), _scores(second, manual)
    return [_difference(key, before, after) for key in sorted(before.keys() | after.keys())]


def counts(differences: Sequence[Difference]) -> dict[Kind, int]:
    """How many cells there are of each kind; kinds without any are left out."""
    found = {kind: sum(difference.kind is kind for difference in differences) for kind in Kind}
    return {kind: count for kind, count in found.items() if count}


def _difference(key: Key, before: dict[Key, float | None], after: dict[Key, float | None]) -> Difference:
    if key not in after:
        return Difference(*key, Kind.ONLY_FIRST, first=before[key])
    if key not in before:
        return Difference(*key, Kind.ONLY_SECOND, second=after[key])
    first, second = before[key], after[key]
    if first is None or second is None:
        kind = Kind.SAME if first is second else Kind.OPEN if second is None else Kind.CLOSED
    elif abs(first - second) <= 1e-9:
        kind = Kind.SAME
    else:
        kind = Kind.BELOW if second < first else Kind.ABOVE
    return Difference(*key, kind, first, second)


def _scores(where: Path | str, manual: bool) -> dict[Key, float | None]:
    address, name = _address(where)
    engine = create_engine(address)
    try:  # without nbgrader's own way of opening one, which would make what is not there
        with Session(engine) as session:
            return dict(_read(session, manual))
    except Exception as error:
        raise CourseError(f"is no gradebook of this version of nbgrader: {error}", where=name) from error
    finally:
        engine.dispose()


def _address(where: Path | str) -> tuple[str, str]:
    """A gradebook's address, and what to call it."""
    if isinstance(where, str) and "://" in where:
        return where, make_url(where).render_as_string()
    path = Path(where)
    if not path.is_file():
        raise CourseError("there is no such gradebook", where=str(path))
    return f"sqlite:///file:{quote(str(path.resolve()))}?mode=ro&uri=true", str(path)


def _read(session: Session, manual: bool) -> Iterator[tuple[Key, float | None]]:
    rows = (
        session.query(SubmittedAssignment, Notebook.name, Grade, BaseCell.name)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
    )
    for submission, notebook, grade, cell in rows:
        yield (submission.assignment.name, submission.student_id, notebook, cell), _points(grade, manual)


def _points(grade: Grade, manual: bool) -> float | None:
    if not manual:
        return None if grade.auto_score is None else float(grade.auto_score)
    if grade.auto_score is None and grade.manual_score is None:
        return None
    return float(grade.score)
