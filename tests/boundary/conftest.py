"""Real processes without a sandbox: a warm process forked from pytest, which forks testers' students."""

from __future__ import annotations

import faulthandler
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from grading_utils.boundary.student import endpoint as student
from grading_utils.boundary.tester import notebook as tester
from grading_utils.boundary.warm import warmup
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell, CellRun, Job, Rights

PLAIN_RIGHTS = Rights(methods=True, changes=True)
"""What most checks need; the student's classes decide nothing."""
SCRATCH = "scratch"
"""The working folder of a tester; a student's process gets a copy."""


class ForkedStudent:
    """`leash.Student` by plain fork, with wall-clock budgets."""

    def __init__(self) -> None:
        self.sock, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self.sock.close()
            faulthandler.disable()  # crashes are on purpose here
            os.setpgid(0, 0)
            if Path.cwd().name == SCRATCH:
                os.chdir(
                    shutil.copytree(Path.cwd(), Path(tempfile.mkdtemp(dir=Path.cwd().parent), SCRATCH), symlinks=True)
                )
            try:
                student.serve(theirs)
            finally:
                os._exit(0)
        theirs.close()
        self._is_alive = True
        self._born = time.monotonic()
        self.start(20)

    def start(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def used(self) -> float:
        return time.monotonic() - self._born

    def _wait(self, readers: list[socket.socket], writers: list[socket.socket]) -> None:
        left = self._end - time.monotonic()
        if left <= 0 or not any(select.select(readers, writers, [], left)):
            raise TimeoutError

    def wait_readable(self, sock: socket.socket) -> None:
        self._wait([sock], [])

    def wait_writable(self, sock: socket.socket) -> None:
        self._wait([], [sock])

    def interrupt(self) -> None:
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        if self._is_alive:
            os.waitpid(self.pid, 0)
            self._is_alive = False

    def close(self) -> None:
        self.kill()
        self.sock.close()

    def why(self) -> str:
        return "" if self._is_alive else "it was killed"

    def machine(self) -> str:
        return ""

    def _signal(self, number: int) -> None:
        for _ in range(100):  # the child may not have made its group yet
            try:
                os.killpg(self.pid, number)
                return
            except ProcessLookupError:
                if not self._is_alive or os.waitpid(self.pid, os.WNOHANG)[0]:
                    self._is_alive = False
                    return
                time.sleep(0.01)


def in_fork(work: Callable[[], bytes], seconds: float = 60) -> bytes:
    """Run `work` in a forked process and bring back the bytes that it returns."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        signal.alarm(int(seconds))
        try:
            os.close(reader)
            data = work()
            with open(writer, "wb") as stream:  # noqa: PTH123 - a descriptor
                stream.write(data)
            status = 0
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, "rb") as stream:  # noqa: PTH123
        data = stream.read()
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the process failed with status {status}"
    return data


def run_notebook(
    *cells: tuple[str, str] | tuple[str, str, Rights],
    leading: str = "",
    limit: float = 10.0,
    spawn: object = None,
    lost: tuple[int, ...] = (),
    rights: Rights = PLAIN_RIGHTS,
) -> list[CellRun]:
    """Run cells given as (role, source[, rights]) after one leading instructor cell; returns what each of them gave."""

    def work() -> bytes:
        with tempfile.TemporaryDirectory() as around:
            Path(around, SCRATCH).mkdir()
            os.chdir(Path(around, SCRATCH))
            return ran()

    def ran() -> bytes:
        warmup.prepare([leading])
        first = Cell(index=0, role=Role.INSTRUCTOR, source=leading)
        made = [
            Cell(
                index=n,
                role=Role(role),
                source=source,
                grade_id=f"cell-{n}",
                time_limit=limit,
                hidden_lines=hidden(source),
                rights=more[0] if more else rights,
            )
            for n, (role, source, *more) in enumerate(cells, start=1)
        ]
        job = Job(leading=1, cells=(first, *made), lost=lost)
        return msgspec.msgpack.encode(sorted(tester.run(job, spawn or ForkedStudent), key=lambda run: run.index))  # type: ignore[arg-type]

    return msgspec.msgpack.decode(in_fork(work), type=list[CellRun])


def hidden(source: str) -> tuple[tuple[int, int], ...]:
    """The ranges of hidden lines in a test cell."""
    lines = source.split("\n")
    starts = [n for n, line in enumerate(lines, start=1) if "BEGIN HIDDEN TESTS" in line]
    ends = [n for n, line in enumerate(lines, start=1) if "END HIDDEN TESTS" in line]
    return tuple(zip(starts, ends, strict=True))


@pytest.fixture(scope="session", autouse=True)
def _libraries() -> None:
    """Import what is slow before anything is forked."""
    import numpy as np  # noqa: F401
    import pandas as pd  # noqa: F401
    import torch

    import grading_utils.checks.source  # noqa: F401

    torch.set_num_threads(1)


@pytest.fixture
def notebook() -> Callable[..., list[CellRun]]:
    return run_notebook


@pytest.fixture
def check() -> Callable[..., CellRun]:
    """One student cell, one test cell → what the test cell gave."""

    def run(
        student_source: str,
        test_source: str,
        leading: str = "",
        limit: float = 10.0,
        rights: Rights = PLAIN_RIGHTS,
    ) -> CellRun:
        cells = ("student", student_source), ("test", test_source)
        return run_notebook(*cells, leading=leading, limit=limit, rights=rights)[-1]

    return run


@pytest.fixture
def forked() -> Callable[..., bytes]:
    return in_fork
