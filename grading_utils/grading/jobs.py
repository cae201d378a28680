"""What an engine is asked to run, and what it answers: the seam between grading and execution.

An `Engine` executes one notebook of one submission and says what each code cell printed, returned or raised. It
knows nothing of points, gradebooks or files. `SandboxEngine` isolates student code and is the default;
`KernelEngine` is nbgrader's own way, for machines where somebody decides to go without isolation.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import msgspec

from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import Role, grade_id, hidden_lines, role, time_limit


class CellJob(msgspec.Struct, frozen=True, kw_only=True):
    """One code cell to run."""

    index: int
    """Position in the notebook's list of cells."""
    role: Role
    source: str
    grade_id: str | None = None
    time_limit: float
    """Seconds of computing that the cell may use."""
    hidden_lines: tuple[tuple[int, int], ...] = ()
    """Lines of hidden tests, from 1, both ends included."""


class NotebookJob(msgspec.Struct, frozen=True, kw_only=True):
    """One notebook of one submission, in the order in which it is to run."""

    leading: int
    """How many of the cells are the bundle's leading instructor cells, which a warm process has already run."""
    cells: tuple[CellJob, ...]


class CellStatus(StrEnum):
    """How running one cell ended."""

    OK = "ok"
    ERROR = "error"
    """The cell raised, or its test failed."""
    STOPPED = "stopped"
    """It used up a limit or took its process down."""
    FAULT = "fault"
    """Our own machinery failed; never to be held against the student."""


class CellRun(msgspec.Struct, frozen=True, kw_only=True):
    """What running one cell gave."""

    index: int
    status: CellStatus
    outputs: list[dict[str, Any]] = []
    """nbformat outputs."""
    message: str = ""
    """One line that says what went wrong and is safe to show to the student."""
    hidden: bool = False
    """The failure happened in a hidden test."""


class NotebookRun(msgspec.Struct, frozen=True, kw_only=True):
    """What running one notebook gave: one entry for every cell of the job."""

    cells: tuple[CellRun, ...]


class Engine(Protocol):
    """Executes notebooks of one assignment; several threads may call `run` at the same time."""

    isolated: bool
    """Is student code kept away from the machine, the tests and the gradebook?"""

    def run(self, job: NotebookJob) -> NotebookRun:
        """Execute one notebook.

        Raises:
            SandboxError: The engine itself broke; nothing can be said about the submission.
        """
        ...

    def close(self) -> None:
        """End every process that the engine started."""
        ...


def make_job(notebook: Any, bundle: NotebookBundle) -> NotebookJob:
    """The job for a restored notebook: leading instructor cells first, then all others in their order."""
    leading_names = {grade_id(cell) for cell in bundle.leading}
    leading: list[CellJob] = []
    rest: list[CellJob] = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        job = CellJob(
            index=index,
            role=role(cell),
            source=cell.source,
            grade_id=grade_id(cell),
            time_limit=time_limit(cell),
            hidden_lines=hidden_lines(cell.source) if role(cell) is Role.TEST else (),
        )
        (leading if job.grade_id in leading_names else rest).append(job)
    return NotebookJob(leading=len(leading), cells=(*leading, *rest))
