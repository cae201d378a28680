"""Whatever keeps a check from a verdict and is a limit of ours leaves its score open; a rule that is broken does not.

Every place in the tester and on the wire where an error of our own begins stands in one of two tables: with what makes
it happen in a notebook, or with the reason why nothing is left open there. A new place fails the first test.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from grading_utils import boundary
from grading_utils.boundary.student import endpoint as student
from grading_utils.boundary.tester import operators, standins
from grading_utils.boundary.wire import codec, folders, frames, messages, nodes, references
from grading_utils.boundary.wire.raised import Raised
from grading_utils.jobs import Rights

ERRORS = {"BoundaryError", "Refused", "Fault", "StudentDied", "StudentOverran", "StudentError", "TooLarge", "Limit"}
NOTES = {"limit", "hinder", "_break"}

SMALL_BULK = [(nodes, "MAX_BULK", 1 << 20), (frames, "MAX_BULK", 1 << 20)]
ARRAY = "import numpy as np\ndef f(n=1): return np.ones(n * 200_000)"


def answers(reply):
    """A student's process that gives this reply to a call."""
    return [(student._HANDLERS, messages.Operate, lambda self, question, *_: reply(question))]


def answer(value):
    return answers(lambda question: messages.Answer(seq=question.seq, value=value))


PLAIN = "def f(*given): return 1"
CALL = "assert f([1]) == 1"
EACH = "def f(g, n): return g(f, n)"

# Place → (the student's cell, the check, what is changed for it).
OPEN = {
    "conversation.close Refused": ("class A: n = 1", "import sys\nsys.kept = A()", []),
    "changes.assign_in_place Refused": (
        PLAIN,
        CALL,
        answers(lambda q: messages.Answer(seq=q.seq, value=1, changes=[messages.Change(0, 5)])),
    ),
    "changes._assign_library Refused": (
        PLAIN,
        "import numpy\nassert f(numpy.ones(9)[1:4]) == 1",
        answers(
            lambda q: messages.Answer(
                seq=q.seq, value=1, changes=[messages.Change(0, nodes.Array(0, 0, "array", "|b1", [0]))]
            )
        ),
    ),
    "operators.plain limit": (
        "class L(list): pass\n" + "def f(): return L(['x' * (1 << 20)] * 3)",
        "assert f() == ['x' * (1 << 20)] * 3",
        SMALL_BULK,
    ),
    "operators._bounded hinder": (
        "def f(): return (i for i in range(100))",
        "assert len(list(f())) == 100",
        [(operators, "MAX_ITEMS", 10)],
    ),
    "session.operate limit": ("class A:\n    def double(self, x): return 2 * x", "assert A().double(2) == 4", []),
    "session.operate hinder": (
        "def f(g): return g('x' * (2 << 20))",
        "assert f(len) == 2 << 20 and f(lambda x: len(x)) == 2 << 20",
        SMALL_BULK,
    ),
    "members.found limit": ("class A:\n    equals = str", "assert A().equals(3)", []),
    "answering.code limit": (
        "def f(): return 1\nexec('f = lambda: 2')",
        "import inspect\nassert '1' in inspect.getsource(f) and f() == 2",
        [],
    ),
    "answering.may_decide limit": ("class A:\n    def __eq__(self, other): return True", "assert A() == 1", []),
    "lent._lend limit": (
        PLAIN,
        "class Own:\n    def __deepcopy__(self, memo): raise TypeError('no copies')\nassert f(Own()) == 1",
        [],
    ),
    "session.refer limit": (PLAIN, "import sys\nassert f(sys._getframe()) == 1", []),
    "session.share_files hinder": (
        "def f(): open('long.txt', 'w').write('x' * 99)",
        "f()\nassert len(open('long.txt').read()) == 99",
        [(folders, "MOST_BYTES", 50)],
    ),
    "relayed.warnings_given Refused": (
        PLAIN,
        "import warnings\n" + CALL,
        answers(lambda q: messages.Answer(seq=q.seq, value=1, warned=[Raised("KeyError", "KeyError", [], "no")])),
    ),
    "pictures.encode TooLarge": (
        "def f(picture): return picture.size",
        "from PIL import Image\nassert f(Image.new('RGB', (2000, 600))) == (2000, 600)",
        SMALL_BULK,
    ),
    "folder.begin Refused": (PLAIN, "assert eval('f()') == 1", []),
    "folder.written hinder": (
        "def f(): return len(open('long.txt').read())",
        "open('long.txt', 'w').write('x' * 99)\nassert f() == 99",
        [(folders, "MOST_BYTES", 50)],
    ),
    "folder.take Refused": (
        PLAIN,
        CALL,
        [
            (
                student._HANDLERS,
                messages.Exchange,
                lambda self, q, *_: messages.Answer(
                    seq=q.seq, value=nodes.Mapping("dict", ["../outside"] * q.all, [True] * q.all)
                ),
            )
        ],
    ),
    "folder.may_run limit": (
        "import collections, pickle\ndef f(): pickle.dump(collections.OrderedDict(), open('x', 'wb'))",
        "import pickle\nf()\nassert pickle.load(open('x', 'rb')) == {}",
        [],
    ),
    "conversation.library Refused": (PLAIN, CALL, answer(nodes.Named("numpy.linalg", "norm"))),
    "answering.hinder hinder": ("class A: pass", "assert A.__subclasses__() == []", []),
    "answering._too_deep hinder": (
        EACH,
        "def g(f, n): return n and f(g, n - 1)\nassert f(g, 30) == 0",
        [(messages, "MAX_NESTING", 10)],
    ),
    "lent.perform hinder": (
        "def f(d): return d.cleanup()",
        "import tempfile\nassert f(tempfile.TemporaryDirectory()) is None",
        [],
    ),
    "session._encode limit": ("def f(x): return len(x)", "assert f('x' * (2 << 20)) == 2 << 20", SMALL_BULK),
    "session._likeness hinder": (ARRAY, "import numpy as np\nassert np.allclose(f(), 1)", SMALL_BULK),
    "standins.__class__ limit": (ARRAY, "import numpy as np\nassert isinstance(f(), np.ndarray)", SMALL_BULK),
    "standins.__mro_entries__ limit": ("class A: pass", "class B(A): pass", []),
    "standins.__getattr__ hinder": ("class A: pass", "assert len(A.__mro__) == 2", []),
    "standins.__reduce_ex__ limit": ("class A: pass", "import pickle\npickle.dumps(A())", []),
    "standins._stand_in_class Refused": ("class A: pass\nclass B: pass", "A(), B()", [(standins, "_MOST_KINDS", 1)]),
    "arrays._check_bulk TooLarge": (
        "def f(x): return len(x)",
        "import numpy as np\nassert f(np.ones(200_000)) == 200_000",
        SMALL_BULK,
    ),
    "codec.take TooLarge": (
        "def f(x): return len(x)",
        "assert f([[]] * 20_000) == 20_000",
        [(codec, "_ROOM", 100_000)],
    ),
    "codec.add_bulk TooLarge": ("def f(x): return len(x)", "assert f(b'x' * (2 << 20)) == 2 << 20", SMALL_BULK),
    "codec._int TooLarge": ("def f(x): return x", "assert f(1 << 400_000) == 1 << 400_000", []),
    "codec.value Refused": (PLAIN, CALL, answer(nodes.BigInt("no number"))),
    "codec.record_type Refused": (PLAIN, CALL, answer(nodes.Record("P", ["class"], [1]))),
    "frames.send Refused": (
        "def f(x): return len(x)",
        "assert f('x' * 3_000) == 3_000",
        [(frames, "MAX_STRUCTURE", 1_000)],
    ),
    "frames.receive Refused": (
        PLAIN,
        CALL,
        [(student._HANDLERS, messages.Operate, lambda self, *_: self._sock.sendall(b"\xff" * 8))],
    ),
    "frames.parse Refused": (
        PLAIN,
        CALL,
        [(student._HANDLERS, messages.Operate, lambda self, *_: self._sock.sendall(b"\0\0\0\1\0\0\0\0\xc1"))],
    ),
    "references.add TooLarge": (
        "def f(gs): return len(gs)",
        "assert f([lambda: 1 for _ in range(30)]) == 30",
        [(references.Objects, "LIMIT", 20)],
    ),
    "references.__getitem__ Refused": (PLAIN, CALL, answer(nodes.Shared("bound in one process only"))),
}
ENDED = {
    "context.limit Limit": "made for those who raise it",
    "conversation._send _break": "the student's time is used up",
    "conversation._receive BoundaryError": "an answer to another question is no answer",
    "conversation._interrupt StudentOverran": "the student's time is used up",
    "conversation._expect _break": "an answer to another question is no answer",
    "conversation._done Refused": "for copies and files of the tester's own: a copy that can't be made is made again",
    "faults.guard Fault": "a fault, which leaves the score open as well: test_faults",
    "held.lookup BoundaryError": "the check is run again with a copy of the process",
    "session.fork StudentDied": "the student's process has ended",
    "session.operate _break": "an answer to another question is no answer",
    "session.take _break": "more or fewer items than asked for is no answer",
    "session.signature _break": "what is no signature was not made by ours",
    "answering.limit limit": "made for those who raise it",
    "session._raised StudentError": "the student's exception",
    "session._raised hinder": "a card is full, which leaves the score open as well: tests/grading/test_devices.py",
    "operators._bounded Limit": "noted as a limit just before",
    "testcell.stop StudentOverran": "the check's time is used up",
    "frames._send_all StudentDied": "the student's process has ended",
    "frames._read StudentDied": "the student's process has ended",
    "raised._rebuilt StudentError": "the student's exception",
    "references.__getitem__ BoundaryError": "an object that was never given is no answer",
}


def places() -> Iterator[str]:
    """Where in the tester's room and on the wire an error of our own is made, or a limit noted."""
    for room in ("tester", "wire"):
        for path in sorted((Path(boundary.__file__).parent / room).glob("*.py")):
            yield from (f"{path.stem}.{place}" for place in _made(ast.parse(path.read_text()), ""))


def _made(node: ast.AST, function: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            name = getattr(child.func, "id", getattr(child.func, "attr", ""))
            if name in ERRORS | NOTES:
                yield f"{function} {name}"
        yield from _made(child, child.name if isinstance(child, ast.FunctionDef) else function)


def test_every_error_of_ours_is_in_one_of_the_tables() -> None:
    assert set(places()) == {*OPEN, *ENDED}
    assert not {*OPEN} & {*ENDED}


@pytest.mark.parametrize("place", OPEN)
def test_a_limit_of_ours_leaves_the_score_open(place, notebook, monkeypatch):
    source, check, changed = OPEN[place]
    for where, name, value in changed:
        (monkeypatch.setitem if isinstance(where, dict) else monkeypatch.setattr)(where, name, value)
    rights = Rights(
        methods=place not in ("session.operate limit", "members.found limit"),
        changes=place != "lent._lend limit",
        files=place.startswith("folder.") or place == "session.share_files hinder",
    )
    later = [("test", "import sys\nassert sys.kept.n == 1")] if place == "conversation.close Refused" else []
    run = notebook(("student", source), ("test", check), *later, rights=rights)[-1]
    assert (str(run.status), bool(run.reason)) == ("open", True), run
