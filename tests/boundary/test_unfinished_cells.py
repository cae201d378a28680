"""A cell that is no Python costs its own question, and says what a notebook says: the error and its line."""

from __future__ import annotations

import pytest

UNFINISHED = {
    "parenthesis": "x = (1 + 2\ny = 3",
    "bracket": "x = [1, 2",
    "brace": "x = {1: 2",
    "call": "print(\n'a'",
    "a lone parenthesis": "x = 1)\n",
    "triple quotes": "x = '''abc\ndef",
    "double triple quotes": 'def f():\n    """What it does.\n    return 1',
    "quotes": "x = 'abc\ny = 1",
    "an f-string": "x = f'{1'",
    "backslash": "x = 1 + \\",
    "a line that is indented": "  x = 1\n y = 2",
    "a line that is not indented": "def f():\nreturn 1",
    "tabs and spaces": "if True:\n\tx = 1\n        y = 2",
    "other quotes": "x = “abc”",
    "many parentheses": "x = " + "(" * 5000,
    "a null byte": "x = 1\x00",
    "a magic of no use": "%%nothing\n(",
    "half a magic": "%",
    "help": "?(",
}


@pytest.mark.parametrize("kind", UNFINISHED)
def test_an_unfinished_cell_ends_with_an_error_and_no_accusation(kind, notebook):
    answer, after, check, other = notebook(
        ("student", UNFINISHED[kind]), ("student", "z = 1"), ("test", "assert y == 3"), ("test", "assert z == 1")
    )
    said = [output for output in answer.outputs if output["output_type"] in ("error", "stream")]
    assert said, answer
    assert "not an answer" not in str(answer)
    assert answer.status != "stopped"
    assert (after.status, check.status, other.status) == ("ok", "error", "ok")


@pytest.mark.parametrize("kind", ["parenthesis", "bracket", "brace", "triple quotes", "quotes", "a lone parenthesis"])
def test_the_error_is_pythons_own_with_its_line(kind, notebook):
    (answer,) = notebook(("student", "a = 1\n\n" + UNFINISHED[kind]))
    (error,) = [output for output in answer.outputs if output["output_type"] == "error"]
    assert error["ename"] == "SyntaxError"
    assert any("line 3" in line for line in error["traceback"]), error
