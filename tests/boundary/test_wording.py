"""What a student reads of a failed hidden check: the author's words, the test's values, nothing that can carry more.

The checks, and the functions that they are asked about, stand in `messages/*.yaml`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

GAP = "<your value>"
LEAD = "A hidden check did not pass: "
FOLDER = Path(__file__).parent / "messages"
SETUP = """
import io, math
import pandas as pd
from contextlib import redirect_stdout
from grading_utils import check_samples, check_table, check_tensor, check_text, check_global_vars
WORDS = {"one": 1, "two": 2}
TABLE = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})

def same(got, want, why="as the task says"):
    assert got == want, f"{why}: {want} expected, not {got}"

def fail(message):
    raise AssertionError(message)

def explain(got, want):
    return f"expected {want}, got {got}"
"""


def read(name: str) -> list[Any]:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def each(name: str) -> Any:
    cases = [pytest.param(case, id=case["name"]) for case in read(name)]
    return pytest.mark.parametrize("case", cases)


def hidden(test: str) -> str:
    return f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"


@each("readable")
def test_the_authors_words_are_whole_and_the_students_are_one_gap(case, check):
    run = check("def f(x, **how): return 'some long text of mine'", hidden(case["test"]), leading=SETUP)
    assert run.message == LEAD + case["message"]
    assert "long text" not in run.message


@each("checkers")
def test_checkers_say_what_is_wrong_without_the_students_values(case, check):
    run = check("def f(x): return x", hidden(case["test"]), leading=SETUP)
    assert run.message == LEAD + case["message"]
    assert run.details
    assert GAP not in run.details


def test_the_student_reads_the_line_of_their_own_that_raised(check):
    run = check("def f(x):\n    # twice\n    return {}[x]", hidden("assert f('secret argument') == 1, 'one'"))
    assert run.message == LEAD + "your code raised KeyError in it, in line 3 of `cell-1`: `return {}[x]`"
    assert "secret argument" in run.details
    assert "line 3" in run.details


def test_an_exception_of_the_students_own_is_named_by_its_builtin_type(check):
    run = check("class Secret(KeyError): pass\ndef f(x): raise Secret(x)", hidden("f('secret argument')"))
    assert run.message.startswith(LEAD + "your code raised KeyError in it")
    assert "argument" not in run.message


def test_a_gap_is_filled_by_what_says_next_to_nothing(check):
    test = hidden("got = f(2)\nassert got == 4, f'four, not {got}: that is {len(str(got))} digits'")
    assert check("def f(x): return 12", test).message == LEAD + "four, not 12: that is 2 digits"
    assert check("def f(x): return None", test).message == LEAD + "four, not None: that is 4 digits"
    assert check("def f(x): return 123", test).message == LEAD + f"four, not {GAP}: that is 3 digits"


# --- what must not be told ---


@each("asking")
def test_no_message_of_a_hidden_check_carries_its_arguments(case, notebook):
    """Two secrets, which the student's code tells apart, give the same messages."""
    codes = read("codes")
    source = "\n".join(re.sub(r"\bf\(", f"f{n}(", code["code"], count=1) for n, code in enumerate(codes))
    said = []
    for secret in ("xylophone quartz 7351942", "zebra finches? no 123456"):
        test = case["test"].replace("SECRET", repr(secret))
        tests = [("test", hidden(re.sub(r"\bf\(", f"f{n}(", test))) for n, _ in enumerate(codes)]
        runs = notebook(("student", f"{source}\nleft = 'nothing'"), *tests, leading=SETUP)[1:]
        said.append([run.message for run in runs])
        assert any(run.status == "error" for run in runs)
    for code, *messages in zip(codes, *said, strict=True):
        assert messages[0] == messages[1], code["name"]
        assert not any(word in messages[0] for word in ("xylo", "quar", "7351"))


def test_what_small_values_say_in_all_of_a_notebook_is_bounded(notebook):
    test = hidden("got = f('the secret text')\nassert got == -1, f'the number is not {got}'")
    source = "\n".join(f"def f{n}(x): return ord(x[{n}]) - 30" for n in range(15))
    runs = notebook(("student", source), *(("test", test.replace("f(", f"f{n}(")) for n in range(15)), leading=SETUP)
    told = [run.message for run in runs[1:] if GAP not in run.message]
    assert len(told) == 5
    assert all(run.message.startswith(LEAD + "the number is not ") for run in runs[1:])
