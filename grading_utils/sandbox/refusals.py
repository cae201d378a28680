"""Why a machine refuses to isolate a process, in one line with the fix.

Only words: `jail.py` meets the refusals, `probe.py` lists them.
"""

from __future__ import annotations

import errno
from pathlib import Path

from grading_utils.sandbox.containers import container

_APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
_SETTINGS = (
    ("/proc/sys/user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=10000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    (
        _APPARMOR,
        "1",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
_CONTAINER = (
    "in a container, start it with a runtime that allows nested namespaces, for example "
    "`docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined`"
)


def blocking_settings() -> list[tuple[str, str]]:
    """The kernel settings of this machine that forbid user namespaces, each with what allows them."""
    found = []
    for path, bad, fix in _SETTINGS:
        try:
            value = Path(path).read_text().strip()
        except OSError:
            continue
        if value == bad:
            why = "AppArmor keeps ordinary programs from making user namespaces: " if path == _APPARMOR else ""
            where = "on this container's host, " if container() else ""
            found.append((f"{why}{path} is {value}", f"{where}run `{fix}`"))
    return found


def explain(error: OSError) -> str:
    """One line for a person: which step failed, and what to do about it."""
    if error.errno == errno.ENOSYS:
        fix = "a Linux kernel of version 5.12 or newer on x86_64 or aarch64 is needed"
    elif settings := blocking_settings():
        fix = "; ".join(f"{problem}: {fix}" for problem, fix in settings)
    elif error.errno in (errno.EPERM, errno.EACCES, errno.ENOSPC, errno.EUSERS):
        here = container()
        fix = f"this is a container of {here.kind}: {'; '.join(here.lacks)}" if here and here.lacks else _CONTAINER
    else:
        fix = "run `grading-utils doctor`"
    what = f"{error.strerror}: {error.filename}" if error.filename else error.strerror or error
    return f"cannot isolate student code here ({what}); {fix}"
