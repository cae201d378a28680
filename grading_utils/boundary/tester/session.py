"""The tester's side of the conversation with one student process: what is asked, and what becomes of the answers.

What arrives is data or stand-ins; nothing here decides what a test makes of it.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import random
import socket
import types
from collections.abc import Callable
from functools import partial
from typing import Any

from grading_utils.boundary.tester import relayed
from grading_utils.boundary.tester.answering import Answering
from grading_utils.boundary.tester.changes import change_argument
from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.faults import guarded
from grading_utils.boundary.tester.instep import InStep
from grading_utils.boundary.tester.leash import Student
from grading_utils.boundary.tester.lent import Lent
from grading_utils.boundary.tester.likenesses import Likenesses, reference
from grading_utils.boundary.tester.members import BELIEVED, Members
from grading_utils.boundary.tester.permits import is_changeable_data, is_written_here, library_name
from grading_utils.boundary.tester.signatures import signature_of
from grading_utils.boundary.tester.standins import is_stand_in
from grading_utils.boundary.warm import gpu
from grading_utils.boundary.wire import codec, kinds, nodes, randomness, references
from grading_utils.boundary.wire import messages as m
from grading_utils.boundary.wire.errors import Limit, StudentDied, StudentError
from grading_utils.boundary.wire.raised import ENDS_OF_ITERATION, Raised, describe, rebuild


class Session(Answering):
    """One conversation; also the `Stand` of its encoders and decoders, and the link of its stand-ins."""

    def __init__(self, student: Student, sock: socket.socket, context: Context) -> None:
        super().__init__(student, sock, context)
        # The tester's objects that this process was given. Not shared between sessions: one that has a later check
        # must not ask for what a hidden one handed over.
        self._objects = references.Objects()
        self._lent = Lent(self._objects, self._context)
        self._likenesses = Likenesses(self)
        self._builtins = relayed.builtins_now()
        self._descriptions: dict[int, tuple[m.Description, codec.Decoder]] = {}
        self._in_step = InStep()
        self._looked_up: dict[str, tuple[object, Any]] = {}
        self._kept: dict[str, Any] = {}  # of these, what need not be asked for again; see `messages.is_kept`
        self._random_marks: dict[str, Any] = {}
        self._members = Members(self, self._likenesses)
        self._children = 0

    # --- what the tester does ---

    def run_cell(
        self, source: str, index: int, *, instructor: bool, draws: bool = True, earlier: tuple[str, ...] = ()
    ) -> m.CellDone:
        """Execute a cell of the notebook; `earlier` are the visible texts of the test cells before it."""
        question = m.RunCell(
            seq=self._next(), source=source, index=index, instructor=instructor, draws=draws, earlier=earlier
        )
        self._kept.clear()
        done, _ = self._ask(question)
        return self._expect(done, m.CellDone)  # type: ignore[no-any-return]

    @guarded
    def lookup(self, name: str) -> Any:
        """The value of a global name of the student's, or `NameError`; the same object as long as it stays the same."""
        if self.is_usable and name in self._kept and not self._nesting:
            return self._kept[name]
        reply, decoder = self._ask(m.Lookup(seq=self._next(), name=name))
        if not isinstance(reply, m.Answer):
            return self._result(reply, decoder)
        sent = (reply.value, decoder.bulk)
        if name not in self._looked_up or self._looked_up[name][0] != sent:
            self._looked_up[name] = sent, self._result(reply, decoder, path=name)
        found = self._looked_up[name][1]
        self._in_step.note(None, name, found)
        if m.is_kept(reply.value):
            self._kept[name] = found
        return found

    @guarded
    def fetch(self, name: str, most_bytes: int, most_parts: int) -> Callable[[], Any] | None:
        """Ask for the value of a name now, to be read later; None where it isn't all data, or too much to keep."""
        reply, decoder = self._ask(m.Lookup(seq=self._next(), name=name))
        is_small = len(decoder.bulk) <= most_bytes
        if not (is_small and isinstance(reply, m.Answer) and nodes.is_data(reply.value, most_parts)):
            return None
        node = reply.value

        def read() -> Any:
            return decoder.value(node)

        return read

    @guarded
    def bind(self, name: str, value: object, *, is_offer: bool = False) -> None:
        """Assign to a global name of the student's."""
        encoder = codec.Encoder(self, strict=True)
        node = self._encode(encoder, value)
        self._kept.pop(name, None)
        reply, decoder = self._ask(m.Bind(seq=self._next(), name=name, value=node, is_offer=is_offer), encoder)
        self._result(reply, decoder)

    def offer(self, name: str, value: object) -> None:
        """Assign to a global name there if the value can be sent; an open file, say, only the test needs."""
        limits = len(self._context.limits)
        with contextlib.suppress(Limit, TypeError, ValueError):
            self.bind(name, value, is_offer=True)
        del self._context.limits[limits:]

    @guarded
    def unbind(self, name: str) -> None:
        """Delete a global name of the student's, or raise `NameError`."""
        self._kept.pop(name, None)
        reply, decoder = self._ask(m.Unbind(seq=self._next(), name=name))
        self._result(reply, decoder)

    @guarded
    def share_files(self, *, is_first: bool = False) -> None:
        """Send what the test has written and take what student code has, where the check that is running may."""
        folder = self._context.folder
        if folder is None or not self._context.rights.files:
            return
        encoder = codec.Encoder(self, strict=True)
        news = self._encode(encoder, folder.all_written() if is_first else folder.written())
        reply, decoder = self._ask(m.Exchange(seq=self._next(), files=news, all=is_first), encoder)
        answer = self._expect(reply, m.Answer)
        if answer.too_large:
            self._context.hinder("the student's code has written more than can be sent")
        self._guarded(partial(folder.take, is_first=is_first), self._value(answer.value, decoder))

    def fork(self) -> Session:
        """A session with a copy of the student's process as it is now.

        Raises:
            BoundaryError: There is no room for another copy, or something else went wrong.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._send(m.Fork(seq=self._next()))
            try:
                socket.send_fds(self._sock, [b"f"], [theirs.fileno()])
            except OSError:
                raise StudentDied("the student's process has ended") from None
        try:
            reply, _ = self._wait_for_reply(self._seq)
            self._done(reply)
        except BaseException:
            ours.close()
            raise
        self._children += 1
        return Session(self._student, ours, self._context)

    # --- what stand-ins do ---

    @guarded
    def operate(
        self, id: int, op: str, arguments: tuple[Any, ...], keywords: dict[str, Any], *, path: str | None = None,
        times: int = 0, each: tuple[int, ...] = (),
    ) -> Any:  # fmt: skip
        """Do something with an object of the student's; what it did to the arguments is done to ours.

        With `times` a list of what so many calls gave, or the first of them; see `messages.Operate`.
        """
        given = [*arguments, *keywords.values()]
        if op == "__call__" and not self._members.may_call(id, bool(given)):
            raise self._context.limit(BELIEVED)
        if self._nesting == 0:
            self._lent.begin()
        for owner, name, value in self._in_step.changed():
            self._assign(owner, name, value)
        if op != "getattr":
            self._in_step.forget()
        encoder = codec.Encoder(self, strict=True)
        encoded = [self._encode(encoder, value) for value in given]
        self.share_files()
        replaced = {n: f for n, f in relayed.builtins_now().items() if f is not self._builtins[n]}
        marks = randomness.marks()
        news = randomness.changed(self._random_marks, marks)
        question = m.Operate(
            seq=self._next(), id=id, op=op, arguments=encoded, keywords=list(keywords), times=times, each=list(each),
            random=randomness.encode(encoder, news), warns="warn" in self._context.source_text,
            replaced={name: self._encode(encoder, function) for name, function in replaced.items()},
        )  # fmt: skip
        reply, decoder = self._ask(question, encoder)
        if not isinstance(reply, m.Answer | m.Threw):
            raise self._break("the student's process gave an answer to another question")
        if reply.drew:
            randomness.move_on(reply.drew, random.Random(f"{self._seq} {reply.drew}").getrandbits(32))
        self._random_marks = randomness.marks() if reply.drew else marks
        for change in reply.changes:
            if change.position >= len(given):
                raise self._break("the student's process says that it changed an argument that it wasn't given")
            news_of_it = partial(decoder.value, change.value)
            seed = random.Random(f"{self._seq} {change.position}").getrandbits(32)
            self._guarded(change_argument, given[change.position], news_of_it, seed, self._context)
        if self._nesting == 0 and (changed := self._lent.changed()):
            self._context.received.changed_kinds.update(map(type, changed))
            self._context.withheld = self._context.withheld or not self._context.rights.changes
        self.share_files()
        relayed.printed(reply.stdout, reply.stderr, self._context)
        self._guarded(relayed.warnings_given, (rebuild(raised, decoder) for raised in reply.warned), self._context)
        if reply.too_large:
            self._context.hinder("the student's code wanted to hand over a value that is too large to be sent")
        got = self._result(reply, decoder, path=path)
        if times and not (type(got) is list and 0 < len(got) <= times):
            raise self._break("the student's process gave more or fewer results than it was asked for")
        if op == "getattr":
            self._in_step.note(id, given[0], got)
        return self._members.found_at(id, arguments[0], path, got) if op == "getattr" else got

    @guarded
    def borrow(self, module: str, name: str) -> Any:
        """A function of a library as it is in the student's process."""
        reply, decoder = self._ask(m.Borrow(seq=self._next(), module=module, name=name))
        return self._result(reply, decoder)

    def _assign(self, owner: int | None, name: str, value: object) -> None:
        """Have a global name or an attribute of the student's hold what the test has made of its copy."""
        if owner is None:
            self.bind(name, value)
        else:
            encoder = codec.Encoder(self, strict=True)
            change = [name, self._encode(encoder, value)]
            self._result(*self._ask(m.Operate(seq=self._next(), id=owner, op="assign", arguments=change), encoder))

    @guarded
    def take(self, iterator: Any, count: int) -> bool:
        """Fetch up to `count` more items of an iterator into its buffer; False when there are none."""
        reply, decoder = self._ask(m.Take(seq=self._next(), id=iterator._boundary_remote.id, count=count))
        batch = self._expect(reply, m.Batch)
        if len(batch.items) > count or not (batch.items or batch.finished):
            raise self._break("the student's process gave more or fewer items than it was asked for")
        self.share_files()
        relayed.printed(batch.stdout, "", self._context)
        iterator._boundary_items.extend(self._value(item, decoder) for item in batch.items)
        if batch.error is not None:
            raise self._raised(batch.error, decoder)
        return bool(batch.items)

    @guarded
    def describe(self, id: int) -> m.Description:
        """Name and docstring of an object of the student's."""
        return self._described(id)[0]

    @guarded
    def signature(self, id: int) -> inspect.Signature | None:
        """The signature of something callable, as the student's process describes it; None where it has none."""
        said, decoder = self._described(id)
        if said.parameters is None:
            return None
        try:
            return signature_of(said, lambda node: self._value(node, decoder))
        except (TypeError, ValueError) as error:
            raise self._break(f"not a signature: {error}") from None

    # --- references ---

    def refer(self, value: object) -> nodes.Value:
        """See `references.Stand`."""
        if is_stand_in(value):
            stand_in: Any = value
            if stand_in._boundary_link is not self:
                raise self._context.limit(
                    f"an object of the student's class {stand_in._boundary_remote.type_name} was made in an earlier "
                    "test cell, and can't be used in this one"
                )
            return nodes.Own(stand_in._boundary_remote.id)
        if (number := reference(value, self)) is not None:
            return nodes.Own(number)
        name = self._context.shared.name_of(value)
        if name is not None:
            return nodes.Shared(name)
        if (named := library_name(value)) is not None:
            return nodes.Named(*named)
        if isinstance(value, io.IOBase | types.FrameType | types.CodeType | types.TracebackType):
            raise self._context.limit(f"a {type(value).__name__} can't be given to the student's code")
        if is_written_here(type(value)) and not isinstance(value, BaseException):
            may_change = self._context.rights.changes and not self._context.locked.have(value)
            return self._lent.refer(value, self._context.shared, may_change=may_change)
        return references.remote(self._objects, value, self._context.shared)

    def resolve(self, node: nodes.Remote | nodes.Own | nodes.Shared) -> object:
        """See `references.Stand`."""
        if isinstance(node, nodes.Own):
            return self._objects[node.id]
        if isinstance(node, nodes.Shared):
            shared = self._context.shared[node.name]
            # A test may change in place what a function gave it, and must not change its own tables by that.
            return copy.deepcopy(shared) if is_changeable_data(shared) else shared
        return self._likeness(node, None)

    def member(self, value: Any) -> Any:
        """See `references.Stand`."""
        return self._members.found(value)

    def _called_back(self, ask: m.CallBack, decoder: codec.Decoder) -> None:
        encoder = codec.Encoder(self, strict=True)
        answer: m.Return | m.Fail
        try:
            result = self._lent.perform(ask, [self._value(node, decoder) for node in ask.arguments])
            answer = m.Return(seq=ask.seq, value=self._encode(encoder, result))
        except Exception as error:
            encoder = codec.Encoder(self)
            refers = reference(error, self) is not None
            answer = m.Fail(seq=ask.seq, error=describe(error, encoder, refers=refers))
        self._send(answer, encoder)

    # --- details ---

    def _ask(self, question: m.Question, encoder: codec.Encoder | None = None) -> tuple[Any, codec.Decoder]:
        try:
            reply, decoder = super()._ask(question, encoder)
        except BaseException:
            self._kept.clear()  # its answer, which would have said what is bound anew, is lost
            raise
        for name in getattr(reply, "rebound", ()):
            self._kept.pop(name, None)
        return reply, decoder

    def _encode(self, encoder: codec.Encoder, value: object) -> nodes.Value:
        try:
            return encoder.value(value)
        except references.TooLarge as error:
            raise self._context.limit(f"an argument can't be given to the student's code: {error}") from None

    def _result(self, reply: Any, decoder: codec.Decoder, path: str | None = None) -> Any:
        if isinstance(reply, m.Threw):
            raise self._raised(reply.error, decoder)
        return self._value(self._expect(reply, m.Answer).value, decoder, path)

    def _raised(self, raised: Raised, decoder: codec.Decoder) -> Exception:
        if self._context.has_gpu and gpu.is_not_theirs(raised.name, raised.text):
            self._context.hinder(gpu.FULL)
        error: Exception = self._guarded(rebuild, raised, decoder)
        if isinstance(error, ENDS_OF_ITERATION) and not self._context.expects_an_end:
            error = StudentError(f"{raised.name}: {raised.text}")
        self._context.received.error(error, raised.frames)
        return error

    def _value(self, node: nodes.Value, decoder: codec.Decoder, path: str | None = None) -> Any:
        if isinstance(node, nodes.Remote):
            return self._likeness(node, path)
        return self._guarded(decoder.value, node)

    def _likeness(self, remote: nodes.Remote, path: str | None) -> Any:
        if remote.kinds and kinds.is_sent_whole(remote.kinds[0]):
            self._context.hinder(f"a {remote.type_name} of the student's is too large to be sent")
        return self._guarded(self._likenesses.of, remote, path)

    def _described(self, id: int) -> tuple[m.Description, codec.Decoder]:
        if id not in self._descriptions:
            reply, decoder = self._ask(m.Describe(seq=self._next(), id=id))
            said = self._expect(reply, m.Description)
            self._descriptions[id] = said, decoder
        return self._descriptions[id]
