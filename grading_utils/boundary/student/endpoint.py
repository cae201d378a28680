"""The student's end: runs cells, answers questions about what they defined, forks for a test cell.

Everything in this process is under the control of student code, this module included. It is written to serve honest
code well; the tester believes nothing of what it says beyond its being data. It never receives a hidden test.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import msgspec

from grading_utils.boundary.student import borrowed, descriptions, files, forking, proxies, texts
from grading_utils.boundary.student.fingerprints import fingerprint
from grading_utils.boundary.warm import gpu
from grading_utils.boundary.warm.shell import recording, run_cell
from grading_utils.boundary.warm.warmup import Warm, current
from grading_utils.boundary.wire import codec, folders, frames, nodes, randomness, references
from grading_utils.boundary.wire import messages as m
from grading_utils.boundary.wire.errors import BoundaryError, Refused
from grading_utils.boundary.wire.operations import perform
from grading_utils.boundary.wire.raised import Raised, describe, rebuild
from grading_utils.checks.names import bound_names, defined_names

_DECODER = msgspec.msgpack.Decoder(m.Question)
_MOST_WARNINGS = 100


def serve(sock: socket.socket) -> None:
    """Answer the tester until it closes the socket.

    Args:
        sock: A stream socket whose other end the tester holds.
    """
    forking.settle()
    signal.signal(signal.SIGINT, (endpoint := Endpoint(sock, current())).interrupted)
    with contextlib.suppress(BoundaryError, OSError):
        endpoint.serve()


class Endpoint:
    """The conversation with one tester; also the `Stand` of its encoders and decoders."""

    def __init__(self, sock: socket.socket, warm: Warm) -> None:
        self._sock = sock
        self._warm = warm
        self._objects = references.Objects()
        self._proxies: dict[int, proxies.Proxy] = {}
        self._children: list[int] = []
        self._late: dict[int, BaseException] = {}
        self._known: dict[str, object] = {}  # what the tester has been told of, and keeps, by name
        self._folder: folders.Watch | None = None
        self._seq = 0
        self._turn = threading.RLock()  # student code may call the test's functions from several threads
        self._busy = False
        self._could_not_send = False

    # --- the conversation ---

    def serve(self) -> None:
        """Answer questions for ever; ends with `BoundaryError` when the other end closes."""
        while True:
            self._answer(*self._receive())

    def interrupted(self, *_: object) -> None:
        """SIGINT: ends student code that is running, and nothing else."""
        if self._busy:
            self._busy = False
            raise KeyboardInterrupt

    def _receive(self) -> tuple[Any, codec.Decoder]:
        self._busy = False
        question, bulk = frames.receive(self._sock, _DECODER)
        return question, codec.Decoder(self, bulk)

    def _answer(self, question: Any, decoder: codec.Decoder) -> None:
        self._seq = question.seq
        encoder = codec.Encoder(self)
        try:
            reply = _HANDLERS[type(question)](self, question, decoder, encoder)
        except BoundaryError:
            raise
        except BaseException as error:
            encoder = codec.Encoder(self)
            reply = m.Threw(
                seq=question.seq,
                error=self._describe(error, encoder),
                rebound=self._rebound(),
                too_large=isinstance(error, references.TooLarge),
            )
        self._busy = False
        if reply is None:
            return
        try:
            frames.send(self._sock, reply, encoder.bulk)
        except UnicodeEncodeError:
            raised = Raised("ValueError", "ValueError", None, "a name or a text can't be encoded")
            frames.send(self._sock, m.Threw(seq=question.seq, error=raised, rebound=self._rebound()))
        except Refused as error:
            raised = Raised("ValueError", "ValueError", None, str(error))
            threw = m.Threw(seq=question.seq, error=raised, rebound=self._rebound(), too_large=True)
            frames.send(self._sock, threw)

    def operate(self, id: int, op: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Ask the tester to do something with an object of its own."""
        encoder = codec.Encoder(self, strict=True)
        try:
            encoded = [encoder.value(argument) for argument in (*arguments, *keywords.values())]
        except references.TooLarge:
            self._could_not_send = True
            raise
        with self._turn:
            seq = self._seq
            ask = m.CallBack(seq=seq, id=id, op=op, arguments=encoded, keywords=list(keywords))
            frames.send(self._sock, ask, encoder.bulk)
            while True:
                question, decoder = self._receive()
                if isinstance(question, m.Return | m.Fail):
                    self._seq = seq
                    self._busy = True
                    if isinstance(question, m.Return):
                        return decoder.value(question.value)
                    raise rebuild(question.error, decoder)
                self._answer(question, decoder)

    # --- references ---

    @property
    def shared(self) -> references.SharedNames:
        """What instructor cells bound in both processes."""
        return self._warm.shared

    def refer(self, value: object) -> nodes.Value:
        """See `references.Stand`."""
        if isinstance(value, type(None)):
            return None
        if issubclass(type(value), proxies.Proxy):
            return nodes.Own(object.__getattribute__(value, "_boundary_remote").id)
        name = self._warm.shared.name_of(value)
        return nodes.Shared(name) if name is not None else references.remote(self._objects, value, self._warm.shared)

    def resolve(self, node: nodes.Remote | nodes.Own | nodes.Shared) -> object:
        """See `references.Stand`."""
        if isinstance(node, nodes.Own):
            return self._objects[node.id]
        if isinstance(node, nodes.Shared):
            return self._warm.shared[node.name]
        if node.id not in self._proxies:
            self._proxies[node.id] = proxies.make_proxy(self, node)
        return self._proxies[node.id]

    def member(self, value: Any) -> Any:
        """See `references.Stand`."""
        return value

    def library(self, module: str, name: str) -> object:
        """See `references.Stand`: the tester names functions of libraries, and this process has them too."""
        found: Any = sys.modules.get(module) or importlib.import_module(module)
        for part in name.split(".") if name else ():
            found = getattr(found, part)
        return found

    # --- questions ---

    def _run_cell(self, question: m.RunCell, _: codec.Decoder, __: codec.Encoder) -> Any:
        if question.instructor and self._warm.adopt(question.source) is not None:
            return m.CellDone(seq=question.seq, ok=True, outputs=[])
        self._busy = True
        text = self._as_python(question.source)
        binds, defines = self._names_in(text)
        borrowed.take_over(self._warm.shell, text, question.earlier)
        ok, outputs = run_cell(self._warm.shell, question.source, draws=question.draws)
        self._busy = False
        if question.instructor:
            self._warm.register({name: self._namespace[name] for name in binds if name in self._namespace})
        plain = [texts.as_text(output) for output in outputs]
        return m.CellDone(seq=question.seq, ok=ok, outputs=plain, binds=binds, defines=defines)

    def _as_python(self, source: str) -> str:
        """A cell's text without IPython's own syntax; nothing where it can't be taken apart, as running it will say."""
        try:
            return self._warm.shell.transform_cell(source)
        except Exception:
            return ""

    def _names_in(self, text: str) -> tuple[list[str], list[str]]:
        """Names that a cell binds and names of functions that it defines; none where its text can't be read."""
        try:
            return texts.plain_names(bound_names(text)), texts.plain_names(defined_names(text))
        except Exception:
            return [], []

    def _list_names(self, question: m.ListNames, _: codec.Decoder, __: codec.Encoder) -> Any:
        names = [name for name in self._namespace if isinstance(name, str) and name not in self._warm.initial_names]
        return m.Names(seq=question.seq, names=[name for name in names if len(name) <= 200 and name.isidentifier()])

    def _lookup(self, question: m.Lookup, _: codec.Decoder, encoder: codec.Encoder) -> Any:
        if question.name not in self._namespace:
            raise NameError(f"name {question.name!r} is not defined")
        value = self._namespace[question.name]
        node = encoder.value(value)
        if m.is_kept(node):
            self._known[question.name] = value
        return m.Answer(seq=question.seq, value=node)

    def _rebound(self) -> list[str]:
        names = self._namespace
        return [name for name, value in self._known.items() if names.get(name) is not value]

    def _bind(self, question: m.Bind, decoder: codec.Decoder, _: codec.Encoder) -> Any:
        if not (question.is_offer and _is_unknown(question.value)):
            self._namespace[question.name] = decoder.value(question.value)
        return m.Answer(seq=question.seq)

    def _borrow(self, question: m.Borrow, _: codec.Decoder, encoder: codec.Encoder) -> Any:
        return m.Answer(seq=question.seq, value=encoder.refer(self.library(question.module, question.name)))

    def _unbind(self, question: m.Unbind, _: codec.Decoder, __: codec.Encoder) -> Any:
        if question.name not in self._namespace:
            raise NameError(f"name {question.name!r} is not defined")
        del self._namespace[question.name]
        return m.Answer(seq=question.seq)

    def _operate(self, question: m.Operate, decoder: codec.Decoder, encoder: codec.Encoder) -> Any:
        randomness.apply(decoder, question.random)
        given = [decoder.value(argument) for argument in question.arguments]
        positional = given[: len(given) - len(question.keywords)]
        keywords = dict(zip(question.keywords, given[len(positional) :], strict=True))
        before = [None if place in question.each else fingerprint(value, self) for place, value in enumerate(given)]
        marks = randomness.marks()
        target = self._objects[question.id]
        self._could_not_send = False
        result: Any = None
        error: Raised | None = None
        functions = {name: decoder.value(value) for name, value in question.replaced.items()}
        warned: list[Any] = []
        hears: Any = warnings.catch_warnings(record=True) if question.warns else contextlib.nullcontext([])
        with recording(self._warm.shell) as recorder, borrowed.replaced(functions), hears as heard:
            try:
                if question.warns:
                    warnings.simplefilter("always")
                self._busy = True
                if question.times:
                    result = self._call_each(target, question, given, encoder)
                else:
                    result = perform(target, question.op, positional, keywords)
            except BoundaryError:
                raise
            except BaseException as problem:
                error = self._describe(problem, encoder)
            finally:
                self._busy = False
                warned = [describe(warning.message, encoder, refers=True) for warning in heard[:_MOST_WARNINGS]]
        changes = [
            m.Change(position, encoder.value(value))
            for position, (value, old) in enumerate(zip(given, before, strict=True))
            if old is not None and fingerprint(value, self) != old
        ]
        traces: dict[str, Any] = {
            "changes": changes,
            "stdout": texts.printed(recorder, "stdout"),
            "stderr": texts.printed(recorder, "stderr"),
            "drew": randomness.changed(marks, randomness.marks()),
            "too_large": self._could_not_send,
            "rebound": self._rebound(),
            "warned": warned,
        }
        if error is not None:
            return m.Threw(seq=question.seq, error=error, **traces)
        return m.Answer(seq=question.seq, value=result if question.times else encoder.value(result), **traces)

    def _call_each(self, target: Any, question: m.Operate, given: list[Any], encoder: codec.Encoder) -> nodes.Value:
        """See `messages.Operate.times`; ends early where the message is half full or a name is bound anew."""
        results: list[nodes.Value] = []
        for turn in range(question.times):
            row = [value[turn] if place in question.each else value for place, value in enumerate(given)]
            first = len(row) - len(question.keywords)
            named = dict(zip(question.keywords, row[first:], strict=True))
            results.append(encoder.value(perform(target, question.op, row[:first], named)))
            if encoder.is_half_full or self._rebound():
                break
        return nodes.Sequence("list", results)

    def _take(self, question: m.Take, __: codec.Decoder, encoder: codec.Encoder) -> Any:
        iterator: Any = self._objects[question.id]
        items: list[nodes.Value] = []
        error = self._late.pop(question.id, None)
        finished = error is not None
        with recording(self._warm.shell) as recorder:
            try:
                self._busy = True
                for _ in range(0 if finished else question.count):
                    items.append(encoder.value(next(iterator)))
            except StopIteration:
                finished = True
            except BoundaryError:
                raise
            except BaseException as problem:
                if items:  # they come first; the exception is what the next item gives
                    self._late[question.id] = problem
                else:
                    finished, error = True, problem
            finally:
                self._busy = False
        return m.Batch(
            seq=question.seq,
            items=items,
            finished=finished,
            error=None if error is None else self._describe(error, encoder),
            stdout=texts.printed(recorder, "stdout"),
            rebound=self._rebound(),
        )

    def _describe_object(self, question: m.Describe, _: codec.Decoder, encoder: codec.Encoder) -> Any:
        target: Any = self._objects[question.id]
        return descriptions.of(target, question.seq, encoder)

    def _place(self, question: m.Place, decoder: codec.Decoder, _: codec.Encoder) -> Any:
        files.place(decoder.value(question.files))
        return m.Answer(seq=question.seq)

    def _exchange(self, question: m.Exchange, decoder: codec.Decoder, encoder: codec.Encoder) -> Any:
        """See `messages.Exchange`; the first one, before any of the student's cells, asks for nothing."""
        folder = self._folder = self._folder or folders.Watch(Path.cwd())
        folder.put(decoder.value(question.files))
        if question.all:
            folder.forget()
        return m.Answer(seq=question.seq, value=encoder.value(folder.news()), too_large=folder.is_short)

    def _fork(self, question: m.Fork, _: codec.Decoder, __: codec.Encoder) -> Any:
        _data, descriptors, _flags, _address = socket.recv_fds(self._sock, 1, 1)
        if gpu.has_started():
            os.close(descriptors[0])
            raise RuntimeError("CUDA does not survive a fork")
        pid = os.fork()
        if pid == 0:
            self._sock.close()
            self._sock = socket.socket(fileno=descriptors[0])
            self._children = []
            return None  # the parent answers
        os.close(descriptors[0])
        self._children.append(pid)
        return m.Answer(seq=question.seq)

    def _end(self, question: m.End, _: codec.Decoder, __: codec.Encoder) -> Any:
        pid = self._children[question.child]
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return m.Answer(seq=question.seq)

    # --- details ---

    @property
    def _namespace(self) -> dict[str, Any]:
        namespace: dict[str, Any] = self._warm.shell.user_ns
        return namespace

    def _describe(self, error: BaseException, encoder: codec.Encoder) -> Raised:
        raised = describe(error, encoder, texts.cell_frames(error), refers=True)
        if error.__cause__ is None:
            return raised
        return msgspec.structs.replace(raised, cause=describe(error.__cause__, encoder, refers=True))


def _is_unknown(node: nodes.Value) -> bool:
    """Is it something of a library that would have to be imported first, which can take seconds?"""
    root = node.module.partition(".")[0] if isinstance(node, nodes.Named) else "builtins"
    return root not in sys.modules and root not in sys.stdlib_module_names


_HANDLERS: dict[type, Any] = {
    m.RunCell: Endpoint._run_cell,
    m.ListNames: Endpoint._list_names,
    m.Lookup: Endpoint._lookup,
    m.Bind: Endpoint._bind,
    m.Borrow: Endpoint._borrow,
    m.Unbind: Endpoint._unbind,
    m.Operate: Endpoint._operate,
    m.Take: Endpoint._take,
    m.Describe: Endpoint._describe_object,
    m.Place: Endpoint._place,
    m.Exchange: Endpoint._exchange,
    m.Fork: Endpoint._fork,
    m.End: Endpoint._end,
}
