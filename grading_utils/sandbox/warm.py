"""The warm process: runs the set-up once, then forks testers and students that start from its state.

`python -P -s -m grading_utils.sandbox.warm <channel> <control group>`, executed by `jail.py` as PID 1 of the jail.
One thread, one loop. It forks testers for the coordinator and students for testers, always from its own state, which
no submission has touched; it tells a tester how its students ended, ends the students of a tester that is gone, and
ends itself, and with it everything, when the coordinator closes the channel. What testers and students are told
travels on sockets that this process does not read, so it holds no secret.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import random
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec

from grading_utils import open_files
from grading_utils.sandbox import cgroups, kernel, pages, seal
from grading_utils.sandbox.channel import (
    Channel,
    Ended,
    EndStudent,
    Failed,
    Forked,
    ForkStudent,
    ForkTester,
    Message,
    Ready,
    Setup,
)
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.students import READY, Students
from grading_utils.sandbox.view import ASSIGNMENT

EXIT_BROKEN: Final = 70
_PATIENCE: Final = 10.0  # a tester that stops in the middle of a message must not stop everybody


def resolve(entry: str) -> Callable[..., Any]:
    """The function that `"module:function"` names."""
    module, _, function = entry.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


@dataclass(frozen=True)
class Life:
    """What a forked process is to be: only ever returned inside that process."""

    socket: socket.socket
    requests: Channel | None
    """A tester's channel for asking for students; None in a student."""
    leaf: int | None = None
    """Descriptor of a student's control group."""


@dataclass
class _Child:
    pidfd: int
    requests: Channel | None = None
    """The warm process's end of a tester's channel; None for a student."""
    students: set[int] = field(default_factory=set)
    """PIDs of a tester's living students."""
    leaf: str = ""
    """A student's control group."""
    is_over_share: bool = False
    """Is it a student that is ended for the memory of the GPU that it holds?"""


class Nursery:
    """The warm process's loop and the processes that it has forked."""

    def __init__(self, control: Channel, policy: Policy, groups: cgroups.Groups | None) -> None:
        self._groups = groups
        self._control = control
        self._policy = policy
        self._children: dict[int, _Child] = {}
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def serve(self) -> Life:
        """Answer requests for ever; returns only in a forked process, with what it shall be."""
        while True:
            poller = select.poll()
            poller.register(self._control, select.POLLIN)
            channels: dict[int, int] = {}
            for pid, child in self._children.items():
                poller.register(child.pidfd, select.POLLIN)
                if child.requests is not None:
                    channels[child.requests.fileno()] = pid
                    poller.register(child.requests, select.POLLIN)
            ready = [descriptor for descriptor, _ in poller.poll()]
            self._reap()
            for descriptor in ready:
                life = None
                if descriptor == self._control.fileno():
                    life = self._serve_coordinator()
                elif channels.get(descriptor) in self._children:
                    life = self._serve_tester(channels[descriptor])
                if life is not None:
                    return life

    def _serve_coordinator(self) -> Life | None:
        try:
            message, _ = self._control.receive()
        except (EOFError, OSError):
            self._end(set(self._children))
            os._exit(0)  # as the first process of the namespace it takes everything with it
        if isinstance(message, EndStudent):
            if (student := self._children.get(message.pid)) is not None:
                student.is_over_share = True
                self._end({message.pid})
            return None
        if not isinstance(message, ForkTester):
            raise TypeError(f"unexpected message from the coordinator: {type(message).__name__}")
        mine, theirs = socket.socketpair()
        mine.settimeout(_PATIENCE)
        life = self._fork(self._control, _Child(-1, Channel(mine)), Channel(theirs))
        if life is None:
            theirs.close()
        return life

    def _serve_tester(self, pid: int) -> Life | None:
        tester = self._children[pid]
        assert tester.requests is not None
        try:
            message, _ = tester.requests.receive()
        except (EOFError, OSError, msgspec.DecodeError):
            tester.requests.close()
            tester.requests = None
            self._end(tester.students)
            return None
        if not isinstance(message, ForkStudent):
            raise TypeError(f"unexpected message from a tester: {type(message).__name__}")
        return self._fork(tester.requests, _Child(-1), None, tester)

    def _fork(
        self, asker: Channel, child: _Child, requests: Channel | None, tester: _Child | None = None
    ) -> Life | None:
        """Fork once; in the parent, answer the asker with the new process's socket and pidfd."""
        ours, theirs = socket.socketpair()
        chance = random.getstate()
        leaf: int | None = None
        try:
            if tester is not None and self._groups is not None:
                child.leaf, leaf = self._groups.leaf()
            pid = self._fork_into_namespace() if tester is not None else os.fork()
        except OSError as error:
            ours.close()
            theirs.close()
            self._answer(asker, Failed(f"forking failed: {error.strerror}"))
            return None
        if pid == 0:
            # Python gives `random` a fresh seed in every fork; one that the set-up chose has to hold.
            random.setstate(chance)
            return Life(theirs, requests, leaf)
        child.pidfd = os.pidfd_open(pid)
        self._children[pid] = child
        if tester is not None:
            tester.students.add(pid)
        group = () if leaf is None else (leaf,)
        self._answer(asker, Forked(pid), (ours.fileno(), child.pidfd, *group))
        for descriptor in group:
            os.close(descriptor)
        ours.close()
        theirs.close()
        return None

    def _fork_into_namespace(self) -> int:
        kernel.unshare(kernel.CLONE_NEWPID)  # concerns the children of this process only
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:
                kernel.setns(self._own_pids, kernel.CLONE_NEWPID)
        return pid

    def _reap(self) -> None:
        """Bury the dead, also orphans that became this process's children."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is None:
                continue
            os.close(child.pidfd)
            self._end(child.students)
            starved = False
            if child.leaf and self._groups is not None:
                starved = self._groups.ran_out_of_memory(child.leaf)
                self._groups.remove(child.leaf)
            if child.requests is not None:
                child.requests.close()
            for tester in self._children.values():
                if pid in tester.students:
                    tester.students.remove(pid)
                    if tester.requests is not None:
                        self._answer(tester.requests, Ended(pid, status, starved, child.is_over_share))

    def _end(self, pids: set[int]) -> None:
        for pid in pids & self._children.keys():
            signal.pidfd_send_signal(self._children[pid].pidfd, signal.SIGKILL)

    def _answer(self, asker: Channel, message: Message, descriptors: tuple[int, ...] = ()) -> None:
        with contextlib.suppress(OSError):  # whoever asked may be gone; the loop notices
            asker.send(message, descriptors)


def _link_files(policy: Policy) -> None:
    """Link the assignment's files into the working directory, where its folders are real ones that can be written."""
    if policy.files is None:
        return
    for folder, folders, files in os.walk(ASSIGNMENT):
        here = Path(folder).relative_to(ASSIGNMENT)
        for name in folders:
            (here / name).mkdir()
        for name in files:
            (here / name).symlink_to(Path(folder, name))


def _set_up(control: Channel, setup: Setup) -> bytes:
    _link_files(setup.policy)
    for module in setup.modules:
        importlib.import_module(module)
    result = resolve(setup.setup)(setup.payload) if setup.setup is not None else b""
    for entry in (setup.tester, setup.student):
        resolve(entry)  # imported once here, not in every fork
    if not isinstance(result, bytes):
        raise TypeError(f"{setup.setup} returned {type(result).__name__}, not bytes")
    return result


def _live(life: Life, setup: Setup, files: frozenset[int]) -> None:
    """The whole life of a forked process; `files` are descriptors that the set-up has left open."""
    gc.enable()
    policy = setup.policy
    kept = (life.socket.fileno(),)
    if life.requests is not None:
        seal.seal_tester(policy, (*kept, life.requests.fileno()), files)
        resolve(setup.tester)(life.socket, Students(life.requests, policy))
        return
    try:
        if life.leaf is not None:
            cgroups.enter(life.leaf)
        seal.seal_student(policy, kept, files, is_counted=life.leaf is not None)
    except OSError as error:
        life.socket.sendall(f"{error}".encode())
        raise
    life.socket.sendall(READY)
    resolve(setup.student)(life.socket)


def main() -> NoReturn:
    """Run the set-up, serve forks; never returns."""
    control = Channel(socket.socket(fileno=int(sys.argv[1])))
    group = int(sys.argv[2])
    for descriptor in (control.fileno(), group):
        if descriptor >= 0:
            os.set_inheritable(descriptor, False)
    status = EXIT_BROKEN
    try:
        setup, _ = control.receive()
        if not isinstance(setup, Setup):
            raise TypeError("the first message has to be the set-up")
        before = open_files.open_descriptors()
        try:
            result = _set_up(control, setup)
        except BaseException as error:
            message = "".join(traceback.format_exception_only(error)).strip()
            traceback.print_exc()
            control.send(Failed(f"set-up failed: {message}"))
            raise
        sys.stdout.flush()  # or every fork would print it again
        gc.collect()
        files = open_files.open_descriptors() - before
        gc.freeze()  # a collection in a fork then leaves the shared pages alone
        gc.disable()
        pages.collapse()
        control.send(Ready(result, sum(1 for _ in Path("/proc/self/task").iterdir())))
        groups = cgroups.Groups(group, setup.policy) if group >= 0 else None
        _live(Nursery(control, setup.policy, groups).serve(), setup, files)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status & 0xFF)


if __name__ == "__main__":
    main()
