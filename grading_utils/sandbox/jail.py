"""Builds the jail and keeps watch: `python -I -m grading_utils.sandbox.jail`, started by `server.py`.

Reads a `Plan` from standard input, moves into new user, mount, PID, network, IPC, UTS and cgroup namespaces, puts
together a root file system from the plan's `View`, and executes the warm process in it as PID 1. Then it waits: when
the coordinator says so on standard input, or is gone, it kills the warm process, and with that the kernel ends every
process of the PID namespace. It never runs instructor or student code.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec

from grading_utils.errors import SandboxError
from grading_utils.sandbox import cgroups, kernel
from grading_utils.sandbox.refusals import explain
from grading_utils.sandbox.view import SCRATCH, View

EXIT_REFUSED: Final = 75
STAGE: Final = "/stage"
_OUTER_IDS: Final = 0x70000000  # above every range that distributions hand to users or containers
_NOBODY: Final = 65534
_NAMESPACES: Final = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)
_READ_ONLY: Final = kernel.MOUNT_ATTR_RDONLY | kernel.MOUNT_ATTR_NOSUID
_WORKSHOP: Final = "/tmp"  # a mount point that every system has; hidden under a private tmpfs at once


class Plan(msgspec.Struct, frozen=True):
    """What to build and what to execute in it."""

    view: View
    scratch_bytes: int
    scratch_files: int
    command: tuple[str, ...]
    environment: dict[str, str]
    control: int
    """Descriptor of the warm process's channel to the coordinator."""
    group: str | None = None
    """The control group for all of it; see `cgroups.py`."""


def outer_id() -> int | None:
    """The unprivileged user that root becomes on the outside; None where the process is no root.

    Raises:
        OSError: Root has no other user to become (a container that maps root only).
    """
    if os.geteuid() != 0:
        return None
    wanted = _OUTER_IDS + os.getpid() % 65536
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    for candidate in (wanted, _NOBODY):
        if any(first <= candidate < first + size for first, _, size in ranges):
            return candidate
    raise PermissionError(1, "root of this container has no unprivileged user to become")


def _write(path: str, text: str) -> None:
    # one write call: the kernel takes an identity map in a single piece
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _enter_namespaces() -> None:
    """Become root of new namespaces that the outside sees as an unprivileged user."""
    user, group, outer = os.geteuid(), os.getegid(), outer_id()
    if outer is None:
        kernel.unshare(_NAMESPACES)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"0 {user} 1")
        _write("/proc/self/gid_map", f"0 {group} 1")
        return
    os.setgroups([])
    here = os.getpid()
    wait_end, go_end = os.pipe()
    mapper = os.fork()  # only a process that stays behind may map another user than its own
    if mapper == 0:
        os.close(go_end)
        status = 1
        try:
            os.read(wait_end, 1)
            _write(f"/proc/{here}/setgroups", "deny")
            _write(f"/proc/{here}/uid_map", f"0 {outer} 1")
            _write(f"/proc/{here}/gid_map", f"0 {outer} 1")
            status = 0
        finally:
            os._exit(status)
    try:
        kernel.unshare(_NAMESPACES)
    finally:
        os.close(go_end)
        os.close(wait_end)
        _, status = os.waitpid(mapper, 0)
    if status:
        raise PermissionError(1, "mapping an unprivileged user was refused")


def _drop_identity() -> None:
    """Where the caller is root: leave that user. On the outside, this process is nobody special from here on."""
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _place(root: str, target: str, *, folder: bool) -> str:
    path = Path(root + target)
    path.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        path.mkdir(exist_ok=True)
    else:
        path.touch()
    return str(path)


def _tmpfs(target: str, size: int, files: int, flags: int) -> None:
    kernel.mount("tmpfs", target, "tmpfs", flags, f"mode=0755,size={size},nr_inodes={files}")


def _cover(path: str) -> None:
    """Hide what is at `path` under something empty."""
    if Path(path).is_dir():
        kernel.mount("tmpfs", path, "tmpfs", kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV, "size=4k,mode=0555")
        return
    empty = kernel.clone_tree("/dev/null")
    kernel.restrict_tree(empty, _READ_ONLY)
    kernel.attach_tree(empty, path)
    os.close(empty)


def _build_root(plan: Plan) -> None:
    """Put the root together, enter it and let go of the machine's own."""
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    trees = []
    for bind in plan.view.binds:  # still with the caller's file permissions: a home may be closed to others
        tree = kernel.clone_tree(bind.source)
        kernel.restrict_tree(tree, _READ_ONLY | (0 if bind.device else kernel.MOUNT_ATTR_NODEV))
        trees.append((tree, bind, Path(bind.source).is_dir()))
    _drop_identity()
    root = _WORKSHOP
    _tmpfs(root, 1 << 20, 2048, kernel.MS_NOSUID | kernel.MS_NODEV)
    for tree, bind, folder in trees:
        kernel.attach_tree(tree, _place(root, bind.target, folder=folder))
        os.close(tree)
    for mask in plan.view.masks:
        _cover(root + mask)
    for path, text in plan.view.stubs:
        Path(_place(root, path, folder=False)).write_text(text)
    for name, target in plan.view.links:
        link = Path(root + name)
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():  # a virtual environment below /tmp takes the name; TMPDIR leads to the scratch folder
            link.symlink_to(target)
    for mount_point in ("/proc", STAGE, SCRATCH):
        _place(root, mount_point, folder=True)
    scratch_flags = kernel.MS_NOSUID | kernel.MS_NODEV
    _tmpfs(root + SCRATCH, plan.scratch_bytes, plan.scratch_files, scratch_flags)
    # the kernel allows this only as long as the machine's own /proc is in view
    kernel.mount("proc", f"{root}/proc", "proc", scratch_flags | kernel.MS_NOEXEC)
    kernel.pivot_root(root)
    kernel.restrict_mount("/", _READ_ONLY | kernel.MOUNT_ATTR_NODEV)


def _execute(plan: Plan, group: int) -> None:
    """Become the warm process, in a root of its own."""
    _build_root(plan)
    kernel.sethostname("sandbox")
    # A student can have as many descriptors in flight as it may open, and all of one outer user count together.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # changing the user would have cleared it
    os.chdir(SCRATCH)
    for descriptor in (plan.control, group):
        if descriptor >= 0:
            os.set_inheritable(descriptor, True)
    os.dup2(2, 1)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    try:
        os.execve(plan.command[0], (*plan.command, str(group)), plan.environment)
    except PermissionError as error:
        raise SandboxError(
            f"{plan.command[0]} cannot be run by the unprivileged user that students become; make the Python "
            f"installation and the virtual environment readable: `chmod -R o+rX {Path(plan.command[0]).parent.parent}`"
        ) from error


def _watch(warm: int, coordinator: int) -> int:
    """Wait until the warm process ends or the coordinator closes it or is gone; returns an exit status.

    Args:
        warm: PID of the warm process.
        coordinator: pidfd of the coordinator. The closing of standard input alone would not tell of its end: a
            process that the coordinator forked meanwhile holds the other end, too.
    """
    descriptor = os.pidfd_open(warm)
    poller = select.poll()
    for source in (0, coordinator, descriptor):
        poller.register(source, select.POLLIN)
    ready = dict(poller.poll())
    if descriptor not in ready:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    _, status = os.waitpid(warm, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


def _read_plan() -> Plan:
    # unbuffered: after the plan, standard input is only watched for its end
    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(0, size - len(data)) or sys.exit("no plan")
        return data

    return msgspec.msgpack.decode(exactly(int.from_bytes(exactly(4), "little")), type=Plan)


def _refuse(message: str) -> int:
    print(message, file=sys.stderr, flush=True)
    return EXIT_REFUSED


def main() -> int:
    """Build, start, watch."""
    coordinator = os.pidfd_open(os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored in a shell's background jobs, and students inherit it
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # whose children are not waited for has no measure of their time
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(0o022)
    plan = _read_plan()
    group = -1
    try:
        if plan.group is not None:
            group = cgroups.hand_over(Path(plan.group), outer_id())
        _enter_namespaces()
        warm = os.fork()
    except OSError as error:
        return _refuse(explain(error))
    if warm == 0:
        try:
            _execute(plan, group)
        except OSError as error:
            os._exit(_refuse(explain(error)))
        except SandboxError as error:
            os._exit(_refuse(str(error)))
    _drop_identity()
    if group >= 0:
        cgroups.settle(group, (os.getpid(), warm))
        os.close(group)
    for descriptor in (plan.control, 1, 2):
        os.close(descriptor)
    return _watch(warm, coordinator)


if __name__ == "__main__":
    os._exit(main())
