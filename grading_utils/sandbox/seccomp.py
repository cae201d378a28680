"""The system-call filter of student and tester processes, written out as classic BPF.

It denies what a notebook never needs and what has been a way out of containers: new namespaces and mounts, tracing,
other processes' memory, kernel keyrings, BPF, io_uring, file events, network sockets, shared memory that no file backs,
which nobody outside could count, and memory that grows downwards, which RLIMIT_DATA leaves out. A denied call fails
with EPERM (ENOSYS where a library then falls back to an older call), so honest code gets an ordinary Python error.
Where no control group counts, one call succeeds without effect: telling the kernel what to do about SIGCHLD, since the
time of a child that nobody waits for would be lost. Calls of another architecture kill the process. x86_64 and aarch64
only; anywhere else loading fails.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from typing import Final

from grading_utils.sandbox import kernel

_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_KILL: Final = 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_OFFSET_NUMBER, _OFFSET_ARCH = 0, 4
_ARGUMENTS: Final = tuple(range(16, 64, 8))  # where the lower half of each of the six is
_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT: Final = 0x40000000
_LAST_KNOWN: Final = 462  # mseal, Linux 6.10: anything newer does not exist for a student

# name: (x86_64, aarch64); None where the architecture lacks the call.
_CALLS: Final[dict[str, tuple[int | None, int | None]]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fcntl": (72, 25),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "io_setup": (206, 0),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "listmount": (458, 458),
    "lookup_dcookie": (212, 18),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mmap": (9, 222),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "rt_sigaction": (13, 134),
    "seccomp": (317, 277),
    "semget": (64, 190),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "statmount": (457, 457),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
_NEW_NAMESPACES: Final = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWCGROUP
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
)
_AF_UNIX: Final = 1
# Becoming dumpable would open /proc/<pid>/mem of a student's main process to its own test processes; PR_SET_MM
# rewrites the memory layout; PR_SET_PTRACER invites a debugger.
_DENIED_PRCTL: Final = (kernel.PR_SET_DUMPABLE, 35, 0x59616D61)
_DENIED_FCNTL: Final = (1024, 1026)  # F_SETLEASE and F_NOTIFY: signals when somebody touches a file or a folder
_MAP_SHARED, _MAP_ANONYMOUS, _MAP_GROWSDOWN = 0x01, 0x20, 0x100
_SIGCHLD: Final = 17
_MISSING: Final = frozenset({"clone3", "memfd_create"})  # callers fall back to an older call on ENOSYS only
_CONDITIONAL: Final = frozenset({"clone", "socket", "socketpair", "prctl", "fcntl", "mmap", "rt_sigaction"})

_Instruction = tuple[int, int, int, int]


def _denied(number: int = errno.EPERM) -> _Instruction:
    return (_RETURN, 0, 0, _ERRNO | number)


def _none_of(values: tuple[int, ...]) -> list[_Instruction]:
    """Instructions that deny a call whose loaded argument is one of the values."""
    return [instruction for value in values for instruction in ((_EQUAL, 0, 1, value), _denied())]


def _rule(name: str, number: int) -> list[_Instruction]:
    """Instructions that decide one call and otherwise fall through with the call's number still loaded."""
    allow: _Instruction = (_RETURN, 0, 0, _ALLOW)
    first, second, _, fourth, *_ = [(_LOAD, 0, 0, offset) for offset in _ARGUMENTS]
    if name == "clone":
        body = [first, (_ANY_BIT, 0, 1, _NEW_NAMESPACES), _denied(), allow]
    elif name in ("socket", "socketpair"):
        body = [first, (_EQUAL, 1, 0, _AF_UNIX), _denied(), allow]
    elif name == "prctl":
        body = [first, *_none_of(_DENIED_PRCTL), allow]
    elif name == "fcntl":
        body = [second, *_none_of(_DENIED_FCNTL), allow]
    elif name == "mmap":
        body = [fourth, (_ANY_BIT, 0, 1, _MAP_GROWSDOWN), _denied()]
        body += [(_ANY_BIT, 0, 2, _MAP_ANONYMOUS), (_ANY_BIT, 0, 1, _MAP_SHARED), _denied(), allow]
    elif name == "rt_sigaction":  # asking, with a null pointer for what to do, is no telling
        high = (_LOAD, 0, 0, _ARGUMENTS[1] + 4)
        body = [first, (_EQUAL, 0, 5, _SIGCHLD), second, (_EQUAL, 0, 2, 0), high, (_EQUAL, 1, 0, 0)]
        body += [_denied(0), allow]
    else:
        body = [_denied(errno.ENOSYS if name in _MISSING else errno.EPERM)]
    return [(_EQUAL, 0, len(body), number), *body]


def program(machine: str, *, is_counted: bool = False) -> bytes:
    """The filter as an array of `struct sock_filter`.

    Args:
        machine: Architecture as in `uname -m`.
        is_counted: Whether a control group counts the time of all children, those that nobody waits for included; then
            a program may handle SIGCHLD, as a shell does that waits for its background jobs.

    Raises:
        OSError: The architecture is not one of the two that the table covers.
    """
    if machine not in _ARCH:
        raise OSError(errno.ENOSYS, f"no system-call filter for {machine}")
    column = 0 if machine == "x86_64" else 1
    code: list[_Instruction] = [
        (_LOAD, 0, 0, _OFFSET_ARCH),
        (_EQUAL, 1, 0, _ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _OFFSET_NUMBER),
    ]
    if machine == "x86_64":
        code += [(_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _KILL)]
    code += [(_AT_LEAST, 0, 1, _LAST_KNOWN + 1), _denied(errno.ENOSYS)]
    for name, numbers in _CALLS.items():
        number = numbers[column]
        if number is not None and not (is_counted and name == "rt_sigaction"):
            code += _rule(name, number)
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def load(*, is_counted: bool = False) -> None:
    """Put this process and everything it will start under the filter, for good; see `program` for `is_counted`."""
    code = program(kernel.machine(), is_counted=is_counted)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    record = _Program(len(code) // 8, code)
    kernel.prctl(kernel.PR_SET_SECCOMP, kernel.SECCOMP_MODE_FILTER, ctypes.byref(record))
