"""Put every instructor-owned cell of a submission back, and every student-owned cell in its place.

The result is built from the *bundle*: its order, its metadata, its tests, its points. From the submission come only
the texts of solution cells (which these are is found out in `matching`), of their copies, and of cells that the
student added. So nothing that a student can edit about cells (tags, ids, points, types,
order, locks) has any effect on grading, and nothing that a student wrote is lost. Whatever had to be put right is
noted in words.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Any

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import grade_id, is_graded, is_graded_by_hand, is_instructor_owned
from grading_utils.course.released import ReleasedCell, plain_text, points, same_text
from grading_utils.intake.matching import match

_QUOTES = ("'", '"')
_STATEMENTS = ("import", "from", "for", "while", "if", "return", "del", "assert", "class", "def", "with")
_MISSING = "# This answer cell was missing in what was handed in."


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


@dataclass
class _Sorted:
    """The cells of a submission by what they are.

    Attributes:
        chosen: The one cell that stands for a managed cell, by its name.
        extras: All others that the student has written, by the managed cell they come after.
    """

    chosen: dict[str, Any] = field(default_factory=dict)
    extras: dict[str | None, list[Any]] = field(default_factory=lambda: defaultdict(list))


def restore(submitted: Any, bundle: NotebookBundle) -> Restored:
    """Rebuild a submitted notebook on the instructor's.

    Args:
        submitted: A notebook from `reading.read_notebook`.
        bundle: The notebook of the assignment that it answers.

    Raises:
        SubmissionError: It is the notebook of another assignment.
    """
    matching = match(submitted.cells, bundle)
    restored, names = Restored(_empty_like(bundle), matching.attention, matching.repairs), matching.names
    found = _sort_out(submitted, names, bundle, restored)
    cells = restored.notebook.cells
    cells.extend(_extra_cells(found.extras[None]))
    taken = {cell.id for cell in bundle.cells if "id" in cell}
    for name, master in bundle.managed.items():
        cell = copy.deepcopy(master)
        chosen = found.chosen.get(name)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = chosen.get("outputs", []) if chosen else [], None
        if is_instructor_owned(master):
            _note_instructor_cell(name, bundle, chosen, restored)
        elif chosen is None:
            why = ": it is new since the release" if _is_new(name, bundle) else ""
            restored.attention.append(f"the answer cell {name} is missing{why}")
            if not is_graded(master) and cell.cell_type == "code":
                cell.source = _MISSING  # what the release has there would undo an answer that stands somewhere else
                cell.metadata.nbgrader["checksum"] = compute_checksum(cell)  # nbgrader's sign of an untouched answer
        else:
            if not _is_as_given(chosen, name, bundle):
                cell.source = chosen.source
            if "attachments" in chosen:
                cell["attachments"] = chosen.attachments
            if chosen.cell_type != master.cell_type:
                restored.repairs.append(f"{name} had been turned into a {chosen.cell_type} cell")
        cells.append(cell)
        cells.extend(_extra_cells(found.extras[name]))
    _show_answers_elsewhere(restored, found, bundle)
    if _order_changed(names, bundle):
        restored.repairs.append("cells had been moved and were put back in order")
    _give_ids(cells, taken)
    return restored


def _sort_out(submitted: Any, names: list[str | None], bundle: NotebookBundle, restored: Restored) -> _Sorted:
    """Choose the cell that stands for each managed one; copies with a text of their own stay where they are."""
    copies: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        if name is not None:
            copies[name].append(index)
    chosen: dict[str, int] = {}
    dropped: set[int] = set()
    for name, indices in copies.items():
        as_given = [index for index in indices if _is_as_given(submitted.cells[index], name, bundle)]
        own = [index for index in indices if index not in as_given]
        if is_instructor_owned(bundle.managed[name]):
            chosen[name] = (as_given or own)[0]
        else:
            chosen[name] = (own or as_given)[0]
        dropped |= {index for index in as_given if index != chosen[name]}
        if len(indices) > 1:
            kept = len([index for index in own if index != chosen[name]])
            what = f"; {kept + 1} of them are kept, in order" if kept else ""
            restored.repairs.append(f"{name} stood {len(indices)} times in the notebook{what}")
    found = _Sorted({name: submitted.cells[index] for name, index in chosen.items()})
    anchor: str | None = None
    for index, (cell, name) in enumerate(zip(submitted.cells, names, strict=True)):
        if name is not None and index == copies[name][0]:
            anchor = name
        if index not in dropped and (name is None or index != chosen[name]):
            found.extras[anchor].append(cell)
    return found


def _is_as_given(cell: Any, name: str, bundle: NotebookBundle) -> bool:
    """Is it a managed cell as students have got it, now or earlier?"""
    return any(same_text(cell.source, version.source) for version in _versions(name, bundle))


def _is_new(name: str, bundle: NotebookBundle) -> bool:
    """Is there a release without this cell?"""
    return any(version.managed and name not in version.managed for version in bundle.earlier)


def _versions(name: str, bundle: NotebookBundle) -> list[ReleasedCell]:
    """A managed cell as students get it today, then as they may have got it before."""
    return [version.managed[name] for version in bundle.versions if name in version.managed]


def _note_instructor_cell(name: str, bundle: NotebookBundle, found: Any, restored: Restored) -> None:
    what = "test" if is_graded(bundle.managed[name]) else "locked"
    if found is None:
        if what == "test":
            how = "is new since the release" if _is_new(name, bundle) else "had been deleted and was put back"
            restored.repairs.append(f"the test cell {name} {how}")
        return
    today, *earlier = _versions(name, bundle)
    if not any(same_text(found.source, text) for text in (today.source, bundle.managed[name].source)):
        if any(same_text(found.source, version.source) for version in earlier):
            restored.repairs.append(f"the {what} cell {name} has changed since the release; today's was used")
        else:
            restored.repairs.append(f"the {what} cell {name} was not as released and was put back")
    claimed = points(found)
    if claimed is not None and claimed != today.points:
        if any(claimed == version.points for version in earlier):
            restored.repairs.append(f"the points of {name} have changed since the release; today's count")
        else:
            restored.repairs.append(f"the points of {name} had been changed and were put back")


def _show_answers_elsewhere(restored: Restored, found: _Sorted, bundle: NotebookBundle) -> None:
    """Keep what was written beside the cell that a person grades, or into a text of the instructor's.

    nbgrader gives nothing for an answer whose checksum is that of the release; without the checksum it asks a person.
    """

    def is_changed(name: str | None) -> bool:
        cell = found.chosen.get(name or "")
        return cell is not None and cell.cell_type != "code" and not _is_as_given(cell, name or "", bundle)

    cells = restored.notebook.cells
    before: str | None = None
    for name, master in bundle.managed.items():
        if is_graded_by_hand(master):
            place = next(number for number, cell in enumerate(cells) if grade_id(cell) == name)
            answer = found.chosen.get(name)
            if is_instructor_owned(master):
                if is_changed(name):
                    restored.attention.append(f"something is written into the task {name}; it stands below it now")
                    cells[place + 1 : place + 1] = _extra_cells([answer])
            elif answer is None or _is_as_given(answer, name, bundle):
                typed_above = is_changed(before) and not _is_answer(before, bundle)
                beside = _beside(name, before, found, bundle)
                has_picture = answer is not None and "attachments" in answer
                if typed_above or has_picture or any(_is_written(cell, master, bundle) for cell in beside):
                    restored.attention.append(f"the answer {name} is as released, but something is written beside it")
                    cells[place].metadata.nbgrader.pop("checksum", None)
                if typed_above:
                    cells[place:place] = _extra_cells([found.chosen[before or ""]])
        before = name


def _beside(name: str, before: str | None, found: _Sorted, bundle: NotebookBundle) -> list[Any]:
    """Cells of the student's own that may hold what is not in the answer `name`.

    They stand below it, above it, or at the end of the notebook; where the answer's cell is gone, anywhere.
    """
    if name not in found.chosen:
        return [cell for cells in found.extras.values() for cell in cells]
    above = list(found.extras[before])
    if before is not None and is_graded_by_hand(bundle.managed[before]) and _is_answered(before, found, bundle):
        # Above the next question they go on with the answer before it.
        questions = [text for version in bundle.versions for prose in version.prose if (text := plain_text(prose))]
        above = list(dropwhile(lambda cell: not any(text in plain_text(cell.source) for text in questions), above))
    last = next(reversed(bundle.managed))
    return found.extras[name] + above + (found.extras[last] if last != name else [])


def _is_answer(name: str | None, bundle: NotebookBundle) -> bool:
    return name is not None and not is_instructor_owned(bundle.managed[name])


def _is_answered(name: str, found: _Sorted, bundle: NotebookBundle) -> bool:
    answer = found.chosen.get(name)
    return answer is not None and not _is_as_given(answer, name, bundle)


def _is_written(cell: Any, answer: Any, bundle: NotebookBundle) -> bool:
    """Could a cell of the student's own be the answer to this one?"""
    if not cell.source.strip() or (
        cell.cell_type == "code" and answer.cell_type != "code" and not _reads_as_text(cell.source)
    ):
        return False
    return not any(same_text(cell.source, text) for version in bundle.versions for text in version.prose)


def _reads_as_text(source: str) -> bool:
    """Is a code cell made of comments, strings and sentences? Not parsed: it need not be Python."""
    lines = [line.strip().removeprefix("print(") for line in source.splitlines() if line.strip()]
    if lines[0].startswith(_QUOTES) and lines[-1].removesuffix(")").endswith(_QUOTES):
        return True
    return all(line.startswith(("#", *_QUOTES)) or _is_sentence(line) for line in lines)


def _is_sentence(line: str) -> bool:
    words = line.split()
    return len(words) > 2 and words[0] not in _STATEMENTS and not set(line) & set("=()[]{}%!")


def _order_changed(names: list[str | None], bundle: NotebookBundle) -> bool:
    seen = list(dict.fromkeys(name for name in names if name is not None))
    return all(seen != [name for name in version.managed if name in seen] for version in bundle.versions)


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
