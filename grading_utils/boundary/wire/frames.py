"""Messages on a stream socket: `structure length, bulk length` (big-endian), then msgpack, then raw bytes.

The receiver decides how much it takes before it reads it, and what it reads is checked against the message types it
expects. This module doesn't know what a message means.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

import msgspec

from grading_utils.boundary.wire.errors import Refused, StudentDied
from grading_utils.boundary.wire.nodes import MAX_BULK, MAX_STRUCTURE

_HEADER = struct.Struct(">II")
_CHUNK = 1 << 20

Wait = Callable[[socket.socket], None]
"""Called before a message is read, and whenever the socket isn't ready; returns when it is, raises when it won't be."""


def send(sock: socket.socket, message: object, bulk: list[bytes] | None = None, *, wait: Wait | None = None) -> None:
    """Send one message.

    Args:
        sock: A connected stream socket.
        message: A msgspec struct.
        bulk: Pieces of the bulk part, in order.
        wait: Called whenever the socket takes no more; without it the socket itself blocks.

    Raises:
        Refused: The message is larger than a frame may be.
        StudentDied: Nobody reads any more.
    """
    structure = msgspec.msgpack.encode(message)
    bulk = bulk or []
    size = sum(map(len, bulk))
    if len(structure) > MAX_STRUCTURE or size > MAX_BULK:
        raise Refused(f"a message of {len(structure)} + {size} bytes is larger than a frame may be")
    head = _HEADER.pack(len(structure), size) + structure
    if size <= _CHUNK:  # in one piece: every write wakes the reader
        _send_all(sock, b"".join((head, *bulk)), wait)
        return
    _send_all(sock, head, wait)
    for piece in bulk:
        _send_all(sock, piece, wait)


def _send_all(sock: socket.socket, data: bytes, wait: Wait | None) -> None:
    view = memoryview(data)
    try:
        while view:
            if wait is None:
                sock.sendall(view)
                return
            try:
                view = view[sock.send(view[:_CHUNK], socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                wait(sock)
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise StudentDied("the process at the other end has ended") from None


def receive(
    sock: socket.socket, decoder: msgspec.msgpack.Decoder[Any], *, wait: Wait | None = None
) -> tuple[Any, bytes]:
    """Receive one message and its bulk part.

    Args:
        sock: A connected stream socket.
        decoder: Knows the messages that may come.
        wait: Called before the first read, and whenever there is nothing to read; without it the socket itself blocks.

    Raises:
        Refused: The frame is too large, or not one of the expected messages.
        StudentDied: The other end closed, also in the middle of a frame.
    """
    if wait is not None:
        wait(sock)
    size, bulk_size = _HEADER.unpack(_read(sock, _HEADER.size, wait))
    if size > MAX_STRUCTURE or bulk_size > MAX_BULK:
        raise Refused(f"a frame announces {size} + {bulk_size} bytes, more than may be sent")
    structure = _read(sock, size, wait)
    bulk = _read(sock, bulk_size, wait)
    return parse(structure, decoder), bulk


def parse(structure: bytes, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """Decode the structure of a frame, or raise `Refused`."""
    try:
        return decoder.decode(structure)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError, OverflowError, MemoryError) as error:
        raise Refused(f"not a message that may be sent here: {str(error)[:200]}") from None


def _read(sock: socket.socket, size: int, wait: Wait | None) -> bytes:
    parts: list[bytes] = []
    missing = size
    while missing:
        try:
            part = sock.recv(min(missing, _CHUNK), socket.MSG_DONTWAIT if wait else 0)
        except BlockingIOError:
            assert wait is not None
            wait(sock)
            continue
        except ConnectionError:
            part = b""
        if not part:
            raise StudentDied("the process at the other end has ended")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
