"""What students were given: the cells of the release, and of the releases that it has replaced.

A test that its author has changed since must not look as if a student had changed it. So a submission is compared
with every version of a cell that is still known, not only with today's source. Releases that `nbgrader
generate_assignment` replaces are not remembered. Reads instructors' files only.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.cells import grade_id, nbgrader_metadata
from grading_utils.course.course import OWN_FOLDER, Course
from grading_utils.course.regions import Grammar
from grading_utils.replacing import replace_file


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


def releases(course: Course, assignment: str, name: str) -> tuple[Path, ...]:
    """The released notebook of that name, and those that it has replaced; they need not exist."""
    path = course.release(assignment) / f"{name}.ipynb"
    return path, *sorted(_replaced(course, assignment, path.name).glob("*.ipynb"))


def remember_release(course: Course, assignment: str, fresh: Path) -> None:
    """Keep the notebooks of a release that another one is about to replace, each content once.

    Args:
        course: The course.
        assignment: Whose release.
        fresh: The folder of the new release.
    """
    for path in sorted(course.release(assignment).glob("*.ipynb")):
        content, new = path.read_bytes(), fresh / path.name
        if not new.exists() or new.read_bytes() != content:
            kept = _replaced(course, assignment, path.name) / f"{hashlib.sha256(content).hexdigest()[:16]}.ipynb"
            replace_file(kept, content)


def _replaced(course: Course, assignment: str, file_name: str) -> Path:
    return course.root / OWN_FOLDER / "released" / assignment / file_name


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
