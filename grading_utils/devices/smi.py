"""What `nvidia-smi` says about memory: how much a card has, and how much of it each process holds.

It comes with the driver and knows processes by their number on this machine. Nothing is remembered here.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from typing import Final

PROGRAM: Final = "nvidia-smi"
_SECONDS: Final = 20.0


def memory_mib() -> dict[str, int]:
    """The memory of every card in MiB, by UUID; empty where the program is missing or can't reach the driver."""
    rows = _ask("--query-gpu=uuid,memory.total")
    return {uuid: int(mib) for uuid, mib, *_ in rows if mib.isdigit()}


def used_mib() -> dict[int, int]:
    """What every computing process holds on all cards together, in MiB, by its PID on this machine.

    Where a driver does not tell how much (`[N/A]`), the process is left out.
    """
    used: dict[int, int] = defaultdict(int)
    for pid, mib, *_ in _ask("--query-compute-apps=pid,used_gpu_memory"):
        if pid.isdigit() and mib.isdigit():
            used[int(pid)] += int(mib)
    return dict(used)


def trouble() -> str:
    """Why the program can't be used, in words; "" where it can."""
    if shutil.which(PROGRAM) is None:
        return f"{PROGRAM} is not on the path"
    return "" if memory_mib() else f"{PROGRAM} can't reach the driver"


def _ask(query: str) -> list[list[str]]:
    program = shutil.which(PROGRAM)
    if program is None:
        return []
    command = [program, query, "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    if answer.returncode:
        return []
    rows = ([field.strip() for field in line.split(",")] for line in answer.stdout.splitlines())
    return [row for row in rows if len(row) > 1]
