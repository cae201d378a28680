"""A warm process without heavy libraries, and a way to run code in testers and students forked from it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grading_utils.errors import SandboxError
from grading_utils.sandbox.policy import MIB, Policy
from grading_utils.sandbox.probe import require_isolation
from grading_utils.sandbox.server import Tester, WarmProcess

INSIDE = Path(__file__).with_name("inside")
SETUP = """
import random, pathlib
random.seed(20)
loaded = {"weights": [1, 2, 3]}
pathlib.Path("table.csv").write_text("a,b\\n1,2\\n")
answer = "warm"
"""
POLICY = Policy(
    readable=(str(INSIDE),),
    environment=(("PYTHONPATH", str(INSIDE)),),
    memory_bytes=256 * MIB,
    scratch_bytes=8 * MIB,
    scratch_files=100,
    file_bytes=16 * MIB,
    processes=12,
    start_seconds=120.0,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    mine = [item for item in items if here in item.path.parents]
    if not mine:
        return
    try:
        require_isolation()
    except SandboxError as error:
        for item in mine:
            item.add_marker(pytest.mark.skip(reason=f"this machine cannot isolate: {error}"))


class Stage:
    """One tester of a warm process; code goes in as text, answers come back as data."""

    def __init__(self, tester: Tester) -> None:
        self._tester = tester

    def tester(self, code: str) -> Any:
        """Run code in the tester, which knows `students()` and `ask(student, code)`."""
        import stage  # from INSIDE, put on the path below

        stage.send(self._tester.socket, code)
        self._tester.socket.settimeout(120)
        return stage.receive(self._tester.socket)

    def student(self, code: str, seconds: float = 20.0) -> Any:
        """Run code in a fresh student."""
        return self.tester(f"s = students()\ns.start({seconds})\nanswer = ask(s, {code!r})\ns.close()")


@pytest.fixture(scope="session", autouse=True)
def _importable() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(INSIDE))
        yield


def start(policy: Policy = POLICY, setup: str = SETUP, **changes: Any) -> WarmProcess:
    """A warm process for these tests."""
    return WarmProcess.start(
        replace(policy, **changes),
        tester="stage:tester",
        student="stage:student",
        setup=("stage:setup", setup.encode()),
    )


@pytest.fixture(scope="session")
def warm() -> Iterator[WarmProcess]:
    with start() as process:
        yield process


@pytest.fixture
def stage(warm: WarmProcess) -> Iterator[Stage]:
    with warm.fork_tester() as tester:
        yield Stage(tester)


@pytest.fixture
def start_warm() -> Callable[..., WarmProcess]:
    return start


def family(pid: int) -> set[int]:
    """The PIDs of a process and all its descendants, as this machine's `/proc` has them."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(entry.name)] = int(fields[1])
    found = {pid} & parents.keys()
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


def jails() -> set[int]:
    """The jails below this process; those of other tests that run in it as well."""
    return {pid for pid in family(os.getpid()) if _is_jail(pid)}


def end_jails(others: set[int]) -> None:
    """Kill all of them but those of other tests, with everything that runs in them."""
    for pid in {member for jail in jails() - others for member in family(jail)}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _is_jail(pid: int) -> bool:
    try:
        return b"grading_utils.sandbox.jail" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
