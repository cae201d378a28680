"""CUDA in processes that are forked from one another: started in a student's process only, and never before the fork.

CUDA does not survive a fork. So the warm process says that there is a card, since the policy gives one, and refuses to
start it: an instructor's cell that would is left for after the fork (`warmup`). A tester has no card: what it computes
is the reference, and is the same on every machine. A student's process that has started CUDA can't be copied, so checks
that need a copy get a fresh process in which the cells run again (`tester.notebook`).

Without a card (`is_given`), nothing here does anything, and nothing imports torch.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from grading_utils.devices.choice import CPU, CUDA, DEVICE_VARIABLE, FRACTION_VARIABLE

FULL = "the GPU had no memory left, or did not start, and another submission may be why; grade it again"
"""Why a score is open after that."""

TOO_EARLY = "CUDA is not started before the students' processes are forked: this cell runs again after that"

_DRIVER = "/dev/nvidia-uvm"
_NOT_THEIRS = re.compile(
    r"CUDA (?:error: )?out of memory|(?:CUBLAS|CUDNN)_STATUS_ALLOC_FAILED|No CUDA GPUs are available"
    r"|CUDA (?:driver )?(?:initialization|unknown error)|Cannot re-initialize CUDA"
)
_asked: list[str] = []


def is_given() -> bool:
    """Do students' processes that are forked from this one have a card?"""
    return os.environ.get(DEVICE_VARIABLE) == CUDA


def prepare() -> None:
    """What is settled once, in the warm process, for all that is forked from it.

    PyTorch is to compute the same each time, and as exactly as the processor does; see "Reproducibility" in its
    documentation. What knows no repeatable way only warns. A student's share of the memory is told to PyTorch as soon
    as CUDA starts. That is a courtesy, which student code can undo: what counts is `sandbox.gpu_watch`.
    """
    if not is_given():
        return
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    fraction = float(os.environ.get(FRACTION_VARIABLE, "1"))
    torch.cuda._lazy_call(lambda: torch.cuda.set_per_process_memory_fraction(fraction))  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def before_the_fork() -> Iterator[None]:
    """Refuse to start CUDA meanwhile, and say that there is a card without looking; `was_asked` tells of it.

    Raises:
        RuntimeError: Something has started the driver all the same, without torch; no fork could use it any more.
    """
    if not is_given():
        yield
        return
    import torch

    def refuse() -> None:
        _asked.append(TOO_EARLY)
        raise RuntimeError(TOO_EARLY)

    instead: dict[str, Any] = {"_lazy_init": refuse, "is_available": lambda: True, "device_count": lambda: 1}
    before = {name: getattr(torch.cuda, name) for name in instead}
    for name, function in instead.items():
        setattr(torch.cuda, name, function)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(torch.cuda, name, function)
    if torch.cuda.is_initialized() or driver_is_open():  # type: ignore[no-untyped-call]
        raise RuntimeError("a locked cell has started CUDA before the fork: put it after the first cell of an answer")


def was_asked() -> bool:
    """Was CUDA asked to start, and refused to, since this was asked last?"""
    found = bool(_asked)
    _asked.clear()
    return found


def driver_is_open() -> bool:
    """Has this process a descriptor of the driver's that only starting CUDA opens?"""
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(entry.readlink()) == _DRIVER:
                return True
    return False


def in_tester() -> None:
    """Set up a tester's process, which computes on the processor."""
    if is_given():
        os.environ.update({DEVICE_VARIABLE: CPU, "CUDA_VISIBLE_DEVICES": ""})


def has_started() -> bool:
    """Has CUDA been started in this process, so that no copy of it could use the card?"""
    torch = sys.modules.get("torch")
    return torch is not None and is_given() and bool(torch.cuda.is_initialized())


def is_not_theirs(name: str, text: str) -> bool:
    """Is an exception one that a student's code meets when others have filled the card, or when it fails?"""
    return name == "OutOfMemoryError" or _NOT_THEIRS.search(text) is not None


def met_by(outputs: Iterable[dict[str, Any]]) -> bool:
    """Did a cell with these outputs meet one?"""
    errors = (output for output in outputs if output.get("output_type") == "error")
    return any(is_not_theirs(str(error.get("ename")), str(error.get("evalue"))) for error in errors)
