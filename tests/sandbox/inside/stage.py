"""What runs inside the jail in these tests: code arrives as text, what it assigns to `answer` goes back as JSON."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

WARM: dict[str, Any] = {}


def send(sock: socket.socket, value: object) -> None:
    body = json.dumps(value).encode()
    sock.sendall(struct.pack("<I", len(body)) + body)


def receive(sock: socket.socket) -> Any:
    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = sock.recv(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    (size,) = struct.unpack("<I", exactly(4))
    return json.loads(exactly(size))


def setup(payload: bytes) -> bytes:
    exec(payload.decode(), WARM)
    return str(WARM.get("answer", "")).encode()


def _run(code: str, names: dict[str, Any]) -> Any:
    names["answer"] = None
    try:
        exec(code, names)
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        return {"raised": type(error).__name__, "message": str(error)}
    return names["answer"]


def student(sock: socket.socket) -> None:
    names: dict[str, Any] = {"WARM": WARM}
    while True:
        try:
            code = receive(sock)
        except EOFError:
            return
        send(sock, _run(code, names))


def tester(sock: socket.socket, students: Any) -> None:
    """Runs code that may use `students()` and `ask(student, code)`."""
    names = {"WARM": WARM, "students": students, "ask": ask}
    while True:
        try:
            code = receive(sock)
        except EOFError:
            return
        send(sock, _run(code, names))


def ask(student: Any, code: str) -> Any:
    """Run code in the student and wait for its answer within the student's budget."""
    send(student.sock, code)
    student.wait_readable(student.sock)
    try:
        return receive(student.sock)
    except (EOFError, ConnectionError):
        return {"ended": student.why()}
