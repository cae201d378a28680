"""nbgrader's own way of executing: one Jupyter kernel, student code and tests together, no isolation.

Kept for machines on which no sandbox can be had and somebody explicitly accepts that (`--no-isolation`), and to
compare scores with stock nbgrader. It offers none of the promises in `docs/security.md`.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook

from grading_utils.course.bundle import Bundle
from grading_utils.course.cells import Role
from grading_utils.devices.choice import CPU
from grading_utils.errors import SandboxError
from grading_utils.grading.jobs import NotebookRun
from grading_utils.jobs import Cell, CellRun, CellStatus, Job


class KernelEngine:
    """Runs every cell of a job in one fresh kernel of this Python environment.

    Args:
        bundle: The assignment; its files lie in the working directory, over those that the student handed in.
    """

    isolated = False
    device = CPU

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def run(self, job: Job) -> NotebookRun:
        """Execute one notebook in a kernel; see `jobs.Engine.run`."""
        notebook = new_notebook(cells=[new_code_cell(cell.source) for cell in job.cells])
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            allow_errors=True,
            skip_cells_with_tag="",
            timeout=None,
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
            interrupt_on_timeout=True,
            error_on_timeout={"ename": "TimeLimit", "evalue": "the cell used up its time", "traceback": []},
        )
        runs: list[CellRun] = []
        try:
            with (
                tempfile.TemporaryDirectory() as folder,
                tempfile.TemporaryDirectory() as here,
                _private(client, folder).setup_kernel(cwd=self._lay_out(Path(here), job)),
            ):
                for position, (cell, given) in enumerate(zip(notebook.cells, job.cells, strict=True)):
                    client.timeout = int(given.time_limit) or 1
                    runs.append(self._run_cell(client, cell, given, position))
                    if position < job.leading and runs[-1].status is not CellStatus.OK:
                        raise SandboxError(f"the instructor's cell {given.grade_id} fails here: {runs[-1].message}")
        except DeadKernelError:
            done = {run.index for run in runs}
            runs.extend(
                _failed(cell, CellStatus.STOPPED, "the kernel died in an earlier cell")
                for cell in job.cells
                if cell.index not in done
            )
        except RuntimeError as error:
            raise SandboxError(f"no Jupyter kernel could be used: {error}") from error
        return NotebookRun(cells=tuple(runs))

    def _lay_out(self, here: Path, job: Job) -> str:
        """Make `here` look like the folder in which the notebook lies."""
        ours = ((path.relative_to(self._bundle.root).as_posix(), path.read_bytes()) for path in self._bundle.files)
        for name, content in (*job.files, *ours):
            with contextlib.suppress(OSError):  # a folder of theirs where a file of ours is, and the like
                (here / name).parent.mkdir(parents=True, exist_ok=True)
                (here / name).write_bytes(content)
        return str(here)

    def _run_cell(self, client: NotebookClient, cell: Any, given: Cell, position: int) -> CellRun:
        try:
            client.execute_cell(cell, position)
        except CellTimeoutError:
            return _failed(given, CellStatus.STOPPED, f"stopped after {given.time_limit:.0f} seconds")
        # A warning is no wrong answer, but nbgrader's rule of scoring takes any stderr in a test cell for one.
        outputs = [
            dict(output) for output in cell.outputs if output.get("name") != "stderr" or given.role is not Role.TEST
        ]
        error = next((output for output in outputs if output["output_type"] == "error"), None)
        if error is None:
            return CellRun(index=given.index, status=CellStatus.OK, outputs=outputs)
        message = (
            error["evalue"]
            if error["ename"] in ("AssertionError", "CheckFailed")
            else f"{error['ename']}: {error['evalue']}"
        )
        status = CellStatus.STOPPED if error["ename"] == "TimeLimit" else CellStatus.ERROR
        hidden = any(_in_hidden_part(line, given) for line in error["traceback"])
        return CellRun(index=given.index, status=status, outputs=outputs, message=message, hidden=hidden)

    def close(self) -> None:
        """Nothing outlives `run`."""


def _private(client: NotebookClient, folder: str) -> NotebookClient:
    """Let only this client connect to its kernel: sockets in a folder of its own instead of TCP ports."""
    manager = client.create_kernel_manager()
    manager.transport, manager.ip = "ipc", f"{folder}/kernel"
    return client


def _in_hidden_part(traceback_line: str, cell: Cell) -> bool:
    lines = cell.source.split("\n")
    hidden = (lines[number - 1].strip() for first, last in cell.hidden_lines for number in range(first + 1, last))
    return any(line and line in traceback_line for line in hidden)


def _failed(cell: Cell, status: CellStatus, message: str) -> CellRun:
    output = {"output_type": "error", "ename": "Stopped", "evalue": message, "traceback": [message]}
    return CellRun(index=cell.index, status=status, outputs=[output], message=message)
