"""A test's loops of calls are sent in few messages, and nobody can tell but by the clock."""

from __future__ import annotations

import ast

import pytest

from grading_utils.boundary.tester.loops import MOST_AT_ONCE, batched
from grading_utils.jobs import CellStatus, Rights

ANSWER = """
import random
seen, count = [], 0
def draw(row, dice): return dice.choice(row)
def messages(dice):
    seen.append(dice)
    return len({id(one) for one in seen})
def drain(row): return row.pop()
def grown(row):
    row.append(1)
    return len(row)
def odd(x):
    if x == 3: raise KeyError(x)
    return x
def once(x):
    global once
    once = lambda x: "second"
    return "first"
def counted():
    global count
    count += 1
    return count
def next_count(_): return counted()
def large(n): return "x" * n
def told(x): print("heard", x)
def make(x): return Box(x)
class Box:
    def __init__(self, x): self.x = x
    def get(self): return self.x
def through(f, x): return f(x)
def shake(n): return [random.random() for _ in range(n)]
"""
CHECKS = {
    "the generator's draws": """
import random
dice, twin = random.Random(3), random.Random(3)
row = ["a", "b", "c"]
assert [draw(row, dice) for _ in range(300)] == [twin.choice(row) for _ in range(300)]
assert dice.random() == twin.random()
""",
    "a fresh generator for each call": """
import random
assert [draw([1, 2, 3], random.Random(n)) for n in range(9)] == [random.Random(n).choice([1, 2, 3]) for n in range(9)]
""",
    "arguments by name": """
import random
dice = random.Random(1)
assert set([draw(dice=dice, row="ab") for _ in range(40)]) == {"a", "b"}
""",
    "a set": "assert {odd(n) for n in [1, 2, 2]} == {1, 2}",
    "a loop in a loop": "assert [[odd(n) for n in row] for row in ([1, 2], [4])] == [[1, 2], [4]]",
    "a loop in a function": "def both(limit):\n    return [odd(n) for n in range(limit)]\nassert both(3) == [0, 1, 2]",
    "changes add up in the test's own list": """
row = [1, 2, 3]
assert [drain(row) for _ in range(3)] == [3, 2, 1] and row == []
""",
    "changes of fresh copies don't": """
row = [1]
assert [grown(list(row)) for _ in range(3)] == [2, 2, 2] and row == [1]
""",
    "the items may change": "rows = [[], [1]]\nassert [grown(row) for row in rows] == [1, 2] and rows == [[1], [1, 1]]",
    "an exception ends it": """
try:
    found = [odd(n) for n in range(9)]
except KeyError as error:
    found = error.args
assert found == (3,)
""",
    "a function that binds its own name anew": "assert [once(n) for n in range(3)] == ['first', 'second', 'second']",
    "state of the student's": "assert [next_count(n) for n in range(300)] == list(range(1, 301))",
    "results that fill a message": """
assert [len(text) for text in [large(n) for n in [30_000_000] * 5]] == [30_000_000] * 5
""",
    "objects of the student's": "assert [box.get() for box in [make(n) for n in range(5)]] == [0, 1, 2, 3, 4]",
    "a class of the student's": "assert [box.get() for box in [Box(n) for n in range(5)]] == [0, 1, 2, 3, 4]",
    "a function of the test's that is called back": """
steps = []
def note(x):
    steps.append(x)
    return len(steps)
assert [through(note, n) for n in range(4)] == [1, 2, 3, 4] and steps == [0, 1, 2, 3]
""",
    "a function of the test's own": """
try:
    [int(text) for text in ("1", "x")]
except ValueError as error:
    assert "[int(text) for text" not in str(error)
""",
    "an iterator that tells how far it is": """
asked = []
def items():
    for n in range(3):
        asked.append(n)
        yield n
assert [odd(n) for n in items()] == [0, 1, 2] and asked == [0, 1, 2]
""",
    "a loop over functions": "assert [f(1) for f in (odd, lambda x: -x)] == [1, -1]",
    "no items": "assert [odd(n) for n in []] == []",
    "what is printed": """
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as said:
    [told(n) for n in range(3)]
assert said.getvalue() == "heard 0\\nheard 1\\nheard 2\\n"
""",
    "the global generator": """
import random
random.seed(5)
mine = [[random.random() for _ in range(2)] for _ in range(3)]
random.seed(5)
assert [shake(n) for n in [2, 2, 2]] == mine
""",
}


@pytest.mark.parametrize("source", CHECKS.values(), ids=CHECKS)
def test_a_loop_gives_what_it_gives_in_a_notebook(source, check):
    run = check(ANSWER, source)
    assert run.status is CellStatus.OK, run.message


@pytest.mark.parametrize("source", CHECKS.values(), ids=CHECKS)
def test_python_itself_agrees(source):
    names = {}
    exec(ANSWER + source, names)


def test_four_hundred_draws_need_a_handful_of_messages(check):
    source = f"""
import random
dice = random.Random(1)
assert [messages(dice) for _ in range(400)][-1] == -(-400 // {MOST_AT_ONCE})
"""
    assert check(ANSWER, source).status is CellStatus.OK


def test_two_generators_alike_need_no_right_to_change_anything(check):
    source = """
import random
first, second = [[draw("abc", dice) for _ in range(50)] for dice in (random.Random(4), random.Random(4))]
assert first == second and len(set(first)) == 3
"""
    assert check(ANSWER, source, rights=Rights()).status is CellStatus.OK


def test_a_failing_loop_names_its_line(check):
    run = check(ANSWER, "import random\nfound = [\n    odd(n)\n    for n in range(9)\n]")
    assert (run.status, run.failed_line, run.message) == (CellStatus.ERROR, 3, "KeyError: 3")


OTHERS = """
[f(x) for x in xs if x]
[f(x) for xs in xss for x in xs]
[f(a, b) for a, b in pairs]
[f() for _ in xs]
[f(1) for f in fs]
[f(g(x)) for x in xs]
[f(*x) for x in xs]
[f(**x) for x in xs]
[f(x).y for x in xs]
[o.f(x) for x in xs]
[f(y := x) for x in xs]
(f(x) for x in xs)
{x: f(x) for x in xs}
class A: y = [f(x) for x in xs]
"""


@pytest.mark.parametrize("loop", OTHERS.strip().splitlines())
def test_any_other_loop_stays_as_it_is(loop):
    (statement,) = ast.parse(loop).body
    assert ast.unparse(batched(statement, [loop])) == ast.unparse(statement)
