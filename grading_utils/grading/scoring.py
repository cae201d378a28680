"""From what ran to what it is worth, by nbgrader's own rule of scoring.

Puts an engine's outputs into the notebook's cells and asks nbgrader what each grade cell earns, so the formgrader
and stock nbgrader read the same notebook the same way. The one addition: an *open* score. Where a limit of ours, the
machine, a fault of ours or a test that returns no points stands between an answer and its score, there is none, and
the cell waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from nbformat import NotebookNode, from_dict
from nbgrader.utils import determine_grade, is_grade

from grading_utils.boundary.warm import outputs
from grading_utils.course.cells import Role, grade_id, is_graded, nbgrader_metadata, role
from grading_utils.grading.jobs import NotebookRun
from grading_utils.jobs import UNDECIDED, CellRun, CellStatus
from grading_utils.lessons.blanks import blank_behind, first_blank, names_in
from grading_utils.results import CellResult

_OPEN = "open"


def insert_outputs(notebook: Any, run: NotebookRun) -> None:
    """Store an engine's outputs in the notebook's cells, with what the student may read and why a score is open."""
    notebook.metadata["grading_utils"] = NotebookNode(isolated=run.isolated)
    for count, cell_run in enumerate(run.cells, start=1):
        cell = notebook.cells[cell_run.index]
        cell.execution_count = count
        cell.outputs = [from_dict(output) for output in cell_run.outputs]
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
        blank = _say_what_is_blank(cell, notebook.cells[: cell_run.index], cell_run.status)
        if cell_run.status is not CellStatus.OK and role(cell) is Role.TEST:
            message, hidden = (blank, False) if blank else (cell_run.message, cell_run.hidden)
            said = {"message": message, "details": cell_run.details, "hidden": hidden}
            if why := _why_open(cell_run):
                said[_OPEN] = why
            cell.metadata["grading_utils"] = NotebookNode({**cell.metadata.get("grading_utils", {}), **said})


def leave_open(notebook: Any, reasons: Mapping[str, str]) -> None:
    """Have some checks wait for a person, whatever their outputs say.

    Args:
        notebook: With the engine's outputs.
        reasons: Why, for the instructor, by `grade_id`.
    """
    for cell in notebook.cells:
        if (why := reasons.get(grade_id(cell) or "")) is not None:
            said = {**cell.metadata.get("grading_utils", {}), "message": UNDECIDED, "hidden": False, _OPEN: why}
            cell.metadata["grading_utils"] = NotebookNode(said)


def score_cells(notebook: Any, run: NotebookRun) -> list[CellResult]:
    """What every grade cell of a notebook earns; None for a cell that a person has to grade."""
    by_index = {cell_run.index: cell_run for cell_run in run.cells}
    results = []
    seconds = 0.0
    for index, cell in enumerate(notebook.cells):
        seconds += by_index[index].seconds if index in by_index else 0.0
        if is_graded(cell):
            result = _score(cell, by_index.get(index))
            results.append(msgspec.structs.replace(result, seconds=round(seconds, 3)))
            seconds = 0.0
    return results


def earned(cell: Any) -> tuple[float | None, str]:
    """What a cell with its outputs earns, and, where it has no score although it should have one, why that is open."""
    if not is_grade(cell):
        return None, ""
    if why := cell.metadata.get("grading_utils", {}).get(_OPEN):
        return None, str(why)
    points = float(nbgrader_metadata(cell)["points"])
    if role(cell) is Role.TEST and (returned := returned_points(cell)) is not None and not 0 <= returned <= points:
        return None, f"the test returned {returned:g} points, which is no number from 0 to {points:g}"
    score, _ = determine_grade(cell)
    return score, ""


def returned_points(cell: Any) -> float | None:
    """The number that a test's last expression gave; None where it gave none."""
    shown = [output for output in cell.outputs if output.output_type == "execute_result"]
    if not shown or any(output.output_type == "error" for output in cell.outputs):
        return None
    try:
        return float("".join(shown[0]["data"].get("text/plain", "")))
    except ValueError:
        return None


def _why_open(cell_run: CellRun) -> str:
    if cell_run.status is CellStatus.FAULT:
        return f"the grading machinery failed, not the student: {cell_run.reason or cell_run.message}"
    return cell_run.reason if cell_run.status is CellStatus.OPEN else ""


def _say_what_is_blank(cell: Any, before: Sequence[Any], status: CellStatus) -> str:
    """Have a failed cell name the blank that a student left in what it uses, in place of what Python says of `...`.

    Returns:
        What it says now; "" where no blank is left, and where it is not a blank that made the cell fail.
    """
    errors = [output for output in cell.outputs if output.output_type == "error"]
    is_check = role(cell) is Role.TEST and status in (CellStatus.ERROR, CellStatus.STOPPED)
    if not is_check and not any("ellipsis" in output.evalue.lower() for output in errors):
        return ""
    students = [other.source for other in (*before, cell) if other.cell_type == "code" and role(other) is Role.STUDENT]
    blank = first_blank(cell.source) if role(cell) is Role.STUDENT else None
    blank = blank or blank_behind(names_in(cell.source), students)
    if blank is None:
        return ""
    message = f"not answered: there is a blank left in line {blank.line} of your cell: {blank.text[:80]}"
    kept = [output for output in cell.outputs if output.output_type != "error"]
    cell.outputs = [*kept, from_dict(outputs.error("NotAnswered", message, [message]))]
    return message


def _score(cell: Any, cell_run: CellRun | None) -> CellResult:
    score, why = earned(cell)
    is_written = bool(nbgrader_metadata(cell).get("solution"))
    said = cell.metadata.get("grading_utils", {}).get("message", "")
    message = "not answered" if is_written and score == 0 else (said or (cell_run.message if cell_run else ""))
    message = UNDECIDED if why else message
    return CellResult(
        grade_id=grade_id(cell) or "",
        score=score,
        max_score=float(nbgrader_metadata(cell)["points"]),
        message=message,
        details=cell_run.details if cell_run is not None else "",
        open=why,
    )
