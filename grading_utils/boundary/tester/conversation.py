"""One conversation with a student's process: questions go out, answers come back in step, within a time budget.

Any `BoundaryError` ends it for good. What the questions are, and what becomes of the answers, is in `session`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from grading_utils.boundary.tester.faults import guarded
from grading_utils.boundary.tester.leash import Student
from grading_utils.boundary.wire import codec, frames
from grading_utils.boundary.wire import messages as m
from grading_utils.boundary.wire.errors import BoundaryError, Refused, StudentOverran
from grading_utils.boundary.wire.references import Stand

GRACE = 2.0
"""Seconds for student code to end after it was interrupted."""

_DECODER = msgspec.msgpack.Decoder(m.Reply)


class Conversation(Stand):
    """Asks one process, and answers what it asks in the meantime."""

    def __init__(self, student: Student, sock: socket.socket) -> None:
        self._student = student
        self._sock = sock
        self._seq = 0
        self._nesting = 0
        self._turn = threading.RLock()  # a test may call student code from several threads
        self._broken: BoundaryError | None = None

    @property
    def is_usable(self) -> bool:
        """Can it still be asked something?"""
        return self._broken is None

    def close(self) -> None:
        """End the conversation; the process at the other end then exits."""
        self._broken = self._broken or Refused("an object of the student's was made in an earlier test cell")
        self._sock.close()

    @guarded
    def names(self) -> set[str]:
        """Names bound in the student's notebook, as that process says."""
        names, _ = self._ask(m.ListNames(seq=self._next()))
        return set(self._expect(names, m.Names).names)

    def place(self, files: dict[str, bytes]) -> None:
        """Put files beside the notebook, in that process only; those that are there already stay as they are."""
        encoder = codec.Encoder(self, strict=True)
        reply, _ = self._ask(m.Place(seq=self._next(), files=encoder.value(files)), encoder)
        self._done(reply)

    def watch_files(self) -> None:
        """From now on it is known what student code writes; see `Session.share_files`."""
        encoder = codec.Encoder(self, strict=True)
        reply, _ = self._ask(m.Exchange(seq=self._next(), files=encoder.value({})), encoder)
        self._done(reply)

    def end_child(self, number: int) -> None:
        """Have the process forked as number `number`, from 0, killed; raises `BoundaryError` if it won't be."""
        reply, _ = self._ask(m.End(seq=self._next(), child=number))
        self._done(reply)

    def library(self, module: str, name: str) -> object:
        """See `references.Stand`: the student's process may name nothing outside the fixed table."""
        raise Refused(f"{module}.{name} is not in the table of names")

    def _too_deep(self) -> RecursionError:
        return RecursionError("the test and the student's code call each other too deeply")

    def _called_back(self, ask: m.CallBack, decoder: codec.Decoder) -> None:
        raise NotImplementedError

    def _next(self) -> int:
        if self._broken is not None:
            raise self._broken
        self._seq += 1
        return self._seq

    def _ask(self, question: m.Question, encoder: codec.Encoder | None = None) -> tuple[Any, codec.Decoder]:
        with self._turn:
            if self._nesting >= m.MAX_NESTING:
                raise self._too_deep()
            self._nesting += 1
            try:
                self._send(question, encoder)
                return self._wait_for_reply(question.seq)
            except BoundaryError as error:
                self._broken = self._broken or error
                raise
            finally:
                self._nesting -= 1

    def _send(self, message: object, encoder: codec.Encoder | None = None) -> None:
        try:
            frames.send(self._sock, message, encoder.bulk if encoder else None, wait=self._student.wait_writable)
        except TimeoutError:
            raise self._break("the student's code doesn't listen any more", StudentOverran) from None

    def _wait_for_reply(self, seq: int) -> tuple[Any, codec.Decoder]:
        while True:
            try:
                reply, decoder = self._receive(seq)
            except TimeoutError:
                raise self._interrupt(seq) from None
            if not isinstance(reply, m.CallBack):
                return reply, decoder
            self._called_back(reply, decoder)

    def _receive(self, seq: int) -> tuple[Any, codec.Decoder]:
        reply, bulk = frames.receive(self._sock, _DECODER, wait=self._student.wait_readable)
        if reply.seq != seq:
            raise BoundaryError("the student's process answered a question that wasn't asked")
        return reply, codec.Decoder(self, bulk)

    def _interrupt(self, seq: int) -> StudentOverran:
        """Stop what runs; if the process then answers, it's in step and can be asked again."""
        overran = StudentOverran("the student's code used up its time")
        self._student.interrupt()
        self._student.start(GRACE)
        try:
            reply, _ = self._receive(seq)
            if isinstance(reply, m.CallBack):
                self._broken = overran
        except (TimeoutError, BoundaryError):
            self._broken = overran
        return overran

    def _break(self, message: str, kind: type[BoundaryError] = BoundaryError) -> BoundaryError:
        self._broken = self._broken or kind(message)
        return self._broken

    def _expect(self, reply: Any, kind: type[Any]) -> Any:
        if not isinstance(reply, kind):
            raise self._break("the student's process gave an answer to another question")
        return reply

    def _done(self, reply: Any) -> None:
        """For what the student's process does itself: an exception there is no test's business."""
        if not isinstance(reply, m.Answer):
            raise Refused("the student's process could not do what it was asked to")

    def _guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except BoundaryError as error:
            self._broken = self._broken or error
            raise
