"""Runs one check inside: its text goes to a copy of the student's process, and what comes back is believed.

Only checks that the instructor's own solution can't pass in the tester run like this, and only the ones that
calibration or a person named. The copy was made at the cell's own place in the notebook; all student cells have run
before, and nothing that it says goes to anybody but the instructor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from grading_utils.boundary.tester import verdicts
from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.warm import gpu, outputs
from grading_utils.boundary.wire.errors import BoundaryError, Refused, StudentOverran
from grading_utils.boundary.wire.messages import CellDone
from grading_utils.jobs import Cell, CellRun, CellStatus

FAILED = "This check did not pass. It runs together with your code: run it in your own notebook to see why."
"""All that a student reads of a check that failed inside."""
_LONGEST_REASON = 500


def run_inside(
    cell: Cell, prelude: Sequence[Cell], session: Session, give: Callable[[float], None], context: Context
) -> CellRun:
    """Run a test cell in a student's process, like any cell of the notebook.

    Args:
        cell: The test.
        prelude: Earlier tests that this one needs.
        session: With the copy of the student's process that is this cell's own.
        give: Begins a new budget of so many seconds.
        context: Knows what the machine has done.
    """
    context.begin(cell)
    try:
        for earlier in prelude:
            give(earlier.time_limit)
            with contextlib.suppress(StudentOverran):
                session.run_cell(earlier.source, earlier.index, instructor=False, draws=False)
        give(cell.time_limit)
        done = session.run_cell(cell.source, cell.index, instructor=False, draws=False)
    except BoundaryError as error:
        if machine := context.machine():
            return verdicts.left_open(cell, machine)
        if isinstance(error, Refused):
            return verdicts.left_open(cell, verdicts.refused(error))
        # In the reason stands the exit code, which the code chooses.
        return verdicts.stopped_check(cell, error, "" if cell.hidden_lines else context.why_died())
    if done.ok and not any(output.get("output_type") == "error" for output in done.outputs):  # `%%capture` goes on
        credit = _partial_credit(done)
        if cell.returns_points and not credit:
            return verdicts.left_open(cell, verdicts.NO_POINTS)
        return CellRun(index=cell.index, status=CellStatus.OK, outputs=credit)
    if context.has_gpu and gpu.met_by(done.outputs):
        return verdicts.left_open(cell, gpu.FULL)
    return CellRun(
        index=cell.index,
        status=CellStatus.ERROR,
        outputs=[outputs.error("Check", FAILED, [FAILED])],
        message=FAILED,
        hidden=bool(cell.hidden_lines),
        details=_error(done),
        reason=_error(done),
    )


def _partial_credit(done: CellDone) -> list[dict[str, object]]:
    """The number that the cell's last expression gave, as the one output that is kept; nothing where it is none."""
    last = done.outputs[-1] if done.outputs else {}
    data = last.get("data") if last.get("output_type") == "execute_result" else None
    text = data.get("text/plain") if isinstance(data, dict) else None
    if not isinstance(text, str) or len(text) > 40:
        return []
    try:
        return [outputs.result({"text/plain": repr(float(text))})]
    except ValueError:
        return []


def _error(done: CellDone) -> str:
    """What the cell raised, as the student's process tells it; for the instructor only."""
    error = next((output for output in done.outputs if output.get("output_type") == "error"), {})
    return f"{error.get('ename', 'an error')}: {error.get('evalue', '')}"[:_LONGEST_REASON]
