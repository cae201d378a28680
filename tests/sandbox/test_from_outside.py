"""What a student's process is to the machine, seen by root from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..hostile.watching import descendants
from .conftest import Stage

PRIVATE = ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into such a process from outside")


@pytest.fixture
def students(stage: Stage) -> list[Path]:
    """Folders in /proc of the processes that student code is in: a student and one that it has forked."""
    before = descendants(os.getpid())
    stage.tester("s = students(); ask(s, 'import os, time; os.fork() or time.sleep(60)')")
    new = [Path("/proc", str(pid)) for pid in descendants(os.getpid()).keys() - before.keys()]
    return [folder for folder in new if "Seccomp:\t2" in (folder / "status").read_text()]


def test_a_student_has_seven_namespaces_of_its_own(students: list[Path]) -> None:
    assert len(students) == 2
    ours = {kind: Path("/proc/self/ns", kind).readlink() for kind in PRIVATE}
    for folder in students:
        assert [kind for kind in PRIVATE if (folder / "ns" / kind).readlink() == ours[kind]] == []


def test_a_student_of_root_is_an_unprivileged_user_outside(students: list[Path]) -> None:
    for folder in students:
        status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
        assert all(int(number) >= 1000 for number in (*status["Uid"].split(), *status["Gid"].split()))
        assert int(status["CapEff"], 16) == 0
