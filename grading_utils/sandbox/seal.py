"""Turns a fresh fork of the warm process into a student's or a tester's process, before any of their code runs.

Everything here happens in the forked process itself and cannot be undone by it. A student ends with its own
namespaces, an empty network, a private scratch folder, no descriptor but its socket, hard limits, no capability, no
way to gain one, and a system-call filter. A tester keeps a view of its students: it stays in the warm process's
namespaces, with a private scratch folder, the same bounds of memory and time, no new privileges and the same filter.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from grading_utils import open_files
from grading_utils.devices.choice import Gpu
from grading_utils.sandbox import kernel, seccomp
from grading_utils.sandbox.jail import STAGE
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.view import SCRATCH, STUDENT_ID

_STUDENT_NAMESPACES: Final = (
    kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | kernel.CLONE_NEWCGROUP
)
_NO_FILES_FLAGS: Final = kernel.MS_NOSUID | kernel.MS_NODEV
_PROC_WITH_GPU: Final = ("driver", "devices")
"""What of `/proc` the driver's library reads beside the processes: its own folder, and the numbers of its nodes."""
_FIRST_KILLED: Final = 900  # of 1000: when the machine runs out of memory, a student goes before anything else
_LARGEST: Final = 1 << 20


def _private_scratch(policy: Policy) -> None:
    """A fresh size-limited folder with a copy of what the set-up left in the warm process's own."""
    limits = f"mode=0700,size={policy.scratch_bytes},nr_inodes={policy.scratch_files}"
    kernel.mount("tmpfs", STAGE, "tmpfs", _NO_FILES_FLAGS, limits)
    shutil.copytree(SCRATCH, STAGE, symlinks=True, dirs_exist_ok=True)
    kernel.mount(STAGE, SCRATCH, None, kernel.MS_MOVE)
    os.chdir(SCRATCH)


def _private_processes(gpu: Gpu | None) -> None:
    """The process list of the student's own PID namespace, and nothing else of `/proc` but a card's driver."""
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    if gpu is None:
        kernel.mount("proc", "/proc", "proc", flags, "subset=pid")
        return
    kernel.mount("proc", "/proc", "proc", flags)
    _cover_all_but("/proc", lambda name: name.isdigit() or name in _PROC_WITH_GPU)
    _cover_all_but("/proc/driver", lambda name: name == "nvidia")
    _cover_all_but("/proc/driver/nvidia/gpus", lambda name: name == gpu.address)


def _cover_all_but(folder: str, is_shown: Callable[[str], bool]) -> None:
    """Hide a folder's other files under `/dev/null`, its other folders under empty ones; links lead to what is left."""
    for path in Path(folder).iterdir() if Path(folder).is_dir() else ():
        if is_shown(path.name) or path.is_symlink():
            continue
        if path.is_dir():
            kernel.mount("tmpfs", str(path), "tmpfs", kernel.MS_RDONLY | _NO_FILES_FLAGS, "size=4k,mode=0555")
        else:
            kernel.mount("/dev/null", str(path), None, kernel.MS_BIND)


def _close_descriptors(kept: tuple[int, ...]) -> None:
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        if standard not in kept:
            os.dup2(null, standard)
    start = 3
    for descriptor in sorted(kept):
        os.closerange(start, descriptor)
        start = max(start, descriptor + 1)
    os.closerange(start, _LARGEST)


def _inherited_data() -> int:
    """Bytes of private memory that count towards RLIMIT_DATA already."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _limit(kind: int, soft: int, hard: int | None = None) -> None:
    _, highest = resource.getrlimit(kind)
    wanted = soft if hard is None else hard
    ceiling = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
    resource.setrlimit(kind, (min(soft, ceiling), ceiling))


def _limit_values(policy: Policy, *, reserves: bool = False) -> None:
    """The limits of everybody who deals with a student's values, a tester included.

    Args:
        policy: The limits.
        reserves: Whether the process may reserve far more memory than it will use, as CUDA does. Then the control
            group bounds what it uses, or the measure from outside.
    """
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, policy.life_cpu_seconds, policy.life_cpu_seconds + 5)
    if not reserves:
        _limit(resource.RLIMIT_DATA, _inherited_data() + policy.memory_bytes)


def _set_limits(policy: Policy) -> None:
    Path("/proc/self/oom_score_adj").write_text(str(_FIRST_KILLED))
    _limit_values(policy, reserves=policy.gpu is not None)
    _limit(resource.RLIMIT_FSIZE, policy.file_bytes)
    _limit(resource.RLIMIT_MEMLOCK, 1 << 16)
    _limit(resource.RLIMIT_MSGQUEUE, 0)
    _limit(resource.RLIMIT_NOFILE, policy.open_files)
    _limit(resource.RLIMIT_SIGPENDING, 256)
    _limit(resource.RLIMIT_STACK, policy.stack_bytes)


def _become_student(policy: Policy) -> None:
    """Enter a user namespace in which this process is nobody special, and count its processes there."""
    kernel.unshare(kernel.CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{STUDENT_ID} 0 1"),
        ("gid_map", f"{STUDENT_ID} 0 1"),
    ):
        Path("/proc/self", name).write_text(text)
    # Only now: the limit at the time of `unshare` also binds all processes outside of the new namespace together.
    _limit(resource.RLIMIT_NPROC, policy.processes)


def seal_student(
    policy: Policy, kept: tuple[int, ...], files: frozenset[int] = frozenset(), *, is_counted: bool = False
) -> None:
    """Lock the calling process, a student's, into what the policy allows.

    Args:
        policy: The limits.
        kept: Descriptors that stay open.
        files: Descriptors that the set-up has left open; this process gets open files of its own under their numbers.
        is_counted: Whether the process is in a control group of its own.

    Raises:
        OSError: A step was refused; the process must not go on.
    """
    os.setsid()
    kernel.unshare(_STUDENT_NAMESPACES)
    _private_scratch(policy)
    open_files.reopen(files)
    _private_processes(policy.gpu)
    _close_descriptors((*kept, *files))
    _set_limits(policy)
    _become_student(policy)
    kernel.set_capabilities()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # without a control group the filter keeps it like that
    seccomp.load(is_counted=is_counted)


def seal_tester(policy: Policy, kept: tuple[int, ...], files: frozenset[int] = frozenset()) -> None:
    """Give the calling process, a tester's, its own files and take its privileges away.

    It keeps two capabilities over the warm process's namespaces: to end its students and to measure their memory.
    """
    os.setsid()
    _close_descriptors((*kept, *files, 1, 2))
    kernel.unshare(kernel.CLONE_NEWNS)
    _private_scratch(policy)
    open_files.reopen(files)
    _limit_values(policy)
    kernel.set_capabilities(frozenset({kernel.CAP_KILL, kernel.CAP_SYS_PTRACE}))
    seccomp.load()
