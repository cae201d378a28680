"""What this machine offers for isolating student code, as data for `grading-utils doctor`.

The last word is a trial: a real jail with one student in it. Nothing here decides whether to grade without one.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading_utils.errors import SandboxError
from grading_utils.sandbox import cgroups, kernel, seccomp
from grading_utils.sandbox.containers import container, is_privileged
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.refusals import blocking_settings
from grading_utils.sandbox.server import WarmProcess


@dataclass(frozen=True)
class Finding:
    """One thing that isolation needs or that makes its limits more exact."""

    name: str
    available: bool
    required: bool
    detail: str
    fix: str = ""


def try_one_student(_: object, students: object) -> None:
    """What the trial's tester runs: start a student and end it. A failure shows on standard error."""
    assert callable(students)
    students().close()


def wait_for_the_end(sock: socket.socket) -> None:
    """What the trial's student runs."""
    sock.recv(1)


def refused(payload: bytes) -> bytes:
    """What runs in the jail for `unreadable`: the paths it is given, tried one file after the other."""
    return "\0".join(path for top in payload.decode().split("\0") for path in _refused_below(top)).encode()


def _refused_below(top: str) -> Iterator[str]:
    if Path(top).is_file():
        yield from _refused_file(top)
    folders: list[OSError] = []
    for folder, _, names in os.walk(top, onerror=folders.append):
        for name in sorted(names):
            yield from _refused_file(os.path.join(folder, name))  # noqa: PTH118 (a data set may have 100,000 files)
    yield from (str(problem.filename) for problem in folders)


def _refused_file(path: str) -> Iterator[str]:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except PermissionError:
        yield path
    except OSError:
        pass  # a dangling link is nobody's to read, and not a matter of permissions


def unreadable(paths: Sequence[str]) -> list[str]:
    """The files and folders at and below some paths that students' code may not read.

    They are opened in a jail, as the user whom students' code runs as there: what root can read says nothing.

    Args:
        paths: Absolute; each must exist.

    Raises:
        SandboxError: No jail can be built here, or a path does not exist.
    """
    policy = Policy(readable=tuple(paths), start_seconds=60.0)
    with WarmProcess.start(
        policy,
        tester=f"{__name__}:try_one_student",
        student=f"{__name__}:wait_for_the_end",
        setup=(f"{__name__}:refused", "\0".join(paths).encode()),
    ) as warm:
        return [path for path in warm.setup_result.decode().split("\0") if path]


def _control_groups() -> Finding:
    name = "control groups"
    group = cgroups.claim()
    if group is None:
        fix = "as an ordinary user, start it as `systemd-run --user --scope -p Delegate=yes grading-utils grade`"
        return Finding(name, False, False, "a student's processes are measured together, not bound by the kernel", fix)
    bounds = (group / "cgroup.controllers").read_text().split()
    cgroups.release(group)
    bound = [what for what, controller in (("memory", "memory"), ("processes", "pids")) if controller in bounds]
    return Finding(name, True, False, f"the kernel counts processor time; it bounds {' and '.join(bound) or 'nothing'}")


def _container(*, works: bool) -> Iterator[Finding]:
    here = container()
    if here is None:
        return
    if works or not here.lacks:
        yield Finding("container", True, False, here.kind)
    else:
        yield Finding("container", False, False, f"{here.kind}: {here.lacks[0]}", "; ".join(here.lacks[1:]))


def _trial() -> Finding:
    name = "isolated student process"
    try:
        with WarmProcess.start(
            Policy(start_seconds=60.0), tester=f"{__name__}:try_one_student", student=f"{__name__}:wait_for_the_end"
        ) as warm:
            with warm.fork_tester() as tester:
                ended = tester.wait(30.0)
            problem = warm.stderr().strip()
    except SandboxError as error:
        message, _, fix = str(error).partition("; ")
        return Finding(name, False, True, message, fix)
    if problem or not ended:
        return Finding(name, False, True, (problem or "no answer").splitlines()[-1])
    return Finding(name, True, True, "a jail was built, a student sealed in it, and both are gone again")


def probe() -> list[Finding]:
    """Look at this machine; takes about half a second."""
    if not sys.platform.startswith("linux"):
        fix = "grade on Linux, in a virtual machine or in WSL 2"
        return [Finding("Linux", False, True, f"this is {sys.platform}", fix)]
    findings = [Finding("Linux", True, True, os.uname().release)]
    machine = kernel.machine()
    try:
        seccomp.program(machine)
        findings.append(Finding("system-call filter", True, True, machine))
    except OSError as error:
        findings.append(Finding("system-call filter", False, True, str(error.strerror), "use x86_64 or aarch64"))
    blocked = blocking_settings()
    if blocked and not is_privileged():
        findings += [Finding("user namespaces", False, True, problem, fix) for problem, fix in blocked]
    queued = Path("/proc/self/schedstat").exists()
    detail = "time limits leave out waiting for the processor" if queued else "time limits count processor time only"
    findings.append(Finding("time spent waiting for the processor", queued, False, detail))
    shared = Path("/proc/self/smaps_rollup").exists()
    detail = "memory limits count a shared page once" if shared else "memory limits count a shared page in each process"
    findings.append(Finding("exact memory", shared, False, detail))
    findings.append(_control_groups())
    trial = _trial()
    return [*findings, *_container(works=trial.available), trial]


def require_isolation() -> None:
    """Make sure that student code can be isolated here.

    Raises:
        SandboxError: It cannot; the message names the reason and the fix.
    """
    for finding in probe():
        if finding.required and not finding.available:
            raise SandboxError(f"{finding.name}: {finding.detail}" + (f"; {finding.fix}" if finding.fix else ""))
