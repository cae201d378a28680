"""From what ran to what it is worth, by nbgrader's own rule of scoring.

Puts an engine's outputs into the notebook's cells and asks nbgrader what each grade cell earns, so the formgrader
and stock nbgrader read the same notebook the same way. The one addition: a cell that *our* machinery failed to run
gets no automatic score at all and waits for a person.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader.utils import determine_grade, is_grade

from grading_utils.course.cells import Role, grade_id, is_graded, nbgrader_metadata, role
from grading_utils.errors import AuthoringError
from grading_utils.grading.jobs import NotebookRun
from grading_utils.jobs import CellRun, CellStatus
from grading_utils.results import CellResult


def insert_outputs(notebook: Any, run: NotebookRun) -> None:
    """Store an engine's outputs, and for failed tests the message for the student, in the notebook's cells."""
    for count, cell_run in enumerate(run.cells, start=1):
        cell = notebook.cells[cell_run.index]
        cell.execution_count = count
        cell.outputs = [from_dict(output) for output in cell_run.outputs]
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
        if cell_run.status is not CellStatus.OK and role(cell) is Role.TEST:
            cell.metadata["grading_utils"] = NotebookNode(
                {
                    **cell.metadata.get("grading_utils", {}),
                    "message": cell_run.message,
                    "details": cell_run.details,
                    "hidden": cell_run.hidden,
                }
            )


def score_cells(notebook: Any, run: NotebookRun) -> list[CellResult]:
    """What every grade cell of a notebook earns; None for a cell that a person has to grade.

    Raises:
        AuthoringError: A test returned more partial credit than the cell is worth.
    """
    by_index = {cell_run.index: cell_run for cell_run in run.cells}
    return [_score(cell, by_index.get(index)) for index, cell in enumerate(notebook.cells) if is_graded(cell)]


def _score(cell: Any, cell_run: CellRun | None) -> CellResult:
    name = grade_id(cell) or ""
    points = float(nbgrader_metadata(cell)["points"])
    if cell_run is not None and cell_run.status is CellStatus.FAULT:
        return CellResult(grade_id=name, score=None, max_score=points, message=cell_run.message)
    if not is_grade(cell):
        return CellResult(grade_id=name, score=None, max_score=points)
    try:
        score, _ = determine_grade(cell)
    except ValueError as error:
        raise AuthoringError(
            f"the test returned more partial credit than the cell's {points:g} points: {error}", where=name
        ) from error
    is_written = bool(nbgrader_metadata(cell).get("solution"))
    message = "not answered" if is_written and score == 0 else (cell_run.message if cell_run else "")
    details = cell_run.details if cell_run is not None else ""
    return CellResult(grade_id=name, score=score, max_score=points, message=message, details=details)
