"""The coordinator's end of a tester: give it a job, read what it reports, know what to do when it dies.

A tester reports cells as it comes to them: `order` says in which order that is, to both ends.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import msgspec

from grading_utils.boundary.wire import frames
from grading_utils.boundary.wire.messages import JobDone
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell, CellRun, Job

_RUNS = msgspec.msgpack.Decoder(CellRun | JobDone)


def order(job: Job) -> list[Cell]:
    """The cells after the leading ones in the order in which they are reported.

    Checks that run inside come last: their texts are in the student's hands from then on, and nothing that is said
    afterwards may depend on that.
    """
    cells = job.cells[job.leading :]
    return [*(c for c in cells if not c.rights.inside), *(c for c in cells if c.rights.inside)]


def send_job(sock: socket.socket, job: Job) -> None:
    """Hand a tester its job."""
    frames.send(sock, msgspec.structs.replace(job, files=tuple((name, b"") for name, _ in job.files)))
    for name, content in job.files:
        frames.send(sock, name, [content])


def with_files(sock: socket.socket, job: Job) -> Job:
    """The job with the files that follow it, one to a frame (the tester's end)."""
    contents = (frames.receive(sock, msgspec.msgpack.Decoder(str))[1] for _ in job.files)
    files = tuple((name, content) for (name, _), content in zip(job.files, contents, strict=True))
    return msgspec.structs.replace(job, files=files)


def read_runs(sock: socket.socket, wait: frames.Wait | None = None) -> Iterator[CellRun]:
    """The cells' results as they come, until the job is done.

    Raises:
        StudentDied: The tester ended before the job was done.
        BoundaryError: It sent something else.
    """
    while True:
        run, _ = frames.receive(sock, _RUNS, wait=wait)
        if isinstance(run, JobDone):
            return
        yield run


def without_culprit(job: Job, reported: int, *, gives_up: bool = False) -> Job | None:
    """The job to run again after a tester has died having reported some cells.

    A value of the student's can make a check compute without end inside one operation, which only ends with the
    tester. That costs the check, not the notebook.

    Args:
        job: What the tester was given.
        reported: How many results came from it.
        gives_up: Whether the checks after the one that was running are left out as well.

    Returns:
        The job without the check that was running; None where none was, so that the fault is ours.
    """
    cells = order(job)
    if reported >= len(cells) or cells[reported].role is Role.STUDENT:
        return None
    lost = [cell.index for cell in cells[reported:] if cell.role is Role.TEST] if gives_up else []
    return msgspec.structs.replace(job, lost=(*job.lost, cells[reported].index, *lost))
