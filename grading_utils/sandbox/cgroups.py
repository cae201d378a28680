"""A control group for each student, where the machine lets us: then the kernel counts and bounds what it uses.

Only the second version of control groups is used, and only a part of the hierarchy that is ours: as root a group at
its top, as an ordinary user below a group that was delegated (`systemd-run --user --scope -p Delegate=yes …`).
Elsewhere `claim` gives None, and everything is measured in `/proc` (`usage.py`), which stays the finer measure: the
bounds here are a tenth above the policy's, so that a student is told what happened instead of being ended.

`claim` and `release` are the coordinator's, `settle` the jail's, `Groups` the warm process's, the rest a tester's.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from pathlib import Path
from typing import Final

from grading_utils.sandbox.policy import Policy

_NAME: Final = "grading-utils"
_WARM: Final = "warm"
_CONTROLLERS: Final = ("memory", "pids")
_SLACK: Final = 1.1
_RELEASE_SECONDS: Final = 5.0
_YOUNG_SECONDS: Final = 60.0  # a group that was made just now is still empty
_numbers = itertools.count()


def claim() -> Path | None:
    """Make a group of our own for one warm process; None where the machine gives none."""
    top, own = _hierarchy()
    if top is None:
        return None
    parents = [top] if os.geteuid() == 0 else []
    for parent in [*parents, top / own.lstrip("/")]:
        if parent != top:
            _vacate(parent)
        _enable(parent)
        _sweep(parent)
        group = parent / f"{_NAME}-{os.getpid()}-{next(_numbers)}"
        with contextlib.suppress(OSError):
            group.mkdir()
            if (group / "cpu.stat").exists():
                return group
            group.rmdir()
    return None


def release(group: Path) -> None:
    """Remove a group whose processes have ended, with everything below it."""
    deadline = time.monotonic() + _RELEASE_SECONDS
    while group.exists():
        with contextlib.suppress(OSError):
            for child in group.iterdir():
                if child.is_dir():
                    child.rmdir()
            group.rmdir()
            return
        if time.monotonic() > deadline:  # the next `claim` sweeps
            return
        time.sleep(0.01)


def hand_over(group: Path, user: int | None) -> int:
    """Enter a group and let it be managed by the user that this process is about to become.

    Args:
        group: What `claim` made.
        user: That user; None for the present one.

    Returns:
        A descriptor of the group.
    """
    warm = group / _WARM
    warm.mkdir()
    if user is not None:
        for path in (group, warm):
            os.chown(path, user, user)
            for name in ("cgroup.procs", "cgroup.subtree_control"):
                os.chown(path / name, user, user)
    _write(group / "cgroup.procs", "0")
    return os.open(group, os.O_RDONLY | os.O_DIRECTORY)


def settle(group: int, pids: tuple[int, ...]) -> None:
    """Move the first processes to a leaf, so that the group itself can bound its other children."""
    for pid in pids:
        _write_at(group, f"{_WARM}/cgroup.procs", str(pid))
    for controller in _CONTROLLERS:
        with contextlib.suppress(OSError):  # what is not offered here is measured only
            _write_at(group, "cgroup.subtree_control", f"+{controller}")


class Groups:
    """The warm process's end: a leaf for each student.

    Args:
        group: Descriptor of the group.
        policy: The bounds.
    """

    def __init__(self, group: int, policy: Policy) -> None:
        self._group = group
        self._policy = policy
        self._old: list[str] = []

    def leaf(self) -> tuple[str, int]:
        """Make a leaf; returns its name and a descriptor of it."""
        self._remove_old()
        name = f"student-{next(_numbers)}"
        os.mkdir(name, dir_fd=self._group)
        leaf = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._group)
        memory = int(self._policy.memory_bytes * _SLACK) + self._policy.scratch_bytes
        for file, value in (
            ("memory.max", memory),
            ("memory.swap.max", 0),
            ("memory.oom.group", 1),
            ("pids.max", self._policy.processes),
        ):
            with contextlib.suppress(OSError):
                _write_at(leaf, file, str(value))
        return name, leaf

    def ran_out_of_memory(self, name: str) -> bool:
        """Did the kernel end the processes of a leaf because of its bound?"""
        try:
            return _number(self._group, f"{name}/memory.events", "oom_kill") > 0
        except OSError:
            return False

    def remove(self, name: str) -> None:
        """Remove the leaf of a student that has ended, now or as soon as it is empty."""
        self._old.append(name)
        self._remove_old()

    def _remove_old(self) -> None:
        for name in tuple(self._old):
            with contextlib.suppress(OSError):
                os.rmdir(name, dir_fd=self._group)
                self._old.remove(name)


def enter(leaf: int) -> None:
    """Move the calling process into a leaf; what it forks follows."""
    _write_at(leaf, "cgroup.procs", "0")
    os.close(leaf)


def cpu_seconds(leaf: int) -> float:
    """Processor time of everything that has ever run in a leaf.

    Raises:
        OSError: The leaf is gone.
    """
    return _number(leaf, "cpu.stat", "usage_usec") / 1e6


def _hierarchy() -> tuple[Path | None, str]:
    """Where the hierarchy is mounted, and the path of this process's own group in it."""
    try:
        mounts = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
        top = next((Path(f[4]) for f in mounts if f[3] == "/" and f[f.index("-") + 1] == "cgroup2"), None)
        groups = Path("/proc/self/cgroup").read_text().splitlines()
        return top, next((line[3:] for line in groups if line.startswith("0::/")), "/")
    except OSError:
        return None, "/"


def _vacate(parent: Path) -> None:
    """Leave a delegated group for a leaf of it: a group with processes of its own can't bound its children."""
    leaf = parent / f"{_NAME}-coordinator"
    with contextlib.suppress(OSError):
        leaf.mkdir(exist_ok=True)
        _write(leaf / "cgroup.procs", "0")


def _enable(parent: Path) -> None:
    for controller in _CONTROLLERS:
        with contextlib.suppress(OSError):
            if controller not in (parent / "cgroup.subtree_control").read_text().split():
                _write(parent / "cgroup.subtree_control", f"+{controller}")


def _sweep(parent: Path) -> None:
    """Remove what coordinators that were killed have left."""
    with contextlib.suppress(OSError):
        for group in parent.glob(f"{_NAME}-*-*"):
            if _is_abandoned(group):
                release(group)


def _is_abandoned(group: Path) -> bool:
    """Is its coordinator gone? One in another PID namespace can't be seen, but what it has started is in the group."""
    if Path("/proc", group.name.split("-")[2]).exists() or time.time() - group.stat().st_ctime < _YOUNG_SECONDS:
        return False
    return "populated 0" in (group / "cgroup.events").read_text()


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _write_at(folder: int, name: str, text: str) -> None:
    descriptor = os.open(name, os.O_WRONLY, dir_fd=folder)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _number(folder: int, file: str, key: str) -> int:
    descriptor = os.open(file, os.O_RDONLY, dir_fd=folder)
    try:
        rows = dict(line.split() for line in os.read(descriptor, 1 << 16).decode().splitlines())
        return int(rows.get(key, 0))
    finally:
        os.close(descriptor)
