"""Streams in memory and open files to wire nodes and back: what they hold, and how far they have been read.

An open file travels by its path below the working folder: the receiver opens the file of that name that it has itself.
So nobody is sent a descriptor, and who gets a path from the other side opens nothing outside of that folder.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any, Literal

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.folders import is_plain
from grading_utils.boundary.wire.references import Reader, Writer

CLOSED = -1
_IN_MEMORY = (io.StringIO, io.BytesIO)
_FILES = (io.TextIOWrapper, io.BufferedReader, io.BufferedWriter, io.BufferedRandom)


def is_stream(value: object) -> bool:
    """Is it something that student code reads from or writes to?"""
    return type(value) in (*_IN_MEMORY, *_FILES) or isinstance(value, tempfile._TemporaryFileWrapper)


def encode(encoder: Writer, value: Any, _: type) -> nodes.Value:
    """The node for a stream; None for one that has a class of its own, or that leads out of the working folder."""
    if isinstance(value, tempfile._TemporaryFileWrapper):
        value = value.file
    kind = type(value)
    if kind in _IN_MEMORY:
        name: Literal["StringIO", "BytesIO"] = "StringIO" if kind is io.StringIO else "BytesIO"
        if value.closed:
            return nodes.Stream(name, None, CLOSED)
        return nodes.Stream(name, encoder.node(value.getvalue()), value.tell())
    if kind not in _FILES or (path := _path(value)) is None:
        return None
    mode = "r" if not value.closed and not value.writable() else "r+"
    binary = "" if kind is io.TextIOWrapper else "b"
    return nodes.OpenFile(path, mode + binary, CLOSED if value.closed else _position(value))  # type: ignore[arg-type]


def decode_stream(decoder: Reader, node: nodes.Stream) -> Any:
    """A stream in memory like the one that a node describes."""
    kind = io.StringIO if node.kind == "StringIO" else io.BytesIO
    stream: Any = kind() if node.content is None else kind(decoder.read(node.content))
    if node.position == CLOSED:
        stream.close()
    else:
        stream.seek(node.position)
    return stream


def decode_file(_: Reader, node: nodes.OpenFile) -> Any:
    """This side's file of that name, opened; raises `OSError` where there is none."""
    if not is_plain(node.path):
        raise ValueError("a path that leads out of the working folder")
    stream = Path(node.path).open(node.mode)  # noqa: SIM115 - for student code or a test to close
    if node.position == CLOSED:
        stream.close()
    else:
        stream.seek(node.position)
    return stream


def has_same_content(one: Any, other: Any) -> bool:
    """Do two streams differ in how far they have been read, and in nothing else? A file's content is not looked at."""
    if one.closed or other.closed:
        return bool(one.closed and other.closed)
    return type(one) not in _IN_MEMORY or bool(one.getvalue() == other.getvalue())


def assign(old: Any, new: Any) -> None:
    """Have a stream hold what another holds, read just as far."""
    if new.closed:
        old.close()
        return
    position = new.tell()
    if not has_same_content(old, new):
        old.seek(0)
        old.truncate()
        old.write(new.getvalue())
    with contextlib.suppress(OSError, ValueError):
        old.seek(position)


def _path(stream: Any) -> str | None:
    if not isinstance(stream.name, str):
        return None
    try:
        path = str(Path(stream.name).absolute().relative_to(Path.cwd()))
    except ValueError:
        return None
    return path if is_plain(path) else None


def _position(stream: Any) -> int:
    """How far it has been read; 0 in the midst of going through its lines, where Python doesn't say."""
    if stream.writable():
        stream.flush()
    try:
        return int(stream.tell())
    except OSError:
        return 0


DECODERS: dict[type, Any] = {nodes.Stream: decode_stream, nodes.OpenFile: decode_file}
