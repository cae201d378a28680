"""Holds students to their share of a card's memory: looks every second, and has whoever holds more ended.

PyTorch is told the share as well, but a student's process can tell it otherwise; and cards know no bound for a process.
So what counts is what the driver says that a process holds. It names processes as this machine does, which is why the
coordinator looks, and the warm process, which forked them, ends them. In between, a student can hold more for up to a
second: whoever finds no memory then is not to blame for it.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from grading_utils.devices import smi

LOOK_EVERY: Final = 1.0
"""Seconds."""


class GpuWatch(threading.Thread):
    """Watches the students of one jail.

    Args:
        jail: PID of the jail's process, whose only child is the warm process.
        share_mib: Memory that the processes of one student may hold together.
        end: Ends a student, named by its PID inside of the jail.
    """

    def __init__(self, jail: int, share_mib: int, end: Callable[[int], None]) -> None:
        super().__init__(name="gpu-watch", daemon=True)
        self._jail, self._share_mib, self._end = jail, share_mib, end
        self._stopped = threading.Event()
        self.start()

    def run(self) -> None:
        """Look until `stop`."""
        while not self._stopped.wait(LOOK_EVERY):
            self.look()

    def look(self) -> None:
        """Look once."""
        held: dict[int, int] = defaultdict(int)
        for pid, mib in smi.used_mib().items():
            if (student := first_process(pid, self._jail)) is not None:
                held[student] += mib
        for student, mib in held.items():
            if mib > self._share_mib:
                with contextlib.suppress(OSError):  # the warm process is gone, and its students with it
                    self._end(student)

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self is not threading.current_thread():
            self.join(LOOK_EVERY)


def first_process(pid: int, jail: int) -> int | None:
    """The student that a process of this machine belongs to, as the warm process numbers it; None for others.

    The parents of whatever a student has started end at the student's first process; that one's parent is the warm
    process, whose parent is the jail.
    """
    line: list[str] = []
    while pid > 1:
        try:
            status = Path("/proc", str(pid), "status").read_text()
        except OSError:
            return None
        rows = dict(row.split(":", 1) for row in status.splitlines() if ":" in row)
        if pid == jail:
            numbers = line[-2].split() if len(line) > 1 else []
            return int(numbers[1]) if len(numbers) > 1 else None
        line.append(rows["NSpid"])
        pid = int(rows["PPid"])
    return None
