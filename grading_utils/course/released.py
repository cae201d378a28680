"""What students were given: the cells of the release, and of what the gradebook knew before.

A test that its author has changed since must not look as if a student had changed it. So a submission is compared
with every version of a cell that is still known, not only with today's source. Reads instructors' files only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.cells import grade_id, nbgrader_metadata
from grading_utils.course.regions import Grammar


@dataclass(frozen=True)
class ReleasedCell:
    """One version of a cell as a student may have got it."""

    source: str
    points: float | None = None
    id: str | None = None


@dataclass(frozen=True)
class ReleasedNotebook:
    """One version of a notebook.

    Attributes:
        managed: The cells that nbgrader manages, by `grade_id`.
        prose: Texts of all other cells.
    """

    managed: dict[str, ReleasedCell] = field(default_factory=dict)
    prose: tuple[str, ...] = ()

    @classmethod
    def of(cls, cells: Iterable[Any], grammar: Grammar) -> ReleasedNotebook:
        """The version that students get of these cells."""
        managed, prose = {}, []
        for cell in cells:
            if (name := grade_id(cell)) is None:
                prose.append(cell.source)
            else:
                managed[name] = ReleasedCell(grammar.released(cell.source), points(cell), cell.get("id"))
        return cls(managed, tuple(prose))


def read_release(path: Path, grammar: Grammar) -> ReleasedNotebook:
    """A released notebook; empty where it was not released or can't be read."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # nbformat raises whatever its input makes it raise, and a broken release is not graded
        return ReleasedNotebook()
    return ReleasedNotebook.of(notebook.cells, grammar)


def points(cell: Any) -> float | None:
    """What a cell says that it is worth."""
    claimed = nbgrader_metadata(cell).get("points")
    return float(claimed) if isinstance(claimed, int | float) and not isinstance(claimed, bool) else None


def plain_text(text: str) -> str:
    """A text as a reader sees it, whatever an editor made of ends of lines, blanks and accents in it."""
    lines = unicodedata.normalize("NFC", text).replace("\N{NO-BREAK SPACE}", " ").rstrip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def same_text(one: str, other: str) -> bool:
    """Is it the same to a reader?"""
    return plain_text(one) == plain_text(other)
