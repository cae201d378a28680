"""Length-framed messages, with descriptors, between coordinator, warm process, testers and students.

Only the sandbox's own control messages: what tester and student say to each other is none of its business.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from typing import Final

import msgspec

from grading_utils.sandbox.policy import Policy

MAX_FRAME: Final = 1 << 28
_HEADER: Final = struct.Struct("<I")
_MAX_DESCRIPTORS: Final = 4


class Setup(msgspec.Struct, tag=True, frozen=True):
    """To the warm process, once: what to import and run, and what its forks are to call."""

    policy: Policy
    modules: tuple[str, ...]
    setup: str | None
    payload: bytes
    tester: str
    student: str


class ForkTester(msgspec.Struct, tag=True, frozen=True):
    """Coordinator to warm process."""


class ForkStudent(msgspec.Struct, tag=True, frozen=True):
    """Tester to warm process."""


class EndStudent(msgspec.Struct, tag=True, frozen=True):
    """Coordinator to warm process, which does not answer: a student holds more of the card's memory than its share."""

    pid: int


class Ready(msgspec.Struct, tag=True, frozen=True):
    """From the warm process: set-up is done; forks may be asked for."""

    result: bytes
    threads: int


class Forked(msgspec.Struct, tag=True, frozen=True):
    """From the warm process: the PID in its namespace; descriptors: a socket to the process, its pidfd, its group."""

    pid: int


class Ended(msgspec.Struct, tag=True, frozen=True):
    """Warm process to tester: one of its students ended, with its wait status."""

    pid: int
    status: int
    ran_out_of_memory: bool = False
    """Did the kernel end it because of the bound of its control group?"""
    is_over_share: bool = False
    """Was it ended because of the memory of the GPU that it held?"""


class Failed(msgspec.Struct, tag=True, frozen=True):
    """From the warm process: what was asked for did not work."""

    message: str


Message = Setup | ForkTester | ForkStudent | EndStudent | Ready | Forked | Ended | Failed
_decoder: Final = msgspec.msgpack.Decoder(Message)
_encoder: Final = msgspec.msgpack.Encoder()


class Channel:
    """One end of a stream socket that carries `Message`s and descriptors."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    def fileno(self) -> int:
        """The descriptor, for polling."""
        return self.socket.fileno()

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Send one message; raises `OSError` when the other side is gone."""
        body = _encoder.encode(message)
        data = _HEADER.pack(len(body)) + body
        if descriptors:
            sent = socket.send_fds(self.socket, [data], list(descriptors))
            data = data[sent:]
        self.socket.sendall(data)

    def receive(self) -> tuple[Message, list[int]]:
        """The next message and its descriptors.

        Raises:
            EOFError: The other side closed the channel.
            msgspec.DecodeError: What arrived is not a message.
            TimeoutError: The socket has a timeout, and it passed.
        """
        header, descriptors, _, _ = socket.recv_fds(self.socket, _HEADER.size, _MAX_DESCRIPTORS)
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        if not header:
            raise EOFError("the other side closed the channel")
        header += receive_exactly(self.socket, _HEADER.size - len(header))
        (size,) = _HEADER.unpack(header)
        if size > MAX_FRAME:
            raise msgspec.DecodeError(f"a message of {size} bytes")
        return _decoder.decode(receive_exactly(self.socket, size)), descriptors

    def close(self) -> None:
        """Close this end."""
        self.socket.close()


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    """Read `size` bytes; raises `EOFError` if the stream ends first."""
    data = bytearray()
    while len(data) < size:
        chunk = sock.recv(min(size - len(data), 1 << 20))
        if not chunk:
            raise EOFError("the stream ended inside a frame")
        data += chunk
    return bytes(data)
