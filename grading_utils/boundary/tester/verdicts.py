"""What is reported of a cell that did not simply run, and how much of a report a student may read.

Nothing here runs code; `notebook`, `testcell` and `inside` decide when each of these applies.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

import msgspec

from grading_utils.boundary.tester.sanitizer import checked
from grading_utils.boundary.warm import outputs
from grading_utils.boundary.wire.errors import BoundaryError, Refused, StudentDied, StudentOverran
from grading_utils.jobs import UNDECIDED, Cell, CellRun, CellStatus

NO_POINTS = "the test gave no number of points, as it does for the solution"
"""Why a score is open where nbgrader would give all points: to it, what is no number is a check that passed."""


def points_in(value: object) -> float | None:
    """The number of points that a test's last expression gave; None where it is no Python, NumPy or torch number."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    scalars = ((numpy.generic, numpy.ndarray) if numpy else ()) + ((torch.Tensor,) if torch else ())
    try:
        if issubclass(type(value), scalars):  # not `isinstance`, which believes an object
            value = value.item()  # type: ignore[attr-defined]
        return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]
    except (ValueError, RuntimeError, OverflowError):
        return None


def ran(cell: Cell, ok: bool, shown: list[dict[str, Any]]) -> CellRun:
    """A cell of the student's or the instructor's that ran to its end or to an exception."""
    return CellRun(index=cell.index, status=CellStatus.OK if ok else CellStatus.ERROR, outputs=checked(shown))


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


def why_stopped(error: BoundaryError, seconds: float, why: str) -> str:
    """Why a check was ended from outside, in words for the student.

    Args:
        error: What ended it.
        seconds: The time that it had.
        why: Why the student's process has ended, where it has.
    """
    if isinstance(error, StudentOverran):
        return f"Stopped: this check used more than {seconds:g} s."
    if isinstance(error, StudentDied):
        return f"Stopped: your code ended the Python process that it ran in{f' ({why})' if why else ''}."
    return "Stopped: your code's process sent something that is not an answer."


def stopped_check(cell: Cell, error: BoundaryError, why: str) -> CellRun:
    """A check that was ended from outside while it ran inside."""
    message = why_stopped(error, cell.time_limit, why)
    output = outputs.error("Stopped", message, [message])
    return CellRun(index=cell.index, status=CellStatus.STOPPED, outputs=[output], message=message)


def left_open(cell: Cell, reason: str) -> CellRun:
    """A check whose score waits for a person, because of a limit of ours or of the machine's doing.

    Args:
        cell: The check.
        reason: What kept us from deciding, as a sentence for the instructor.
    """
    return _undecided(cell, CellStatus.OPEN, reason)


def refused(error: Refused) -> str:
    """Why a score is open whose check met something that could not be taken, as a sentence for the instructor."""
    return f"what the student's process sent was refused: {error}"


def fault(cell: Cell, error: BaseException) -> CellRun:
    """A cell in which our own machinery broke; nothing of that is the student's business."""
    trace = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(trace[-1].filename).name}, line {trace[-1].lineno} ({trace[-1].name})" if trace else ""
    return _undecided(cell, CellStatus.FAULT, f"{type(error).__name__}: {error}"[:300] + place)


def _undecided(cell: Cell, status: CellStatus, reason: str) -> CellRun:
    output = outputs.error("Open", UNDECIDED, [UNDECIDED])
    return CellRun(index=cell.index, status=status, outputs=[output], message=UNDECIDED, reason=reason)


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
    if run.status in (CellStatus.OPEN, CellStatus.FAULT):
        return False  # it says the same whatever has happened
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
