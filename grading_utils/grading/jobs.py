"""What an engine is asked to run, and what it answers: the seam between grading and execution.

An `Engine` executes one notebook of one submission and says what each code cell printed, returned or raised. It
knows nothing of points, gradebooks or files. `SandboxEngine` isolates student code and is the default;
`KernelEngine` is nbgrader's own way, for machines where somebody decides to go without isolation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import (
    Role,
    grade_id,
    is_demonstration,
    is_graded,
    is_graded_by_hand,
    role,
    time_limit,
)
from grading_utils.jobs import Cell, CellRun, Job, Rights, Solution

SHARES = 2
"""All of a student's cells together may use so many times the seconds of the assignment's answer cells: one share to
run them, one for added cells and for running everything again after a cell that ended the process."""


class NotebookRun(msgspec.Struct, frozen=True, kw_only=True):
    """What running one notebook gave: one entry for every cell of the job."""

    cells: tuple[CellRun, ...]
    isolated: bool = False
    """Had all cells of the student run, in a process of their own, before any hidden test began?"""


class Engine(Protocol):
    """Executes notebooks of one assignment; several threads may call `run` at the same time."""

    isolated: bool
    """Is student code kept away from the machine, the tests and the gradebook?"""
    device: str
    """What student code computes on: `cpu`, or the name of a card."""

    def run(self, job: Job) -> NotebookRun:
        """Execute one notebook.

        Raises:
            SandboxError: The engine itself broke; nothing can be said about the submission.
        """
        ...

    def close(self) -> None:
        """End every process that the engine started."""
        ...


def make_job(
    notebook: Any,
    bundle: NotebookBundle,
    *,
    rights: Mapping[str, Rights] | None = None,
    solution: Solution | None = None,
    everything: bool = True,
) -> Job:
    """The job for a restored notebook: leading instructor cells first, then all others in their order.

    Args:
        notebook: What `intake.restoring` made of a submission.
        bundle: The instructor's notebook.
        rights: What student code may do in each check, by `grade_id`, as far as it is known.
        solution: What the instructor's own answers do, where it is known.
        everything: False leaves out what no score needs and what often takes most of the time: pictures outside of
            the cells that a person grades, demonstrations, and code cells after the last graded one.
    """
    leading_names = {grade_id(cell) for cell in bundle.leading}
    leading: list[Cell] = []
    rest: list[Cell] = []
    graded = (i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and is_graded(cell))
    last_graded = max(graded, default=-1)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or (not everything and (index > last_graded or is_demonstration(cell))):
            continue
        job = Cell(
            index=index,
            role=role(cell),
            source=cell.source,
            grade_id=grade_id(cell),
            time_limit=time_limit(cell, bundle.cell_seconds),
            draws=everything or is_graded_by_hand(cell),
            hidden_lines=bundle.grammar.hidden_tests.ranges(cell.source) if role(cell) is Role.TEST else (),
            returns_points=solution is not None and grade_id(cell) in solution.points,
        )
        if rights is not None and job.grade_id is not None and job.grade_id in rights:
            job = msgspec.structs.replace(job, rights=rights[job.grade_id])
        (leading if job.grade_id in leading_names else rest).append(job)
    seconds = SHARES * _answer_seconds(bundle)
    return Job(leading=len(leading), cells=(*leading, *rest), seconds=seconds, solution=solution)


def _answer_seconds(bundle: NotebookBundle) -> float:
    """What the time limits of the assignment's own answer cells add up to; cells that a student adds bring none."""
    answers = (cell for cell in bundle.cells if cell.cell_type == "code" and role(cell) is Role.STUDENT)
    return sum(time_limit(cell) for cell in answers)
