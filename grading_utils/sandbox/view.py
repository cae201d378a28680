"""What of the machine is visible inside a jail: computed by the coordinator, built by `jail.py`.

The list holds the interpreter, the installed packages, this package, system libraries, fonts and what the policy
names. The folder around an editable install is not in it: that folder has solutions and a gradebook.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import msgspec

from grading_utils.errors import SandboxError
from grading_utils.sandbox.policy import Policy

SCRATCH: Final = "/scratch"
ASSIGNMENT: Final = "/assignment"
STUDENT_ID: Final = 1000
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/gnu/store", "/nix/store")
_ETC: Final = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types")
_DEVICES: Final = ("null", "full", "random", "urandom")  # mapping "zero" would be memory that nobody counts
_ALWAYS_HIDDEN: Final = ("/usr/local/share/nbgrader",)  # nbgrader's exchange: everybody's submissions
_PROCESSORS: Final = "/sys/devices/system/cpu"  # numerical libraries ask how many there are
_STUBS: Final = (
    ("/etc/passwd", f"root:x:0:0::{SCRATCH}:/bin/sh\nstudent:x:{STUDENT_ID}:{STUDENT_ID}::{SCRATCH}:/bin/sh\n"),
    ("/etc/group", f"root:x:0:\nstudent:x:{STUDENT_ID}:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
)
_LINKS: Final = (
    ("/tmp", SCRATCH),
    ("/var/tmp", SCRATCH),
    ("/dev/shm", SCRATCH),
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
)


class Bind(msgspec.Struct, frozen=True):
    """One path of the machine, shown read-only inside the jail."""

    source: str
    target: str
    device: bool = False


class View(msgspec.Struct, frozen=True):
    """Everything that a jail's root consists of, besides an empty scratch folder."""

    binds: tuple[Bind, ...]
    links: tuple[tuple[str, str], ...]
    stubs: tuple[tuple[str, str], ...]
    masks: tuple[str, ...]
    """Paths below a bind that are covered: folders appear empty, files cannot be read."""


def _import_folders() -> list[str]:
    """The folders that the interpreter's own modules and the installed packages live in."""
    folders = [sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix]
    folders.append(str(Path(os.path.realpath(sys.executable)).parent.parent))
    folders.append(str(Path(__file__).resolve().parent.parent))
    return folders


def _outermost(paths: list[str]) -> list[str]:
    """The paths without those that lie below another one."""
    kept: list[str] = []
    for path in sorted({os.path.abspath(path) for path in paths}):  # noqa: PTH100 (links must stay)
        if not any(_is_below(path, other) for other in kept):
            kept.append(path)
    return kept


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def make_view(policy: Policy) -> View:
    """List what the jail shows.

    Raises:
        SandboxError: A path that the policy wants to see does not exist, or one that it wants hidden would show.
    """
    links = list(_LINKS)
    wanted = _import_folders()
    for folder in _SYSTEM:
        if Path(folder).is_symlink():
            links.append((folder, str(Path(folder).readlink())))
        elif Path(folder).exists():
            wanted.append(folder)
    for path in policy.readable:
        if not Path(path).exists():
            raise SandboxError(f"{path} is to be readable in the sandbox, but does not exist")
        wanted.append(path)
    binds = [Bind(path, path) for path in _outermost(wanted)]
    binds += [Bind(f"/etc/{name}", f"/etc/{name}") for name in _ETC if Path("/etc", name).exists()]
    binds += [Bind(f"/dev/{name}", f"/dev/{name}", device=True) for name in _DEVICES]
    if Path(_PROCESSORS).is_dir():
        binds.append(Bind(_PROCESSORS, _PROCESSORS))
    if policy.gpu is not None:
        binds += [Bind(source, target, device=True) for source, target in policy.gpu.nodes]
        shown = [bind.target for bind in binds]
        binds += [Bind(*pair) for pair in policy.gpu.files if not any(_is_below(pair[1], path) for path in shown)]
    if policy.files is not None:
        if not Path(policy.files).is_dir():
            raise SandboxError(f"{policy.files} is to be the assignment's folder, but is not a folder")
        binds.append(Bind(policy.files, ASSIGNMENT))
    masks = _masks((*_ALWAYS_HIDDEN, *policy.hidden), binds)
    return View(tuple(binds), tuple(links), _STUBS, masks)


def _masks(hidden: tuple[str, ...], binds: list[Bind]) -> tuple[str, ...]:
    """Where hidden paths would show inside the jail; refuses when a whole bind would have to be hidden."""
    masks = []
    for secret in (Path(path).resolve() for path in hidden if Path(path).exists()):
        for bind in binds:
            shown = Path(bind.source).resolve()
            if secret == shown:
                raise SandboxError(
                    f"{secret} must stay hidden from students, but Python or the sandbox itself needs it; "
                    "move the course or the Python installation so that they are not the same folder"
                )
            if shown in secret.parents:
                masks.append(str(bind.target / secret.relative_to(shown)))
    return tuple(masks)
