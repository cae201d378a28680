"""What the student's cells of one notebook may use together: time, and room for what they show.

Each cell has limits of its own; these here hold for all of them, however many a student adds. It counts and words
what is said; `notebook` asks before each cell and hands on what is reported.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from grading_utils.boundary.warm import outputs
from grading_utils.jobs import Cell, CellRun, CellStatus

MAX_NOTEBOOK: Final = 16 << 20
"""Characters of all outputs of one notebook together; pictures count as they stand in the file, as base64 text."""


_LEAST: Final = 0.5
"""Seconds with which it is worth starting a cell."""


class Budget:
    """What is left for one notebook.

    Args:
        seconds: Time for all of the student's cells together, those that have to run again included; once it is used
            up, those that ran in it may run once more.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self._total = seconds
        self._spent = self._spent_once = 0.0
        self._has_begun_again = False
        self._room = MAX_NOTEBOOK

    def seconds(self, cell: Cell) -> float:
        """What a cell may use now: its own limit, or less; 0 where nothing is left."""
        left = min(cell.time_limit, self._total - self._spent)
        return left if left >= min(_LEAST, cell.time_limit) else 0.0

    def spend(self, seconds: float) -> None:
        """Count what a cell has used."""
        self._spent += seconds

    def lend(self) -> None:
        """Give the time that all cells took, for running them once more on our own account."""
        self._spent -= self._spent_once

    def begin_again(self) -> None:
        """Give the cells that ran in time the whole time once more; only the first call does."""
        if not self._has_begun_again:
            self._has_begun_again = True
            self._spent = 0.0

    def is_over(self, cell: Cell) -> bool:
        """Is there less left than the cell's own limit?"""
        return self._total - self._spent < cell.time_limit

    def has_run_once(self) -> None:
        """All cells have had their turn: from now on it is known what another run of them takes."""
        self._spent_once = self._spent_once or self._spent

    def lets_run_again(self) -> bool:
        """Is there enough left to run all cells once more?"""
        return self._total - self._spent >= self._spent_once

    def refused(self, cell: Cell) -> CellRun:
        """A cell for which no time is left."""
        message = (
            f"Stopped: the cells of this notebook may use {self._total:g} s together, and that is used up. "
            "Make them quicker, or delete those that you don't need."
        )
        output = outputs.error("Stopped", message, [message])
        return CellRun(index=cell.index, status=CellStatus.STOPPED, outputs=[output], message=message)

    def keep(self, run: CellRun) -> CellRun:
        """A report with no more outputs than there is room left in the notebook."""
        kept: list[dict[str, Any]] = []
        for output in run.outputs:
            size = _size(output)
            if size <= self._room:
                self._room -= size
                kept.append(output)
        if len(kept) == len(run.outputs):
            return run
        note = f"… left out: the outputs of one notebook may take {MAX_NOTEBOOK >> 20} MB together …\n"
        return msgspec.structs.replace(run, outputs=[*kept, outputs.stream("stderr", note)])


def _size(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 0
