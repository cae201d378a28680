"""What is reported of a cell that did not simply run, and how much of a report a student may read.

Nothing here runs code; `tester` decides when each of these applies.
"""

from __future__ import annotations

import msgspec

from grading_utils.boundary.warm import outputs
from grading_utils.boundary.wire.errors import BoundaryError, StudentDied, StudentOverran
from grading_utils.jobs import Cell, CellRun, CellStatus


def stopped(cell: Cell, error: BoundaryError, why: str) -> CellRun:
    """A cell that was ended from outside, with the reason."""
    if isinstance(error, StudentOverran):
        message = f"Stopped: this cell used more than {cell.time_limit:g} s."
    elif isinstance(error, StudentDied):
        message = f"Stopped: this cell ended the Python process that it ran in{f' ({why})' if why else ''}."
    else:
        message = "Stopped: this cell made its process send something that is not an answer."
    output = outputs.error("Stopped", message, [message])
    return CellRun(index=cell.index, status=CellStatus.STOPPED, outputs=[output], message=message)


def may_tell_hidden(cell: Cell, run: CellRun) -> bool:
    """Can the student's process have been given the arguments of a hidden check in this cell?"""
    if not cell.hidden_lines:
        return False
    if run.status is CellStatus.OK or run.hidden or run.failed_line is None:
        return True
    first, last = cell.hidden_lines[0]
    goes_on = "".join(cell.source.split("\n")[last:]).strip()
    return run.failed_line >= first or bool(goes_on)


def is_shown(cell: Cell, run: CellRun) -> bool:
    """Does a student get to read more of a result than a number of points and the words of a hidden check?"""
    if run.status is not CellStatus.OK:
        return not run.hidden
    return not cell.hidden_lines and any(output["output_type"] != "execute_result" for output in run.outputs)


def muted(run: CellRun) -> CellRun:
    """The same result without anything that can have come from the student's code."""
    if run.status is CellStatus.STOPPED:
        return msgspec.structs.replace(run, outputs=[outputs.error("Stopped", run.message, [run.message])])
    if run.status is CellStatus.OK:
        kept = [output for output in run.outputs if output["output_type"] == "execute_result"]
        return msgspec.structs.replace(run, outputs=kept)
    message = "This check did not pass; run it in your own notebook to see why."
    return msgspec.structs.replace(run, message=message, outputs=[outputs.error("Check", message, [message])])


def endless(cell: Cell) -> CellRun:
    """A check whose computing could not be brought to an end."""
    message = "Stopped: this check could not be brought to an end with what the code returned."
    output = outputs.error("Stopped", message, [message])
    return CellRun(index=cell.index, status=CellStatus.STOPPED, outputs=[output], message=message)


def not_run(cell: Cell) -> CellRun:
    """A cell after the student's processes were used up."""
    message = "Not run: earlier cells of this notebook kept ending the Python process."
    output = outputs.error("NotRun", message, [message])
    return CellRun(index=cell.index, status=CellStatus.STOPPED, outputs=[output], message=message)


def lost(cell: Cell) -> CellRun:
    """A check whose copy of the process is gone, and cannot be had again."""
    message = "Not checked: code in this notebook kept ending the Python process that it ran in."
    output = outputs.error("NotChecked", message, [message])
    return CellRun(index=cell.index, status=CellStatus.STOPPED, outputs=[output], message=message)
