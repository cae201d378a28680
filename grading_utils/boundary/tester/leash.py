"""What the tester needs of whoever runs the student's process: see the package's docstring for who provides it."""

from __future__ import annotations

import socket
from typing import Protocol


class Student(Protocol):
    """A running student process with its limits, as the sandbox hands it to the tester."""

    sock: socket.socket
    """The tester's end of the conversation with `student.serve`."""

    copies: int
    """How many living copies of its first process the tester has asked for."""

    def start(self, seconds: float) -> None:
        """Begin a new time budget for everything this student's processes do from now on."""

    def used(self) -> float:
        """Seconds of all budgets that are used so far."""

    def wait_readable(self, sock: socket.socket) -> None:
        """Return once `sock` can be read or has hung up.

        Raises:
            TimeoutError: The budget is used up.
        """

    def wait_writable(self, sock: socket.socket) -> None:
        """Return once `sock` can be written or has hung up.

        Raises:
            TimeoutError: The budget is used up.
        """

    def interrupt(self) -> None:
        """Send SIGINT to every process of this student."""

    def kill(self) -> None:
        """End every process of this student at once; harmless when repeated."""

    def close(self) -> None:
        """End the student and release what this object holds."""

    def why(self) -> str:
        """Why the student's process ended, in words for the student; empty while it runs."""

    def machine(self) -> str:
        """What the machine did that kept this student's process from its work, as a sentence; empty for nothing.

        Its end by the system for want of memory, say, as opposed to a limit of the policy.
        """
