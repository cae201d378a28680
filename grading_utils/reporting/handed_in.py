"""What each student changed since the release: which answers, which cells they added.

Reads `autograded/`, where instructors' cells stand as in `source/` again, and `release/`. A file that cannot be read
tells nothing; it is never an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grading_utils.course.cells import grade_id, nbgrader_metadata
from grading_utils.course.course import Course


@dataclass(frozen=True)
class Work:
    """What one student made of an assignment.

    Attributes:
        answered: Answer cells whose text is not that of the release.
        untouched: Answer cells that are as they were handed out.
        added: How many cells the student added.
        code: The student's own code: answers and added cells.
    """

    answered: tuple[str, ...]
    untouched: tuple[str, ...]
    added: int
    code: str


@dataclass(frozen=True)
class Handed:
    """An assignment's release, and what the class made of it, by student."""

    released: str
    work: dict[str, Work]


def handed_in(course: Course, assignment: str, students: Iterable[str]) -> Handed:
    """Compare what students handed in with the release.

    Args:
        course: The course.
        assignment: The assignment.
        students: Whose graded notebooks to read; those that have none are left out.
    """
    cells = [cell for path in sorted(course.release(assignment).glob("*.ipynb")) for cell in _cells(path)]
    released = {str(grade_id(cell)): _source(cell).strip() for cell in cells if _is_answer(cell)}
    prose = {_source(cell).strip() for cell in cells if grade_id(cell) is None}
    work = {}
    for student in students:
        folder = course.autograded(assignment, student)
        found = [cell for path in sorted(folder.glob("*.ipynb")) for cell in _cells(path)]
        if any(_is_answer(cell) for cell in found):
            work[student] = _work(found, released, prose)
    return Handed("\n".join(_source(cell) for cell in cells if cell.get("cell_type") == "code"), work)


def _work(cells: list[dict[str, Any]], released: dict[str, str], prose: set[str]) -> Work:
    answers = {str(grade_id(cell)): cell for cell in cells if _is_answer(cell)}
    added = [cell for cell in cells if grade_id(cell) is None and _source(cell).strip() not in {*prose, ""}]
    own = [cell for cell in (*answers.values(), *added) if cell.get("cell_type") == "code"]
    same = tuple(name for name, cell in answers.items() if released.get(name) == _source(cell).strip())
    return Work(
        answered=tuple(name for name in answers if name not in same),
        untouched=same,
        added=len(added),
        code="\n".join(_source(cell) for cell in own),
    )


def _cells(path: Path) -> list[dict[str, Any]]:
    try:
        cells = json.loads(path.read_bytes())["cells"]
        return [cell for cell in cells if isinstance(cell, dict) and isinstance(cell.get("metadata"), dict)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _is_answer(cell: dict[str, Any]) -> bool:
    return grade_id(cell) is not None and bool(nbgrader_metadata(cell).get("solution"))
