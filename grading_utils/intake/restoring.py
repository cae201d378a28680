"""Put every instructor-owned cell of a submission back, and every student-owned cell in its place.

The result is built from the *bundle*: its order, its metadata, its tests, its points. From the submission come only
the texts of solution cells (found by `grade_id`) and of cells that the student added. So nothing that a student can
edit about cells (tags, ids, points, types, order, locks) has any effect on grading. Whatever had to be put right is
noted in words.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import grade_id, is_graded, is_instructor_owned


@dataclass
class Restored:
    """A submission ready to be graded.

    Attributes:
        notebook: All cells in the bundle's order, student's own cells after the managed cell they followed.
        attention: Notes that need a person (an answer may be missing or ambiguous).
        repairs: Notes on what was put back without any effect on the student's answers.
    """

    notebook: Any
    attention: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)


def restore(submitted: Any, bundle: NotebookBundle) -> Restored:
    """Rebuild a submitted notebook on the instructor's.

    Args:
        submitted: A notebook from `reading.read_notebook`.
        bundle: The notebook of the assignment that it answers.
    """
    claims, extras = _sort_out(submitted, bundle)
    restored = Restored(_empty_like(bundle))
    cells = restored.notebook.cells
    cells.extend(_extra_cells(extras[None]))
    taken = {cell.id for cell in bundle.cells if "id" in cell}
    for name, master in bundle.managed.items():
        cell = copy.deepcopy(master)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        answers = claims[name]
        if is_instructor_owned(master):
            _note_instructor_cell(name, bundle, answers, restored)
        elif not answers:
            restored.attention.append(f"the answer cell {name} is missing")
        else:
            chosen = _choose(name, master, answers, restored)
            cell.source = chosen.source
            if "attachments" in chosen:
                cell["attachments"] = chosen.attachments
            if chosen.cell_type != master.cell_type:
                restored.repairs.append(f"{name} had been turned into a {chosen.cell_type} cell")
        cells.append(cell)
        cells.extend(_extra_cells(extras[name]))
    if _order_changed(submitted, bundle):
        restored.repairs.append("cells had been moved and were put back in order")
    _give_ids(cells, taken)
    return restored


def _sort_out(submitted: Any, bundle: NotebookBundle) -> tuple[dict[str, list[Any]], dict[str | None, list[Any]]]:
    """Cells that claim to be a managed one, by name; and all others, by the managed cell they come after."""
    claims: dict[str, list[Any]] = defaultdict(list)
    extras: dict[str | None, list[Any]] = defaultdict(list)
    anchor: str | None = None
    for cell in submitted.cells:
        name = grade_id(cell)
        if name is not None and name in bundle.managed:
            claims[name].append(cell)
            anchor = name
        else:
            extras[anchor].append(cell)
    return claims, extras


def _note_instructor_cell(name: str, bundle: NotebookBundle, answers: list[Any], restored: Restored) -> None:
    master = bundle.managed[name]
    if not answers:
        if is_graded(master):
            restored.repairs.append(f"the test cell {name} had been deleted and was put back")
        return
    if any(
        answer.source != bundle.grammar.released(master.source) and answer.source != master.source for answer in answers
    ):
        what = "test" if is_graded(master) else "locked"
        restored.repairs.append(f"the {what} cell {name} was not as released and was put back")
    if len(answers) > 1:
        restored.repairs.append(f"{name} stood {len(answers)} times in the notebook")
    points = master.metadata.nbgrader.get("points")
    if any(answer.metadata.nbgrader.get("points", points) != points for answer in answers):
        restored.repairs.append(f"the points of {name} had been changed and were put back")


def _choose(name: str, master: Any, answers: list[Any], restored: Restored) -> Any:
    """The one cell that counts: the first that differs from the release, else the first."""
    answered = [answer for answer in answers if answer.source != master.source]
    distinct = {answer.source for answer in answered}
    if len(distinct) > 1:
        restored.attention.append(
            f"the answer cell {name} stands {len(answers)} times with different answers; the first one was graded"
        )
    elif len(answers) > 1:
        restored.repairs.append(f"{name} stood {len(answers)} times in the notebook")
    return (answered or answers)[0]


def _order_changed(submitted: Any, bundle: NotebookBundle) -> bool:
    seen: dict[str, None] = {}
    for cell in submitted.cells:
        name = grade_id(cell)
        if name in bundle.managed:
            seen.setdefault(str(name))
    return list(seen) != [name for name in bundle.managed if name in seen]


def _extra_cells(cells: list[Any]) -> list[Any]:
    extras = []
    for cell in cells:
        extra = copy.deepcopy(cell)
        extra.metadata = NotebookNode()
        extras.append(extra)
    return extras


def _give_ids(cells: list[Any], taken: set[str]) -> None:
    """Ids for cells that have none of the instructor's: numbered, so that grading twice gives the same bytes."""
    number = 0
    for cell in cells:
        if "nbgrader" not in cell.metadata or "id" not in cell:
            number += 1
            while f"cell-{number}" in taken:
                number += 1
            cell["id"] = f"cell-{number}"


def _empty_like(bundle: NotebookBundle) -> Any:
    return NotebookNode(nbformat=4, nbformat_minor=5, metadata=NotebookNode(copy.deepcopy(bundle.metadata)), cells=[])
