"""A student's process that speaks something else: each question gets its verdict, and the tester lives."""

from __future__ import annotations

import struct
import subprocess
import sys
import time

import msgspec
import pytest

from grading_utils.boundary.student import endpoint as student
from grading_utils.boundary.tester import conversation, copies
from grading_utils.boundary.wire import frames, messages
from grading_utils.boundary.wire import nodes as wire
from grading_utils.boundary.wire.raised import Raised

QUESTIONS = msgspec.msgpack.Decoder(messages.Question)
ANSWER = messages.Answer(seq=1, value=True)


def read(sock):
    return frames.receive(sock, QUESTIONS)[0]


def huge(sock):
    read(sock)
    sock.sendall(struct.pack(">II", 2**32 - 1, 2**32 - 1) + b"x" * 100)
    time.sleep(60)


def drip(sock):
    read(sock)
    sock.sendall(struct.pack(">II", 1 << 20, 0))
    while True:
        sock.sendall(b"x")
        time.sleep(0.01)


def flood(sock):
    while True:
        sock.sendall(b"\0" * 65536)


def nested(sock):
    read(sock)
    data = b"\x95\xa6answer\x01" + b"\x93\xa3seq\xa4list\x91" * 100_000
    sock.sendall(struct.pack(">II", len(data), 0) + data)
    time.sleep(60)


def wrong_number(sock):
    frames.send(sock, messages.CellDone(seq=read(sock).seq + 1, ok=True, outputs=[]))
    time.sleep(60)


def wrong_kind(sock):
    while True:
        frames.send(sock, messages.Names(seq=read(sock).seq, names=[]))


def unsolicited(sock):
    for seq in range(100):
        frames.send(sock, messages.CellDone(seq=seq, ok=True, outputs=[]))
    time.sleep(60)


def callbacks_without_end(sock):
    question = read(sock)
    while True:
        frames.send(sock, messages.CallBack(seq=question.seq, id=0, op="__call__"))
        read(sock)


def deaf(sock):
    time.sleep(60)


def gone(sock):
    read(sock)


def trunk(sock):
    read(sock)
    sock.sendall(struct.pack(">II", 1000, 0) + b"x" * 10)


def odd_outputs(sock):
    """Behaves, but for what it says it displayed."""
    question = read(sock)
    odd = [
        {"output_type": "execute_result", "data": {"text/plain": "5", "application/javascript": "x()"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": '"><script>'}},
        {"output_type": "stream", "name": "../x", "text": "s"},
        {"output_type": "error", "ename": 3, "evalue": None, "traceback": "no"},
        {"output_type": "update_display_data"},
        {},
    ]
    frames.send(sock, messages.CellDone(seq=question.seq, ok=True, outputs=odd))


NO_ANSWER = "this cell made its process send something that is not an answer"
OVER_TIME = "this cell used more than 0.3 s"
ENDED = "this cell ended the Python process"
NOT_CHECKED = ("stopped", "Not checked: code in this notebook kept ending the Python process")
NO_NAME = ("error", "NameError: `x` is not defined")
MISBEHAVIORS = {
    huge: (("stopped", NO_ANSWER), NOT_CHECKED),
    drip: (("stopped", OVER_TIME), NOT_CHECKED),
    flood: (("stopped", NO_ANSWER), NOT_CHECKED),
    nested: (("stopped", NO_ANSWER), NOT_CHECKED),
    wrong_number: (("stopped", NO_ANSWER), NOT_CHECKED),
    wrong_kind: (("stopped", NO_ANSWER), NO_NAME),
    unsolicited: (("stopped", NO_ANSWER), NOT_CHECKED),
    callbacks_without_end: (("stopped", NO_ANSWER), NOT_CHECKED),
    deaf: (("stopped", OVER_TIME), NOT_CHECKED),
    gone: (("stopped", ENDED), NOT_CHECKED),
    trunk: (("stopped", ENDED), NOT_CHECKED),
    odd_outputs: (("ok", ""), NOT_CHECKED),
}
"""What the student's cell and each of the two checks after it come to: status, and words of the message."""


@pytest.mark.parametrize("misbehave", MISBEHAVIORS, ids=lambda f: f.__name__)
def test_every_cell_gets_a_verdict(misbehave, notebook, monkeypatch):
    monkeypatch.setattr(student, "serve", misbehave)
    monkeypatch.setattr(conversation, "GRACE", 0.3)
    monkeypatch.setattr(copies, "FORKING", 0.3)
    cell, checks = MISBEHAVIORS[misbehave]
    seconds = 0.3 if OVER_TIME in cell else 20  # whoever says or ends something may do so on a busy machine, too
    runs = notebook(("student", "x = 1"), ("test", "assert True\nassert x == 1"), ("test", "x"), limit=seconds)
    assert [run.index for run in runs] == [1, 2, 3]
    for run, (status, words) in zip(runs, (cell, checks, checks), strict=True):
        assert (str(run.status), words in run.message) == (status, True), run


def test_outputs_are_rebuilt_from_known_parts(notebook, monkeypatch):
    monkeypatch.setattr(student, "serve", odd_outputs)
    outputs = notebook(("student", "x = 1"))[0].outputs
    assert outputs == [
        {"output_type": "execute_result", "data": {"text/plain": "5"}, "metadata": {}, "execution_count": None},
        {"output_type": "stream", "name": "stdout", "text": "s"},
        {"output_type": "error", "ename": "", "evalue": "", "traceback": []},
    ]


STOPPED = ("stopped", "your code's process sent something that is not an answer")
OPEN = ("open", "could not be decided")
# What a tampered endpoint may answer when a test calls a function with its list `given`, and what the check comes to.
LIES = {
    "another object's answer": (lambda q: messages.Answer(seq=q.seq, value=wire.Own(10**6)), STOPPED),
    "an unknown shared name": (lambda q: messages.Answer(seq=q.seq, value=wire.Shared("expected")), OPEN),
    "a change of no argument": (lambda q: messages.Answer(seq=q.seq, changes=[messages.Change(7, None)]), STOPPED),
    "a change of type": (lambda q: messages.Answer(seq=q.seq, value=6, changes=[messages.Change(0, 5)]), OPEN),
    "a forged builtin": (lambda q: messages.Answer(seq=q.seq, value=wire.Named("builtins", "eval")), OPEN),
    "an unknown exception": (
        lambda q: messages.Threw(seq=q.seq, error=Raised("E", "NoSuchBase", None, "text")),
        ("error", "Exception: E: text"),
    ),
    "a tester's exception": (
        lambda q: messages.Threw(seq=q.seq, error=Raised("x", "SystemExit", None, "0")),
        ("error", "StudentError: x: 0"),
    ),
    "a stand-in of impossible kind": (
        lambda q: messages.Answer(
            seq=q.seq, value=wire.Remote(1, "a\0b", ["builtins:int", "os:_exit"], ["__eq__", "__class__", "__reduce__"])
        ),
        ("open", "a person will look at it"),
    ),
    "a batch": (lambda q: messages.Batch(seq=q.seq, items=[], finished=False), STOPPED),
    "a callback to nothing": (lambda q: messages.CallBack(seq=q.seq, id=99, op="__call__"), STOPPED),
}


@pytest.mark.parametrize(("lie", "verdict"), LIES.values(), ids=LIES)
def test_a_lie_costs_the_question_only(lie, verdict, notebook, monkeypatch):
    honest = student.Endpoint._operate

    def operate(self, question, decoder, encoder):
        arguments = [decoder.value(argument) for argument in question.arguments]
        return lie(question) if arguments == [[13]] else honest(self, question, decoder, encoder)

    monkeypatch.setitem(student._HANDLERS, messages.Operate, operate)
    runs = notebook(
        ("student", "def f(x): return sum(x)"), ("test", "given = [13]\nassert f(given) == 13"), ("test",
        "assert f([1]) == 1"),
        limit=2,
    )  # fmt: skip
    assert [str(run.status) for run in runs] == ["ok", verdict[0], "ok"]
    assert verdict[1] in runs[1].message


# What right answers can't get past a bound of ours: no points, and no zero either.
LIMITS = {
    "more kinds of objects than are told apart": (
        "def f(n): return [type(f'K{i}', (), {'x': i})() for i in range(n)]",
        "assert len(f(3000)) == 3000 and f(3000)[-1].x == 2999",
    ),
    "an argument that is too large": ("def f(x): return len(x)", "assert f(bytes(100_000_000)) == 100_000_000"),
    "a frame": ("def f(x): return x.f_lineno", "import sys\nassert f(sys._getframe()) == 2"),
    "a lot of objects at once": ("def f(x): return len(x)", "assert f([object() for _ in range(200_000)]) == 200_000"),
}


@pytest.mark.parametrize(("source", "test"), LIMITS.values(), ids=LIMITS)
def test_a_limit_of_ours_leaves_the_score_open(source, test, check):
    run = check(source, test)
    assert (str(run.status), OPEN[1] in run.message, bool(run.reason)) == ("open", True, True), run


def test_a_constant_of_a_library_that_only_the_student_has_imported_is_known() -> None:
    program = """
import sys
from grading_utils.boundary.wire import codec, nodes
assert "pandas" not in sys.modules
value = codec.Decoder(None, b"").value(nodes.Named("pandas", "NA"))
print(value is sys.modules["pandas"].NA)
"""
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "True\n"
    )


@pytest.mark.parametrize(
    ("op", "name"),
    [("getattr", "__class__"), ("getattr", "__globals__"), ("getattr", "_private"), ("getattr", "os"), ("getattr",
    "method"),
     ("setattr", "x"), ("__getattribute__", "x"), ("eval", "x"), ("isinstance", "x"), ("dir", "x")],
)  # fmt: skip
def test_nothing_leads_from_a_function_of_the_tests_to_the_test(op, name, notebook, monkeypatch):
    def operate(self, question, decoder, encoder):
        target = decoder.value(question.arguments[0])
        try:
            found = self.operate(target._boundary_remote.id, op, (name,), {})
        except (AttributeError, TypeError) as error:
            found = type(error).__name__
        return messages.Answer(seq=question.seq, value=encoder.value(found))

    monkeypatch.setitem(student._HANDLERS, messages.Operate, operate)
    test = "def spy(): return 1\nassert f(spy) in ('AttributeError', 'TypeError')"
    assert notebook(("student", "def f(x): pass"), ("test", test))[1].status == "ok"


def test_calls_that_call_each_other_without_end_are_bounded(check):
    source = "def f(g, n): return g(n + 1)"
    test = (
        "def g(n): return f(g, n)\ntry:\n    f(g, 0)\nexcept RecursionError:\n    pass\nelse:\n    raise AssertionError"
    )
    assert check(source, test).status == "ok"
