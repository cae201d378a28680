"""The engine that grades: student code sealed off, tests in a process of their own, all forked from one warm one.

Joins the two halves below it: `sandbox` makes the processes, `boundary` is what they say to each other. One engine
belongs to one notebook of an assignment; its leading instructor cells (imports, model) run once, when it starts.
"""

from __future__ import annotations

from typing import Self

import msgspec

from grading_utils.boundary.errors import BoundaryError, StudentDied
from grading_utils.boundary.messages import WarmReply, WarmRequest
from grading_utils.boundary.tester import read_runs, send_job
from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import grade_id
from grading_utils.errors import AuthoringError, SandboxError
from grading_utils.grading.jobs import CellRun, CellStatus, Job, NotebookRun
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.server import WarmProcess

_SETUP = "grading_utils.boundary.warmup:warm"
_TESTER = "grading_utils.boundary.tester:main"
_STUDENT = "grading_utils.boundary.student:serve"

_TRIES = 2
"""How often a job is given to a tester: one that ends early is our fault, and may have been bad luck."""
_SLACK_SECONDS = 120.0
"""Wall-clock time that a job may take beyond what its cells may use."""


class SandboxEngine:
    """Forks a tester and a sealed student for every notebook it runs; see `jobs.Engine`."""

    isolated = True

    def __init__(self, warm: WarmProcess, reply: WarmReply, policy: Policy) -> None:
        self._warm = warm
        self._reply = reply
        self._policy = policy

    @classmethod
    def start(cls, bundle: NotebookBundle, policy: Policy) -> Self:
        """Start the warm process for a notebook and run its leading instructor cells.

        Raises:
            SandboxError: This machine cannot isolate student code; the message says what to do.
            AuthoringError: A leading instructor cell raises.
        """
        cells = [cell.source for cell in bundle.leading]
        setup = (_SETUP, msgspec.msgpack.encode(WarmRequest(cells=cells)))
        warm = WarmProcess.start(policy, tester=_TESTER, student=_STUDENT, setup=setup)
        reply = msgspec.msgpack.decode(warm.setup_result, type=WarmReply)
        for cell, ok, outputs in zip(bundle.leading, reply.ok, reply.outputs, strict=True):
            if not ok:
                warm.close()
                error = next(output for output in outputs if output["output_type"] == "error")
                raise AuthoringError(
                    f"this instructor cell fails: {error['ename']}: {error['evalue']}",
                    where=f"{bundle.name}.ipynb, cell {grade_id(cell)}",
                )
        return cls(warm, reply, policy)

    def run(self, job: Job) -> NotebookRun:
        """Execute one notebook; see `jobs.Engine.run`."""
        leading = [
            CellRun(index=cell.index, status=CellStatus.OK, outputs=outputs)
            for cell, outputs in zip(job.cells[: job.leading], self._reply.outputs, strict=True)
        ]
        problem = ""
        for _ in range(_TRIES):
            try:
                return NotebookRun(cells=(*leading, *self._run_rest(job)))
            except (StudentDied, BoundaryError, TimeoutError) as error:
                problem = f"{error}; {self._warm.stderr().strip().splitlines()[-1:]}"
        raise SandboxError(f"the tester ended before the notebook was done: {problem}")

    def _run_rest(self, job: Job) -> list[CellRun]:
        allowed = sum(cell.time_limit for cell in job.cells) * self._policy.patience
        with self._warm.fork_tester() as tester:
            tester.socket.settimeout(allowed + _SLACK_SECONDS)
            send_job(tester.socket, job)
            return list(read_runs(tester.socket))

    def close(self) -> None:
        """End the warm process and with it everything that was forked from it."""
        self._warm.close()
