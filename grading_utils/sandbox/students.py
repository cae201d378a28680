"""A tester's hold on its students: ask for one, give it time, wait for it, interrupt it, end it, learn why it ended.

Runs in the tester. The warm process forks; what a student uses is measured here, from outside. `Student` has what
`boundary` asks of a student and knows nothing of what is said on the socket.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from typing import Final

from grading_utils.errors import SandboxError
from grading_utils.sandbox.channel import Channel, Ended, Failed, Forked, ForkStudent, Message
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.usage import Meter, Usage

READY: Final = b"\x00"
"""What a student's process sends once it is sealed, before it hands the socket on."""
_LOOK_EVERY: Final = 0.03
_LOOK_AT_MANY_EVERY: Final = 0.005  # each process alone is bound by the kernel, several together are not
_COSTS_AT_MOST: Final = 20.0  # looking takes at most a twentieth of the time; a fifth where there are many
_LOOK_AT_LEAST_EVERY: Final = 0.25  # also while every answer comes at once: something may grow in the background
_EXACT_EVERY: Final = 1.0  # seconds of computing: without any, nothing grows
_FASTEST: Final = 4 << 30  # bytes that several processes make their own in a second of computing, at most
_START_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0
_LAST_MOMENT: Final = 1.0
_NEARLY: Final = 0.95


class Students:
    """Starts students for one tester: calling it gives the next one.

    Args:
        requests: The tester's channel to the warm process.
        policy: The limits of every student.
    """

    def __init__(self, requests: Channel, policy: Policy) -> None:
        self.policy = policy
        self._requests = requests
        self._ended: dict[int, Ended] = {}

    def __call__(self) -> Student:
        """Fork a student from the warm process's state.

        Raises:
            SandboxError: The process could not be started or sealed.
        """
        self._requests.send(ForkStudent())
        while True:
            message, descriptors = self._receive(_START_SECONDS)
            if isinstance(message, Failed):
                raise SandboxError(message.message)
            if isinstance(message, Forked):
                break
        sock = socket.socket(fileno=descriptors[0])
        sock.settimeout(_START_SECONDS)
        greeting = sock.recv(4096)
        sock.settimeout(None)
        if greeting != READY:
            for descriptor in descriptors[1:]:
                os.close(descriptor)
            sock.close()
            raise SandboxError(f"a student's process could not be sealed: {greeting.decode(errors='replace')}")
        return Student(self, sock, message.pid, *descriptors[1:])

    def ended(self, pid: int, seconds: float) -> Ended | None:
        """How a student ended; None if that is not known within `seconds`."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(TimeoutError, EOFError):
            while pid not in self._ended and (left := deadline - time.monotonic()) > 0:
                self._receive(left)
        return self._ended.get(pid)

    def _receive(self, seconds: float) -> tuple[Message, list[int]]:
        self._requests.socket.settimeout(seconds)
        message, descriptors = self._requests.receive()
        if isinstance(message, Ended):
            self._ended[message.pid] = message
        return message, descriptors


class Student:
    """One running student: its socket, its budget of time, its memory, its end."""

    def __init__(self, students: Students, sock: socket.socket, pid: int, pidfd: int, group: int | None = None) -> None:
        self.sock = sock
        self.pid = pid
        self._students = students
        self._policy = students.policy
        self._pidfd = pidfd
        self._reason = ""
        self._machine = ""
        self._was_killed = False
        self._cpu_seconds = 0.0
        self._meter = Meter(pid, group)
        if self._meter.is_blind() and not self._has_ended(_LAST_MOMENT):
            self.close()
            raise SandboxError("a student's processes cannot be measured on this machine")
        self._inherited = self._meter.read().memory_bytes
        self._memory_allowed = self._memory_bound = self._inherited + self._policy.memory_bytes
        self._exact_again = _EXACT_EVERY
        self.copies = 0
        """How many living copies of its first process this student was asked for; what they share counts in each."""
        self._looked = time.monotonic()
        self._pause = _LOOK_EVERY
        self._spent = self._waited = 0.0
        self._before: Usage | None = None
        self.start(self._policy.cell_seconds)

    def start(self, seconds: float) -> None:
        """Begin a new budget: from now on this student's processes may use `seconds` together.

        Computing and sleeping count; being ready to run on a busy machine does not, up to the policy's `patience`.
        """
        self._spent = self.used()
        self._seconds = seconds
        self._waited = 0.0
        self._before = None  # taken when an answer is late for the first time: most never are

    def used(self) -> float:
        """Seconds of all budgets that are used; one of which nearly nothing is used counts as it was waited."""
        if self._before is None:
            return self._spent + self._waited
        return self._spent + max(0.0, self._used(self._before, self._meter.read()))

    def wait_readable(self, sock: socket.socket) -> None:
        """Return once `sock` can be read or has hung up.

        Raises:
            TimeoutError: The budget is used up. Nothing has been interrupted or ended yet.
        """
        self._wait(sock, select.POLLIN)

    def wait_writable(self, sock: socket.socket) -> None:
        """Return once `sock` can be written or has hung up.

        Raises:
            TimeoutError: The budget is used up. Nothing has been interrupted or ended yet.
        """
        self._wait(sock, select.POLLOUT)

    def _wait(self, sock: socket.socket, event: int) -> None:
        poller = select.poll()
        poller.register(sock, event)
        while True:
            begun = time.monotonic()
            ready = poller.poll(self._pause * 1000)
            now = time.monotonic()
            self._waited += now - begun
            if ready and now - self._looked < _LOOK_AT_LEAST_EVERY:
                return
            usage = self._meter.read()
            self._looked = time.monotonic()
            self._pause = self._next_look(usage, self._looked - now)
            self._check_size(usage)
            if ready:
                return
            self._check_time(usage)

    def _next_look(self, usage: Usage, cost: float) -> float:
        """Seconds until the next look, after one that took `cost` seconds."""
        if usage.processes > 1 + self.copies:
            return min(max(_LOOK_AT_MANY_EVERY, _COSTS_AT_MOST / 4 * cost), _LOOK_AT_LEAST_EVERY)
        return min(max(_LOOK_EVERY, _COSTS_AT_MOST * cost), _LOOK_AT_LEAST_EVERY)

    def _check_size(self, usage: Usage) -> None:
        """End the student if it holds too much."""
        if usage.tasks > self._policy.processes:
            self.kill(f"process limit: more than {self._policy.processes} processes and threads")
        elif usage.memory_bytes > self._memory_bound + self.copies * self._inherited or (
            usage.memory_bytes > self._memory_allowed and usage.cpu_seconds > self._exact_again
        ):
            exact = self._exact_memory(is_many := usage.processes > 1 + self.copies)
            if exact > self._memory_allowed:
                self.kill(self._over_memory())
            # The upper bound counts a page in every copy of the process. What is new shows there, too; what is not
            # (a shared page that becomes a process's own) has to wait for the next exact look.
            self._memory_bound = usage.memory_bytes - self.copies * self._inherited + self._memory_allowed - exact
            left = (self._memory_allowed - exact) / _FASTEST if is_many else _EXACT_EVERY
            self._exact_again = usage.cpu_seconds + max(left, _LOOK_AT_MANY_EVERY)

    def _exact_memory(self, is_many: bool) -> int:
        """What the processes hold; several stand still meanwhile, since counting takes as long as filling does."""
        if not is_many:
            return self._meter.exact_memory()
        self._signal_all(signal.SIGSTOP)
        try:
            return self._meter.exact_memory()
        finally:
            self._signal_all(signal.SIGCONT)

    def _check_time(self, usage: Usage) -> None:
        self._cpu_seconds = usage.cpu_seconds
        self._before = self._before or usage
        if self._used(self._before, usage) > self._seconds:
            raise TimeoutError(f"time limit: more than {self._seconds:g} s used")
        if self._waited > self._seconds * self._policy.patience:
            waited = f"{self._waited:.0f} s"
            self._machine = f"the machine was so busy that the student's code got nothing done in {waited}"
            raise TimeoutError(f"time limit: no answer in {waited} on a busy machine")

    def _used(self, before: Usage, now: Usage) -> float:
        """Seconds of computing and of sleeping between two looks, the first of them soon after the budget began."""
        used = now.cpu_seconds - before.cpu_seconds
        if now.queued_seconds is None or before.queued_seconds is None:
            return used
        return max(used, self._waited - (now.queued_seconds - before.queued_seconds))

    def usage(self) -> Usage:
        """What the student's living processes have used so far."""
        return self._meter.read()

    def interrupt(self) -> None:
        """Send SIGINT to every process of this student."""
        self._signal_all(signal.SIGINT)

    def kill(self, reason: str = "ended by the grader") -> None:
        """End every process of this student at once; harmless when repeated.

        Args:
            reason: What `why` says from now on; the first reason stays.
        """
        if self._pidfd < 0:
            return
        self._reason = self._reason or reason
        self._was_killed = True
        with contextlib.suppress(ProcessLookupError):  # the namespace's first process takes the others with it
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def close(self) -> None:
        """End the student and release what this object holds."""
        self.kill()
        self._meter.close()
        self.sock.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def why(self) -> str:
        """Why the student ended, in words; empty while it runs.

        Waits a moment for the end, because a process hangs up before it is gone.
        """
        if not self._reason:
            end = self._students.ended(self.pid, _END_SECONDS if self._has_ended(_LAST_MOMENT) else 0.0)
            if end is not None:
                self._reason = self._over_memory() if end.ran_out_of_memory else _describe(end.status)
                if end.is_over_share and self._policy.gpu is not None:
                    self._reason = f"GPU memory limit: more than {self._policy.gpu.share_mib} MiB"
        return self._reason

    def _over_memory(self) -> str:
        return f"memory limit: more than {_size(self._policy.memory_bytes)}"

    def machine(self) -> str:
        """What the machine did that kept this student from its work, as a sentence; empty for nothing.

        A student's first process can't be killed from within its namespace, so SIGKILL came from the grader (which
        says why), from the limit on the processor time of a whole life, or from the machine.
        """
        if not self._machine and not self._was_killed and self._has_ended(0.0):
            end = self._students.ended(self.pid, _END_SECONDS)
            was_killed = end is not None and os.waitstatus_to_exitcode(end.status) == -signal.SIGKILL
            used_up = self._cpu_seconds >= _NEARLY * self._policy.life_cpu_seconds
            by_us = end is not None and (end.ran_out_of_memory or end.is_over_share)
            if was_killed and not by_us and not used_up:
                self._machine = "the machine ended the student's process (out of memory, or somebody killed it)"
        return self._machine

    def _has_ended(self, seconds: float) -> bool:
        poller = select.poll()
        poller.register(self._pidfd, select.POLLIN)
        return bool(poller.poll(seconds * 1000))

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._meter.pids():
            with contextlib.suppress(OSError):
                descriptor = self._meter.open(pid)
                try:
                    signal.pidfd_send_signal(descriptor, number)
                finally:
                    os.close(descriptor)


def _describe(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exited with code {code}"
    number = signal.Signals(-code)
    if number == signal.SIGXCPU:
        return "time limit: the processor time of a whole life was used"
    if number == signal.SIGKILL:
        return "ended by the system (out of memory, or the processor time of a whole life was used)"
    return f"crashed with signal {number.name}"


def _size(count: int) -> str:
    return f"{count / (1 << 30):.3g} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.3g} MiB"
