"""What a student's processes have used so far, read from the outside in `/proc`.

Called by the tester, never by the student. Measures; decides nothing.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grading_utils.sandbox import cgroups

_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")
_NANO: Final = 1e-9
_FREE_SOCKETS: Final = 32
_SOCKET_BYTES: Final = 416 << 10  # what a Unix socket may hold unread: `net.core.wmem_max`, doubled as the kernel does
_DESCRIPTOR_BYTES: Final = 4096  # two ends of a pipe share two pages at least
_PAIR_BYTES: Final = 256  # what watching one descriptor through another costs: each of half a table all of the rest
_MAPPING_BYTES: Final = 320
_MAPPINGS_EVERY: Final = 0.25  # seconds; listing the mappings of one process takes a millisecond
_FREE_DESCRIPTORS: Final = 64  # every process has a table of that size


@dataclass(frozen=True)
class Usage:
    """A student's processes at one moment."""

    cpu_seconds: float
    """Computed since the student started; never decreases."""
    queued_seconds: float | None
    """Spent ready to run while the machine was busy with others; None where the kernel does not tell."""
    tasks: int
    """Processes and threads."""
    processes: int
    """Processes alone."""
    memory_bytes: int
    """Upper bound of the memory that no file backs: pages shared between processes count in each of them."""


@dataclass
class Meter:
    """Reads the processes of one student.

    Args:
        pid: The student's first process, as seen from here.
        group: Descriptor of its control group, where it has one: nothing is more exact about processor time.
    """

    pid: int
    group: int | None = None
    _cpu: float = 0.0
    _queued: dict[str, float] = field(default_factory=dict)
    _queued_before: float = 0.0
    _tables: int = 0
    """Page tables of the first process as it started: its copies inherit about as much."""
    _mappings: dict[str, int] = field(default_factory=dict)
    """How many mappings each process had when they were counted last."""
    _inherited_mappings: int = 0
    _mappings_again: float = 0.0

    def __post_init__(self) -> None:
        # The student's own /proc lists exactly the processes of its namespace, whoever their parent is by now.
        root = f"/proc/{self.pid}/root/proc"
        self._tells_queue = Path("/proc/self/schedstat").exists()
        self._proc = -1
        with contextlib.suppress(OSError):
            self._proc = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
            self._tables = _kilobytes(self._text("1/status"), "VmPTE:")
            self._inherited_mappings = self._text("1/maps").count("\n")

    def is_blind(self) -> bool:
        """Whether there was no process to look at when this meter was made, or it is closed."""
        return self._proc < 0

    def close(self) -> None:
        """Release the view of the student's processes."""
        if self._proc >= 0:
            os.close(self._proc)
            self._proc = -1
        if self.group is not None:
            os.close(self.group)
            self.group = None

    def pids(self) -> list[str]:
        """The student's processes, named as in the `/proc` that this meter looks at."""
        if self._proc < 0:
            return []
        try:
            return [name for name in os.listdir(self._proc) if name.isdigit()]  # noqa: PTH208
        except OSError:  # the namespace is gone
            return []

    def open(self, pid: str) -> int:
        """A descriptor of one process, good for sending it a signal.

        Raises:
            OSError: The process is gone.
        """
        return os.open(pid, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._proc)

    def read(self) -> Usage:
        """Measure now; processes that vanish meanwhile are left out."""
        cpu = 0.0
        memory = tasks = 0
        pids = self.pids()
        for pid in pids:
            try:
                fields = self._stat(pid)
                cpu += sum(map(int, fields[11:15])) * _TICK  # own and reaped children's, user and system
                tasks += int(fields[17])
                status = self._text(f"{pid}/status")
                memory += _kilobytes(status, "RssAnon:", "RssShmem:", "VmSwap:") + self._kernel_memory(status)
                for task in self._list(f"{pid}/task") if self._tells_queue else ():
                    self._note_queued(f"{pid}/{task}", self._text(f"{pid}/task/{task}/schedstat"))
            except (OSError, IndexError):
                continue
        if self.group is not None:
            with contextlib.suppress(OSError):  # gone with the student
                cpu = max(cpu, cgroups.cpu_seconds(self.group))
        self._cpu = max(self._cpu, cpu)
        queued = self._queued_before + sum(self._queued.values())
        memory += self._unread() + self._mapped(pids)
        return Usage(self._cpu, queued if self._tells_queue else None, tasks, len(pids), memory)

    def exact_memory(self) -> int:
        """Memory that no file backs, each page once; slower than `read`. 0 when the student is gone."""
        pids = self.pids()
        total = self._unread() + self._mapped(pids)
        for pid in pids:
            try:
                total += _kilobytes(self._text(f"{pid}/smaps_rollup"), "Pss_Anon:", "Pss_Shmem:", "SwapPss:")
                total += self._kernel_memory(self._text(f"{pid}/status"))
            except PermissionError:
                return self.read().memory_bytes
            except OSError:
                continue
        return total

    def _kernel_memory(self, status: str) -> int:
        """What the kernel keeps for a process beyond what a fresh copy costs: page tables, pipes, event queues."""
        tables = max(0, _kilobytes(status, "VmPTE:") - self._tables)
        slots = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("FDSize:")), 0)
        if slots <= _FREE_DESCRIPTORS:
            return tables
        return tables + max(slots * _DESCRIPTOR_BYTES, slots**2 // 4 * _PAIR_BYTES)

    def _mapped(self, pids: list[str]) -> int:
        """What the kernel keeps for mappings, at most: every process counts as the one that was seen with the most.

        Listing them takes long where there are many, so one process at a time is looked at.
        """
        if (now := time.monotonic()) >= self._mappings_again and pids:
            self._mappings_again = now + _MAPPINGS_EVERY
            known = self._mappings
            pid = next((pid for pid in pids if pid not in known), None) or next(pid for pid in known if pid in pids)
            known = {other: count for other, count in known.items() if other in pids and other != pid}
            with contextlib.suppress(OSError):
                known[pid] = self._text(f"{pid}/maps").count("\n")  # now the last one in line
            self._mappings = known
        most = max(self._mappings.values(), default=0)
        return max(0, most - self._inherited_mappings) * len(pids) * _MAPPING_BYTES

    def _unread(self) -> int:
        """What may wait in sockets; all that the student made are listed, also those that are on their way in one."""
        try:
            sockets = self._text("1/net/unix").count("\n") - 1
        except OSError:
            return 0
        return max(0, sockets - _FREE_SOCKETS) * _SOCKET_BYTES

    def _note_queued(self, task: str, schedstat: str) -> None:
        seconds = int(schedstat.split()[1]) * _NANO
        before = self._queued.get(task, 0.0)
        if seconds < before:  # the number went to a new task
            self._queued_before += before
        self._queued[task] = seconds

    def _stat(self, pid: str) -> list[str]:
        # the second field is the program's name, in brackets, and may hold anything
        return self._text(f"{pid}/stat").rpartition(")")[2].split()

    def _list(self, path: str) -> list[str]:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._proc)
        try:
            return os.listdir(descriptor)  # noqa: PTH208
        finally:
            os.close(descriptor)

    def _text(self, path: str) -> str:
        descriptor = os.open(path, os.O_RDONLY, dir_fd=self._proc)
        with open(descriptor, errors="replace") as file:  # noqa: PTH123 (relative to a descriptor)
            return file.read()


def _kilobytes(text: str, *wanted: str) -> int:
    """The sum of some lines of a `status` or `smaps_rollup`, in bytes."""
    rows = (line.split() for line in text.splitlines())
    return sum(int(row[1]) * 1024 for row in rows if row and row[0] in wanted)
