"""The engine that grades: student code sealed off, tests in a process of their own, all forked from one warm one.

Joins the two halves below it: `sandbox` makes the processes, `boundary` is what they say to each other. One engine
belongs to one notebook of an assignment; its leading instructor cells (imports, model) run once, when it starts.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import select
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any, Self

import msgspec

from grading_utils.boundary.tester.handover import read_runs, send_job, without_culprit
from grading_utils.boundary.wire.errors import BoundaryError, StudentDied
from grading_utils.boundary.wire.messages import WarmReply, WarmRequest
from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import Role, grade_id, role
from grading_utils.course.readable import OPTION
from grading_utils.devices.choice import CPU, seats
from grading_utils.errors import AuthoringError, SandboxError
from grading_utils.grading.jobs import NotebookRun
from grading_utils.jobs import CellRun, CellStatus, Job
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.server import WarmProcess

_SETUP = "grading_utils.boundary.warm.warmup:warm"
_TESTER = "grading_utils.boundary.tester.notebook:main"
_STUDENT = "grading_utils.boundary.student.endpoint:serve"

_log = logging.getLogger(__name__)

_TRIES = 4
"""How often a job is given to a tester. One that ends early was brought down by the check that it was running, whose
value from the student needed endless computing; the next one leaves that check out, the last one all that follow."""
_SLACK_SECONDS = 120.0
"""Wall-clock time that a job may take beyond what its cells may use."""


class SandboxEngine:
    """Forks a tester and a sealed student for every notebook it runs; see `jobs.Engine`."""

    isolated = True

    def __init__(self, warm: WarmProcess, reply: WarmReply, policy: Policy, resources: ExitStack) -> None:
        self._warm = warm
        self._reply = reply
        self._policy = policy
        self._resources = resources
        gpu = policy.gpu
        self.device = gpu.name if gpu is not None else CPU
        self._seat = seats(gpu.uuid, gpu.places) if gpu is not None else nullcontext()

    @classmethod
    def start(cls, bundle: Bundle, notebook: NotebookBundle, policy: Policy) -> Self:
        """Start the warm process for a notebook and run its leading instructor cells.

        Args:
            bundle: The assignment; student code sees its data files, and none of its notebooks.
            notebook: The notebook of it that this engine runs.
            policy: What student code may use.

        Raises:
            SandboxError: This machine cannot isolate student code; the message says what to do.
            AuthoringError: A leading instructor cell raises.
        """
        cells = [cell.source for cell in notebook.leading]
        request = WarmRequest(cells=cells, later=_later(notebook), seconds=policy.start_seconds / 2)
        setup = (_SETUP, msgspec.msgpack.encode(request))
        with ExitStack() as stack:
            if bundle.files:
                data = _copy_of_data(bundle, stack.enter_context(tempfile.TemporaryDirectory()))
                policy = dataclasses.replace(policy, files=data)
            warm = WarmProcess.start(policy, tester=_TESTER, student=_STUDENT, setup=setup)
            stack.callback(warm.close)
            reply = msgspec.msgpack.decode(warm.setup_result, type=WarmReply)
            for cell, ok, outputs in zip(notebook.leading, reply.ok, reply.outputs, strict=False):
                if not ok:
                    error = next(
                        (o for o in outputs if o["output_type"] == "error"), {"ename": "it", "evalue": "does not run"}
                    )
                    raise AuthoringError(
                        f"this instructor cell fails: {error['ename']}: {error['evalue']}{_hint(error)}",
                        where=f"{notebook.name}.ipynb, cell {grade_id(cell)}",
                    )
            return cls(warm, reply, policy, stack.pop_all())

    def run(self, job: Job) -> NotebookRun:
        """Execute one notebook; see `jobs.Engine.run`."""
        leading = [
            CellRun(index=cell.index, status=CellStatus.OK, outputs=outputs)
            for cell, outputs in zip(job.cells[: job.leading], self._reply.outputs, strict=False)
        ]
        attempt = msgspec.structs.replace(job, leading=len(leading))  # the others wait for CUDA, which comes with P
        for number in range(_TRIES):
            runs, problem = self._run_rest(attempt)
            if not problem:
                places = {cell.index: place for place, cell in enumerate(job.cells)}
                return NotebookRun(isolated=True, cells=(*leading, *sorted(runs, key=lambda run: places[run.index])))
            attempt = without_culprit(attempt, len(runs), gives_up=number == _TRIES - 2) or attempt
        raise SandboxError(f"the tester ended before the notebook was done: {problem}")

    def _run_rest(self, job: Job) -> tuple[list[CellRun], str]:
        """What a tester reported, and what went wrong with it: "" where it came to the end."""
        checks = sum(cell.time_limit for cell in job.cells if cell.role is not Role.STUDENT)
        allowed = (job.seconds + checks) * self._policy.patience + _SLACK_SECONDS
        runs: list[CellRun] = []
        with self._seat, self._warm.fork_tester() as tester:
            tester.socket.settimeout(allowed)
            try:
                send_job(tester.socket, job)
                tester.socket.settimeout(None)
                for run in read_runs(tester.socket, wait_until(time.monotonic() + allowed)):
                    runs.append(run)
            except (StudentDied, BoundaryError, TimeoutError) as error:
                words = self._warm.stderr()[-2000:].strip()
                _log.warning("the process of the checks ended early and is started again: %s", words or error)
                return runs, str(error)
        return runs, ""

    def is_gone(self) -> bool:
        """Whether the warm process was ended by something else than `close`."""
        return self._warm.is_gone()

    def close(self) -> None:
        """End the warm process and with it everything that was forked from it."""
        self._resources.close()


def wait_until(deadline: float) -> Callable[[socket.socket], None]:
    """A `frames.Wait` that raises `TimeoutError` at a moment of the monotonic clock, whatever has come by then."""

    def wait(sock: socket.socket) -> None:
        left = max(0.0, deadline - time.monotonic())
        if not select.select([sock], [], [], left)[0]:
            raise TimeoutError("a tester was not done in time")

    return wait


def _hint(error: dict[str, Any]) -> str:
    """What to do about a locked cell that looks for something outside of the assignment's folder."""
    text = f"{error['ename']} {error['evalue']}"
    if not re.search(r"FileNotFound|NotADirectory|Permission|OSError|HFValidation|/[\w.~-]+/[\w.~-]+", text):
        return ""
    return (
        ". Notebooks see the assignment's folder and the installed packages; further folders and files are listed in "
        f"{OPTION} of nbgrader_config.py (`grading-utils doctor` shows the list)"
    )


def _later(notebook: NotebookBundle) -> list[str]:
    """The instructor's code cells after the leading ones."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and role(cell) is Role.INSTRUCTOR]
    return [cell.source for cell in code[len(notebook.leading) :]]


def _copy_of_data(bundle: Bundle, folder: str) -> str:
    """The assignment's files without its notebooks, readable for whatever user student code runs as."""
    root = Path(folder)
    root.chmod(0o755)
    for path in bundle.files:
        target = root / path.relative_to(bundle.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o644)
    return folder
