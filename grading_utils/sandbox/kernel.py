"""The Linux system calls that Python 3.11 does not offer, as small functions that raise `OSError`.

Only calls and constants: what is done with them is in `jail.py` and `seal.py`.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWCGROUP: Final = 0x02000000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_BIND: Final = 4096
MS_MOVE: Final = 8192
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MNT_DETACH: Final = 2

MOUNT_ATTR_RDONLY: Final = 1
MOUNT_ATTR_NOSUID: Final = 2
MOUNT_ATTR_NODEV: Final = 4

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_SECCOMP: Final = 22
PR_CAPBSET_DROP: Final = 24
PR_SET_SECUREBITS: Final = 28
PR_SET_NO_NEW_PRIVS: Final = 38
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
SECCOMP_MODE_FILTER: Final = 2
SECUREBITS_ALL_LOCKED: Final = 0xEF  # everything on and locked but KEEP_CAPS, which is locked off

CAP_KILL: Final = 5
CAP_SYS_PTRACE: Final = 19

_AT_FDCWD = -100
_AT_EMPTY_PATH = 0x1000
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4
# These three numbers are the same on every architecture (they were added after the tables were unified).
_SYS_OPEN_TREE, _SYS_MOVE_MOUNT, _SYS_MOUNT_SETATTR = 428, 429, 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_LINUX_CAPABILITY_VERSION_3 = 0x20080522

_MADV_COLLAPSE = 25

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _syscall(what: str, number: int, *arguments: object) -> int:
    return _check(_libc.syscall(ctypes.c_long(number), *arguments), what)


def machine() -> str:
    """The architecture, as in `uname -m`."""
    return os.uname().machine


def unshare(flags: int) -> None:
    """Move this process (for PIDs: its next children) into new namespaces."""
    _check(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Join the namespace behind a descriptor."""
    _check(_libc.setns(fd, kind), "setns")


def prctl(option: int, value: int = 0, third: object = 0) -> None:
    """Set one property of this process."""
    last = third if isinstance(third, int) else ctypes.cast(third, ctypes.c_void_p)  # type: ignore[arg-type]
    wide = ctypes.c_ulong(last) if isinstance(last, int) else last
    zero = ctypes.c_ulong(0)
    _check(_libc.prctl(option, ctypes.c_ulong(value), wide, zero, zero), f"prctl({option})")


def sethostname(name: str) -> None:
    """Name this machine, as seen from the current UTS namespace."""
    raw = name.encode()
    _check(_libc.sethostname(raw, ctypes.c_size_t(len(raw))), "sethostname")


def collapse(address: int, length: int) -> None:
    """Put a range of this process's memory on huge pages."""
    _check(_libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(length), _MADV_COLLAPSE), "madvise")


def mount(source: str, target: str, kind: str | None, flags: int = 0, data: str = "") -> None:
    """Mount a file system, or change or move an existing mount."""
    arguments = (source.encode(), target.encode(), kind.encode() if kind else None)
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None)
    _check(result, f"mount {kind or source} on {target}")


def detach(target: str) -> None:
    """Take a mount out of the tree; it vanishes with its last user."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def clone_tree(path: str) -> int:
    """A descriptor of a detached copy of the mounts at and below `path`."""
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE
    what = f"open_tree {path}"
    return _syscall(what, _SYS_OPEN_TREE, _AT_FDCWD, path.encode(), ctypes.c_uint(flags))


def attach_tree(fd: int, target: str) -> None:
    """Mount the detached tree behind `fd` on `target`."""
    flags = ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH)
    _syscall(f"move_mount {target}", _SYS_MOVE_MOUNT, fd, b"", _AT_FDCWD, target.encode(), flags)


def restrict_tree(fd: int, attributes: int) -> None:
    """Add attributes (read-only, no setuid, no devices) to every mount of the tree behind `fd`."""
    _set_attributes(fd, b"", _AT_EMPTY_PATH | _AT_RECURSIVE, attributes)


def restrict_mount(path: str, attributes: int) -> None:
    """Add attributes to the one mount at `path`."""
    _set_attributes(_AT_FDCWD, path.encode(), 0, attributes)


def _set_attributes(fd: int, path: bytes, flags: int, attributes: int) -> None:
    record = _MountAttr(attributes, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(record))
    where = (fd, path, ctypes.c_uint(flags))
    _syscall("mount_setattr", _SYS_MOUNT_SETATTR, *where, ctypes.byref(record), size)


def pivot_root(new_root: str) -> None:
    """Make `new_root` this namespace's root and let go of the old one."""
    os.chdir(new_root)
    _syscall("pivot_root", _SYS_PIVOT_ROOT[machine()], b".", b".")
    detach(".")
    os.chdir("/")


def set_capabilities(kept: frozenset[int] = frozenset()) -> None:
    """Reduce this process to the given capabilities, for good: also for what it executes or forks."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # one past the last capability of this kernel
    prctl(PR_SET_SECUREBITS, SECUREBITS_ALL_LOCKED)
    low = sum(1 << capability for capability in kept)
    header = _CapHeader(_LINUX_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)(_CapData(low, low, 0), _CapData(0, 0, 0))
    _syscall("capset", _SYS_CAPSET[machine()], ctypes.byref(header), ctypes.byref(data))
