"""Run a command to its end and say what it took: wall time, processor time of all its processes, memory.

Knows nothing of grading. Linux only: memory is read from `/proc`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY = 0.2


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    wall_seconds: float
    cpu_seconds: float
    """User and system time of all processes together."""
    peak_pss: int = 0
    """Bytes, pages shared between processes counted once; 0 where nobody looked."""


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], *, look: bool = False) -> Cost:
    """Run a command whose exit status does not matter, with its output thrown away.

    Args:
        command: Program and arguments.
        folder: Working directory.
        environment: Variables beside those of this process.
        look: Whether to watch the memory, which itself takes some time.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    if look:
        watcher.start()
    process.wait()
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if look:
        watcher.join()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_pss, family(process.pid))))
        time.sleep(_LOOK_EVERY)


def family(first: int) -> list[int]:
    """A process and everything below it."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children[parent].append(int(entry.name))
    found = [first]
    for pid in found:
        found += children[pid]
    return found


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


@dataclass(frozen=True)
class Use:
    """What a process and all that it has started have taken so far."""

    own_cpu_seconds: float
    """Of the process alone."""
    cpu_seconds: float
    """Of all processes together, those that have ended included."""
    resident: int
    """Bytes of the process alone, pages of files that it has mapped included."""


def use_of(first: int) -> Use:
    """What a running process has taken, from `/proc`."""
    times = {pid: times for pid in family(first) if (times := _times(pid)) is not None}
    status = Path(f"/proc/{first}/status").read_text()
    resident = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
    tick = os.sysconf("SC_CLK_TCK")
    return Use(sum(times[first][:2]) / tick, sum(map(sum, times.values())) / tick, resident)


def _times(pid: int) -> tuple[int, ...] | None:
    """User and system time of a process, and of those of its children that have ended, in ticks."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return tuple(map(int, fields[11:15]))
    return None
