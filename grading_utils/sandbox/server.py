"""The coordinator's end: starts a warm process in its jail, asks it for testers, ends it without a trace.

The only module of this package that a coordinator needs; it may be used from several threads.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, Final, Self

import msgspec

from grading_utils.errors import SandboxError
from grading_utils.sandbox import cgroups
from grading_utils.sandbox.channel import Channel, EndStudent, Failed, Forked, ForkTester, Message, Ready, Setup
from grading_utils.sandbox.gpu_watch import GpuWatch
from grading_utils.sandbox.jail import Plan
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.view import SCRATCH, make_view

_ENVIRONMENT: Final = {
    "HF_HUB_OFFLINE": "1",
    "HOME": SCRATCH,
    "LANG": "C.UTF-8",
    "LOGNAME": "student",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "RAYON_NUM_THREADS": "1",
    "TMPDIR": SCRATCH,
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_OFFLINE": "1",
    "USER": "student",
}
_PACKAGE: Final = str(Path(__file__).resolve().parents[2])
"""Where this very package lies. A clone that uses another clone's environment shadows what is installed there, and
the processes of the jail must be of the same clone."""
_KEPT_STDERR: Final = 1 << 16
_ANSWER_SECONDS: Final = 60.0
_END_SECONDS: Final = 10.0


class Tester:
    """A running tester process, as its coordinator sees it."""

    def __init__(self, sock: socket.socket, pid: int, pidfd: int) -> None:
        self.socket = sock
        """Leads to the function that the tester runs."""
        self.pid = pid
        """Its PID inside the jail."""
        self._pidfd = pidfd

    def wait(self, seconds: float) -> bool:
        """Whether the tester ended within `seconds`."""
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        return bool(poller.poll(seconds * 1000))

    def close(self) -> None:
        """End the tester; the warm process then ends its students."""
        if self._pidfd < 0:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        os.close(self._pidfd)
        self._pidfd = -1
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Tail(threading.Thread):
    """Keeps the end of what a jail writes to standard error, so that it never blocks and never floods."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(name="sandbox-stderr", daemon=True)
        self._stream = stream
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self.start()

    def run(self) -> None:
        """Read until everybody who could write is gone."""
        with self._stream:
            while chunk := os.read(self._stream.fileno(), 1 << 16):
                self._chunks.append(chunk)
                self._size += len(chunk)
                while self._size - len(self._chunks[0]) > _KEPT_STDERR:
                    self._size -= len(self._chunks.popleft())

    def text(self) -> str:
        """What was kept."""
        return b"".join(list(self._chunks))[-_KEPT_STDERR:].decode(errors="replace")


class WarmProcess:
    """A jail with a warm process in it; a context manager that leaves nothing behind.

    `setup`, `tester` and `student` name functions as `"module:function"`:
    `setup(payload: bytes) -> bytes` runs once; `tester(sock, students)` runs in a fork that may call `students()` for
    a `Student`; `student(sock)` runs in a sealed fork. The process ends when its function returns.
    """

    def __init__(self, jail: subprocess.Popen[bytes], control: Channel, group: Path | None) -> None:
        assert jail.stdin is not None
        assert jail.stderr is not None
        self.setup_result = b""
        """What the set-up returned."""
        self.threads = 0
        """Threads alive after the set-up; forks do not inherit any but the main one."""
        self._jail = jail
        self._control = control
        self._group = group
        self._lock = threading.Lock()
        self._tail = _Tail(jail.stderr)
        self._watch: GpuWatch | None = None

    @classmethod
    def start(
        cls,
        policy: Policy,
        *,
        tester: str,
        student: str,
        setup: tuple[str, bytes] | None = None,
        modules: tuple[str, ...] = (),
    ) -> Self:
        """Build a jail, run the set-up in it, and wait until forks can be asked for.

        Args:
            policy: What student code may see and use.
            tester: What a tester runs.
            student: What a student runs.
            setup: What runs once before any fork, and its argument. It sees no secret and must get none.
            modules: Modules to import before the set-up.

        Raises:
            SandboxError: This machine cannot isolate, or the set-up failed; the message says what to do.
        """
        theirs, ours = socket.socketpair()
        group = cgroups.claim()
        with theirs:
            plan = Plan(
                view=make_view(policy),
                scratch_bytes=policy.scratch_bytes,
                scratch_files=policy.scratch_files,
                command=(sys.executable, "-P", "-s", "-m", "grading_utils.sandbox.warm", str(theirs.fileno())),
                environment={
                    **_ENVIRONMENT,
                    "PYTHONPATH": _PACKAGE,
                    "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
                    **dict(policy.environment),
                },
                control=theirs.fileno(),
                group=None if group is None else str(group),
            )
            jail = subprocess.Popen(
                [sys.executable, "-P", "-s", "-m", "grading_utils.sandbox.jail"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                env={"LANG": "C.UTF-8", "PYTHONPATH": _PACKAGE},
                cwd="/",
                start_new_session=True,  # an interrupt from the keyboard is for the coordinator
            )
        warm = cls(jail, Channel(ours), group)
        try:
            warm._send_plan(plan)
            message = Setup(policy, modules, setup[0] if setup else None, setup[1] if setup else b"", tester, student)
            answer, _ = warm._ask(message, policy.start_seconds)
            if not isinstance(answer, Ready):
                raise SandboxError(f"unexpected answer from the warm process: {type(answer).__name__}")
        except BaseException:
            warm.close()
            raise
        warm.setup_result, warm.threads = answer.result, answer.threads
        if policy.gpu is not None:
            warm._watch = GpuWatch(jail.pid, policy.gpu.share_mib, warm._end_student)
        return warm

    def _send_plan(self, plan: Plan) -> None:
        assert self._jail.stdin is not None
        body = msgspec.msgpack.encode(plan)
        with contextlib.suppress(BrokenPipeError):  # it has ended already, and stderr says why
            self._jail.stdin.write(len(body).to_bytes(4, "little") + body)
            self._jail.stdin.flush()

    def fork_tester(self) -> Tester:
        """Fork a tester from the warm state.

        Raises:
            SandboxError: The warm process is gone or cannot fork.
        """
        answer, descriptors = self._ask(ForkTester(), _ANSWER_SECONDS)
        if not isinstance(answer, Forked):
            raise SandboxError(f"unexpected answer from the warm process: {type(answer).__name__}")
        return Tester(socket.socket(fileno=descriptors[0]), answer.pid, descriptors[1])

    def _end_student(self, pid: int) -> None:
        with self._lock:
            self._control.send(EndStudent(pid))

    def _ask(self, message: Message, seconds: float) -> tuple[Message, list[int]]:
        with self._lock:
            self._control.socket.settimeout(seconds)
            try:
                self._control.send(message)
                answer, descriptors = self._control.receive()
            except TimeoutError:
                raise SandboxError(
                    f"the warm process gave no answer in {seconds:g} s: is there a locked cell that never ends?"
                ) from None
            except (EOFError, OSError):
                raise SandboxError(self._last_words()) from None
        if isinstance(answer, Failed):
            raise SandboxError(answer.message)
        return answer, descriptors

    def _last_words(self) -> str:
        self._jail_ended(_END_SECONDS)
        self._tail.join(1.0)
        lines = self._tail.text().strip().splitlines()
        return lines[-1] if lines else "the warm process ended without a word"

    def _jail_ended(self, seconds: float) -> bool:
        try:
            self._jail.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def is_gone(self) -> bool:
        """Whether every process of the jail has ended; true a moment after an answer that did not come."""
        return self._jail.poll() is not None

    def stderr(self) -> str:
        """The last 64 KiB that the jail, the warm process and its testers wrote to standard error."""
        return self._tail.text()

    def close(self) -> None:
        """End every process of the jail; with them go its mounts and files. Harmless when repeated."""
        assert self._jail.stdin is not None
        if self._watch is not None:
            self._watch.stop()
        with contextlib.suppress(OSError, ValueError):  # it has ended, or was closed before
            self._jail.stdin.write(b"end")
            self._jail.stdin.close()
        self._control.close()
        if not self._jail_ended(_END_SECONDS):
            self._jail.kill()
            self._jail.wait()
        if self._group is not None:
            cgroups.release(self._group)
        self._tail.join(_END_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
