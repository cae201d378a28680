"""What a student's process may use: one frozen record, everything else is denied.

This module only states the numbers. `view.py` turns the paths into mounts, `seal.py` enforces the kernel's limits,
`students.py` the measured ones. What cells may show is bounded where it is collected, in `boundary`.
"""

from __future__ import annotations

from dataclasses import dataclass

from grading_utils.devices.choice import Gpu

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Limits and permissions of one warm process and of every process forked from it."""

    readable: tuple[str, ...] = ()
    """Further files or folders of the machine that are visible, read-only, at their own path."""
    files: str | None = None
    """A folder visible, read-only, as `/assignment`; each of its entries is linked in the working directory."""
    hidden: tuple[str, ...] = ()
    """Paths that must not be visible: covered where a visible folder holds them."""
    environment: tuple[tuple[str, str], ...] = ()
    """Further environment variables of the warm process; none is inherited from the caller."""
    gpu: Gpu | None = None
    """The card that students' processes may use, its memory up to `gpu.share_mib`; None for none."""

    memory_bytes: int = 1024 * MIB
    """Memory of a student, or of a tester, beyond what it inherits from the warm process."""
    processes: int = 128
    """Processes and threads of a student at the same time; the copies put aside for its checks are among them."""
    open_files: int = 256
    """Open descriptors of one process."""
    file_bytes: int = 64 * MIB
    """Largest file."""
    scratch_bytes: int = 64 * MIB
    """All files of a student together."""
    scratch_files: int = 4096
    """Number of files and folders of a student."""
    stack_bytes: int = 8 * MIB
    """Stack of a student's main thread."""

    cell_seconds: float = 30.0
    """Time one cell may use: computing and sleeping count, waiting for a busy processor does not."""
    patience: float = 10.0
    """A cell is stopped after `patience` times its seconds on the wall clock, however busy the machine is."""
    life_cpu_seconds: int = 1800
    """Processor time of one process over its whole life."""
    start_seconds: float = 300.0
    """Wall-clock time for starting the warm process and running its set-up."""
