"""Bringing a gradebook that holds grades up to date with a notebook whose cells were added, renamed or removed.

nbgrader refuses that. Here a renamed cell keeps its grades, a new one waits until everybody is graded again, and a
removed one goes with its automatic scores; whatever a person gave or wrote is never dropped.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from nbgrader.api import Comment, Grade, Gradebook, GradeCell, Notebook, SolutionCell, SourceCell, TaskCell
from nbgrader.utils import is_grade, is_solution, is_task

from grading_utils.course.bundle import NotebookBundle
from grading_utils.errors import CourseError

_ALIKE = 0.9
"""How much of a cell's text has to be the same for a new name to be a renamed cell."""

_KINDS: tuple[tuple[Any, Any], ...] = ((GradeCell, is_grade), (SolutionCell, is_solution), (TaskCell, is_task))


def migrate(gradebook: Gradebook, stored: Notebook, notebook: NotebookBundle) -> list[str]:
    """Make the gradebook's cells of a notebook those that it has now.

    Args:
        gradebook: The open gradebook; nothing is committed where this raises.
        stored: The notebook as the gradebook knows it.
        notebook: The notebook as it is now.

    Returns:
        What changed, in sentences for the instructor.

    Raises:
        CourseError: A removed cell has points or a comment that a person gave; names it.
    """
    known = {cell.name: cell for cell in stored.source_cells}
    renamed = _renamed(known, notebook.managed)
    said = [f"{old} is called {new} now; its grades were kept" for old, new in renamed.items()]
    everything: list[Any] = [*stored.source_cells, *stored._base_cells]
    for cell in everything:
        cell.name = renamed.get(cell.name, cell.name)
    gradebook.db.flush()
    for kind, belongs in _KINDS:
        wanted = {name: cell for name, cell in notebook.managed.items() if belongs(cell)}
        there = {cell.name: cell for cell in stored._base_cells if type(cell) is kind}
        for name in sorted(there.keys() - wanted.keys()):
            _remove(gradebook, there[name], notebook.name)
            said.append(f"{name} is no {_word(kind)} any more; its automatic scores were dropped")
        for name in [name for name in wanted if name not in there]:
            _add(gradebook, stored, kind, name, wanted[name])
            if kind is not SolutionCell:
                said.append(f"{name} is new; grade everybody again to give points for it")
        for name in wanted.keys() & there.keys():
            if kind is not SolutionCell and there[name].max_score != (points := _points(wanted[name])):
                said.append(f"{name} is worth {points:g} points now, not {there[name].max_score:g}")
    for cell in [cell for cell in stored.source_cells if cell.name not in notebook.managed]:
        stored.source_cells.remove(cell)
        gradebook.db.delete(cell)
    present = {cell.name for cell in stored.source_cells}
    for name in [name for name in notebook.managed if name not in present]:
        stored.source_cells.append(SourceCell(name=name, cell_type=notebook.managed[name].cell_type))
    gradebook.db.flush()
    return said


def _renamed(known: Mapping[str, SourceCell], managed: Mapping[str, Any]) -> dict[str, str]:
    """New names by old ones: of cells that are gone, each with the one new cell that is most like it."""
    gone, new = [name for name in known if name not in managed], [name for name in managed if name not in known]
    found: dict[str, str] = {}
    for old in gone:
        alike = {name: _likeness(known[old], managed[name]) for name in new if name not in found.values()}
        best = max(alike, key=lambda name: alike[name], default=None)
        if best is not None and alike[best] >= _ALIKE and list(alike.values()).count(alike[best]) == 1:
            found[old] = best
    return found


def _likeness(old: SourceCell, new: Any) -> float:
    if old.cell_type != new.cell_type:
        return 0.0
    return difflib.SequenceMatcher(None, old.source or "", new.source, autojunk=False).ratio()


def _remove(gradebook: Gradebook, cell: Any, notebook: str) -> None:
    by_hand = [
        row
        for row in (*(cell.grades or ()), *(cell.comments or ()))
        if getattr(row, "manual_score", None) is not None
        or getattr(row, "extra_credit", None) is not None
        or getattr(row, "manual_comment", None)
    ]
    if by_hand:
        raise CourseError(
            f"{cell.name} is gone, and {len(by_hand)} students have points or a comment there that a person gave: put "
            "the cell back, or clear these in the formgrader first",
            where=f"{notebook}.ipynb",
        )
    for row in (*(cell.grades or ()), *(cell.comments or ())):
        gradebook.db.delete(row)
    gradebook.db.flush()
    cell.notebook._base_cells.remove(cell)
    gradebook.db.delete(cell)
    gradebook.db.flush()


def _add(gradebook: Gradebook, stored: Notebook, kind: Any, name: str, cell: Any) -> None:
    details = {} if kind is SolutionCell else {"max_score": _points(cell), "cell_type": cell.cell_type}
    made = kind(name=name, notebook=stored, **details)
    gradebook.db.add(made)
    for submission in stored.submissions:
        if kind is not SolutionCell:
            gradebook.db.add(Grade(cell=made, notebook=submission))
        if kind is not GradeCell:
            gradebook.db.add(Comment(cell=made, notebook=submission))
    gradebook.db.flush()


def _points(cell: Any) -> float:
    return float(cell.metadata.nbgrader["points"])


def _word(kind: Any) -> str:
    return "answer" if kind is SolutionCell else "graded cell"
