"""Moves the warm process's memory to huge pages, so that forking it copies hundreds of table entries, not 100 000.

Only speed depends on it: on kernels before 6.1, or where memory is too fragmented, everything stays as it is.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from grading_utils.sandbox import kernel

_HUGE: Final = 2 << 20


def collapse() -> None:
    """Ask the kernel for huge pages behind all private memory that no file backs."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, permissions, _, _, inode, *_ = line.split()
        if permissions != "rw-p" or inode != "0":
            continue
        first, last = (int(part, 16) for part in span.split("-"))
        first, last = -(-first // _HUGE) * _HUGE, last // _HUGE * _HUGE
        if last > first:
            with contextlib.suppress(OSError):
                kernel.collapse(first, last - first)
