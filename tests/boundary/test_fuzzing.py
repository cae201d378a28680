"""Both ends of the wire are given damaged frames: none crashes, grows, or changes anything that it may trust.

A thousand in every run of the suite, a hundred thousand in the hostile one.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import random
import resource
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grading_utils.boundary.student.endpoint import Endpoint
from grading_utils.boundary.tester import context as contexts
from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.warm import warmup
from grading_utils.boundary.wire import frames, references
from grading_utils.boundary.wire import messages as m
from grading_utils.boundary.wire import nodes as n
from grading_utils.boundary.wire.errors import BoundaryError, Fault, Limit
from grading_utils.boundary.wire.raised import Raised
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell, Rights

from .conftest import in_fork
from .test_values import EXAMPLES

SEED = 20251125
MOST_GROWTH = 64 << 20
TRUSTED = "import json\nREFERENCE = {'answer': [42, {'deep': (1, 2)}]}\ndef share(a, b): return a / b"
NUMBERS = [pytest.param(1_000, id="1000"), pytest.param(100_000, id="100000", marks=pytest.mark.hostile)]


def framed(structure: bytes, bulk: bytes = b"") -> bytes:
    return frames._HEADER.pack(len(structure), len(bulk)) + structure + bulk


def answers() -> list[bytes]:
    """Frames that an honest student's process sends."""
    remote = n.Remote(3, "Model", ["torch.nn:Module"], ["__call__", "__len__"])
    raised = Raised("ValueError", "ValueError", None, "no")
    said = [
        m.Names(seq=1, names=["predict", "model"]),
        m.Threw(seq=1, error=raised, stdout="printed", drew=[]),
        m.Answer(seq=1, value=remote),
        m.Answer(seq=1, value=n.Shared("REFERENCE")),
        m.Answer(seq=1, value=n.Own(0), changes=[m.Change(0, [1, 2])]),
        m.Batch(seq=1, items=[1, "two", remote], finished=False),
        m.CellDone(seq=1, ok=True, outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}], binds=["x"]),
        m.CallBack(seq=1, id=0, op="__len__"),
        m.CallBack(seq=1, id=0, op="append", arguments=[1]),
        m.CallBack(seq=1, id=0, op="getattr", arguments=["__class__"]),
        m.Description(seq=1, name="f", qualname="f", doc="text", parameters=[], returns=None, returns_given=False),
    ]
    return [*(framed(*example) for example in EXAMPLES), *(framed(msgspec.msgpack.encode(message)) for message in said)]


def questions() -> list[bytes]:
    """Frames that a tester sends."""
    asked = [
        m.RunCell(seq=1, source="x = [k for k in range(3)]", index=2, instructor=False),
        m.ListNames(seq=1),
        m.Lookup(seq=1, name="REFERENCE"),
        m.Bind(seq=1, name="y", value=n.Sequence("list", [1, 2])),
        m.Unbind(seq=1, name="y"),
        m.Operate(seq=1, id=1, op="__call__", arguments=[1, 2], keywords=["b"]),
        m.Take(seq=1, id=1, count=5),
        m.Describe(seq=1, id=1),
        m.Fail(seq=1, error=Raised("ValueError", "ValueError", None, "no")),
    ]
    return [framed(msgspec.msgpack.encode(question)) for question in asked]


def damaged(honest: list[bytes], count: int) -> Iterator[bytes]:
    """Frames made of honest ones: bytes changed, cut, doubled and put together anew; some with a header that fits."""
    chance = random.Random(SEED)
    for _ in range(count):
        frame = bytearray(chance.choice(honest))
        for _ in range(chance.choice([0, 1, 1, 2, 4, 16])):
            place = chance.randrange(len(frame))
            match chance.randrange(6):
                case 0:
                    frame[place] = chance.randrange(256)
                case 1:
                    frame[place] ^= 1 << chance.randrange(8)
                case 2:
                    del frame[place : place + chance.randrange(1, 9)]
                case 3:
                    frame[place:place] = frame[place : place + chance.randrange(1, 30)]
                case 4:
                    frame[place:] = chance.choice(honest)[place:]
                case 5:
                    frame[place:place] = bytes([chance.choice(b"\x00\x7f\x80\x90\xc0\xc4\xca\xcf\xd9\xdc\xdf\xe0\xff")])
            if len(frame) < 9:
                break
        if chance.random() < 0.8 and len(frame) > 8:  # otherwise most of them end at the header
            bulk = min(int.from_bytes(frame[4:8], "big"), len(frame) - 8)
            frame[:8] = frames._HEADER.pack(len(frame) - 8 - bulk, bulk)
        yield bytes(frame)


@contextlib.contextmanager
def spoken(frame: bytes) -> Iterator[socket.socket]:
    """The end of a connection at which somebody has said this, and will say nothing more."""
    here, there = socket.socketpair()
    try:
        there.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            there.send(frame)
        there.shutdown(socket.SHUT_WR)
        yield here
    finally:
        here.close()
        there.close()


class Grown:
    """How much memory this process has gained since a moment when everything was in use once."""

    def __init__(self) -> None:
        self._before: int | None = None

    def look(self, number: int, count: int) -> None:
        if self._before is None and number >= count // 5:
            self._before = self._now()

    def bytes(self) -> int:
        assert self._before is not None
        return self._now() - self._before

    @staticmethod
    def _now() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Quiet:
    """A student's process that has said all it will say."""

    copies = 0

    def wait_readable(self, sock: socket.socket) -> None: ...

    def wait_writable(self, sock: socket.socket) -> None: ...

    def start(self, seconds: float) -> None: ...

    def interrupt(self) -> None: ...


def ask(session: Session, chance: random.Random, given: list[Any]) -> None:
    """Ask one question, and look at what comes back."""
    match chance.randrange(4):
        case 0:
            value = session.lookup("predict")
        case 1:
            value = session.operate(7, "__call__", (given,), {})
        case 2:
            value = session.names()
        case _:
            value = session.run_cell("x = 1", 1, instructor=False).outputs
    repr(value)
    assert value is not given


def hear(count: int) -> dict[str, int]:
    """What a tester makes of damaged answers."""
    warmup.prepare([TRUSTED])
    names = warmup.current().shell.user_ns
    shared = references.SharedNames()
    shared.register("REFERENCE", names["REFERENCE"])
    reference, functions = copy.deepcopy(names["REFERENCE"]), (names["share"], names["json"], len, isinstance)
    chance, grown, ended = random.Random(SEED), Grown(), dict.fromkeys(("refused", "raised", "value"), 0)
    for number, frame in enumerate(damaged(answers(), count)):
        grown.look(number, count)
        context = contexts.Context(shared, lambda _: None)
        context.begin(Cell(index=0, role=Role.TEST, source="", rights=Rights(changes=False, comparisons=False)))
        given = [1, [2]]
        with spoken(frame) as sock:
            try:
                ask(Session(Quiet(), sock, context), chance, given)
                ended["value"] += 1
            except Fault as fault:
                raise AssertionError(f"frame {number}: {fault}") from fault
            except (BoundaryError, Limit):
                ended["refused"] += 1
            except Exception as error:
                if not isinstance(error, NameError) and context.received.frames_of(error) is None:
                    raise AssertionError(f"frame {number}: this is not the student's exception") from error
                ended["raised"] += 1
        assert context.faults == []
        assert given == [1, [2]]
        assert names["REFERENCE"] == reference
    assert (names["share"], names["json"], len, isinstance) == functions
    assert threading.active_count() == 1
    return {**ended, "grown": grown.bytes()}


def be_asked(count: int) -> dict[str, int]:
    """What a student's process makes of damaged questions; the tester's are never like that, but it must not hang."""
    warmup.prepare([TRUSTED])
    grown, ended = Grown(), dict.fromkeys(("served",), 0)
    modules = len(sys.modules)
    for number, frame in enumerate(damaged(questions(), count)):
        grown.look(number, count)
        with spoken(frame) as sock, contextlib.suppress(BoundaryError, OSError):
            Endpoint(sock, warmup.current()).serve()
        ended["served"] += 1
    assert len(sys.modules) - modules < 200
    return {**ended, "grown": grown.bytes()}


@pytest.mark.parametrize("count", NUMBERS)
def test_a_tester_outlives_damaged_answers_and_nothing_that_it_trusts_changes(count: int) -> None:
    told = msgspec.json.decode(in_fork(lambda: msgspec.json.encode(hear(count)), seconds=600))
    assert told["refused"] + told["raised"] + told["value"] == count
    assert min(told["refused"], told["raised"], told["value"]) > 0, f"all frames end the same way: {told}"
    assert told["grown"] < MOST_GROWTH


@pytest.mark.parametrize("count", NUMBERS)
def test_a_student_s_process_outlives_damaged_questions(count: int) -> None:
    told = msgspec.json.decode(in_fork(lambda: msgspec.json.encode(be_asked(count)), seconds=600))
    assert told["served"] == count
    assert told["grown"] < MOST_GROWTH
