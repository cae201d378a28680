"""Files that a process has open, and giving them to a fork of it without a shared position.

A fork inherits descriptors, but they stay the same open files: what one process reads, the other doesn't get any
more. And a number that is merely closed is soon somebody else's: a handle in a notebook would then read from, or
close, a socket. So what a fork is to keep is opened anew under its old number.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_KEPT_FLAGS = os.O_ACCMODE | os.O_APPEND | os.O_NONBLOCK
_FIRST = 3  # standard input, output and error are nobody's files


def open_descriptors() -> frozenset[int]:
    """Every descriptor of this process but the standard ones."""
    with os.scandir("/proc/self/fd") as entries:
        found = {int(entry.name) for entry in entries}
    return frozenset(number for number in found if number >= _FIRST and _is_open(number))


def positions() -> dict[int, int]:
    """Where each regular file that is open will be read or written next, by descriptor."""
    return {n: os.lseek(n, 0, os.SEEK_CUR) for n in open_descriptors() if stat.S_ISREG(os.fstat(n).st_mode)}


def reopen(descriptors: Iterable[int]) -> None:
    """Make this process's own open files of inherited ones, under the same numbers and at the same positions.

    What is no regular file, or can't be opened any more, becomes `/dev/null`: its number stays taken.
    """
    for number in descriptors:
        if not _is_open(number):
            continue
        fresh = _opened_again(number)
        os.dup2(fresh, number, inheritable=False)
        os.close(fresh)


def _opened_again(number: int) -> int:
    if stat.S_ISREG(os.fstat(number).st_mode):
        position = os.lseek(number, 0, os.SEEK_CUR)
        flags = fcntl.fcntl(number, fcntl.F_GETFL) & _KEPT_FLAGS
        try:  # by its name: a fork may have a copy of its own there
            fresh = os.open(Path(f"/proc/self/fd/{number}").readlink(), flags)
        except OSError:
            return os.open(os.devnull, os.O_RDWR)
        os.lseek(fresh, position, os.SEEK_SET)
        return fresh
    return os.open(os.devnull, os.O_RDWR)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
