"""Students read what a failed check has to say, and where a blank is left, in place of a long traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from grading_utils.lessons.plain_errors import first_blank, plain_message

from .notebooks import kernel

SETUP = "from grading_utils.lessons.plain_errors import use_plain_errors\nuse_plain_errors()"
BLANK = "def double(x):\n    return x * ..."
CHECK = '"""Check 1: doubling."""\nassert double(2) == 4, f"twice two is four, not {double(2)}"'


@pytest.mark.parametrize(
    ("source", "blank"),
    [
        (BLANK, (2, "    return x * ...")),
        ("x = 1\ny = ...\nz = ...", (2, "y = ...")),
        ('"""A text with ... in it."""\nx = "..."  # and ... here', None),
        ("%timeit ...", None),
        ("", None),
    ],
)
def test_only_dots_that_are_code_count_as_a_blank(source: str, blank: tuple[int, str] | None) -> None:
    assert first_blank(source) == blank


def test_a_failed_check_shows_its_message_alone() -> None:
    lines = plain_message(AssertionError("four, not five"), ["def double(x): return 5", CHECK])
    assert lines is not None
    assert "\n".join(lines).endswith("four, not five")
    assert len(lines) == 1


def test_a_check_names_the_blank_of_the_answer_before_it_and_of_no_other_cell() -> None:
    error = TypeError("unsupported operand")
    for inputs in ([BLANK, CHECK], ["x = ...", BLANK, CHECK, CHECK]):
        text = "\n".join(plain_message(error, inputs) or [])
        assert "line 2 of the answer cell" in text
        assert "return x * ..." in text
        assert "TypeError" in text
    assert plain_message(error, [BLANK, "double = abs", CHECK]) is None


def test_all_other_errors_keep_their_traceback() -> None:
    assert plain_message(ValueError("no"), ["int('no')"]) is None
    assert plain_message(AssertionError("my own"), ["assert False, 'my own'"]) is None
    assert plain_message(ValueError("no"), []) is None


def test_in_a_kernel_the_error_keeps_its_type_and_message(tmp_path: Path) -> None:
    with kernel(tmp_path) as run:
        run.run(SETUP)
        run.run(BLANK)
        message, checked = run.run(CHECK)
        assert message.startswith("TypeError: unsupported operand")
        shown = "\n".join(checked.outputs[0].traceback)
        assert "There is a blank left in line 2 of the answer cell above" in shown
        assert "Traceback" not in shown
        run.run("def double(x):\n    return x + 3")
        message, checked = run.run(CHECK)
        assert message == "AssertionError: twice two is four, not 5"
        assert "Traceback" not in "\n".join(checked.outputs[0].traceback)
        message, other = run.run("int('no')")
        assert message.startswith("ValueError")
        assert "Traceback" in "\n".join(other.outputs[0].traceback)


def test_outside_a_kernel_nothing_happens() -> None:
    exec(SETUP, {})
