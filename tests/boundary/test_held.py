"""A check that only reads data is given the values as they were when its turn came; nothing is copied for it."""

from __future__ import annotations

import pytest

from .conftest import ForkedStudent

COUNTER = "count = 0\nitems = [1]\ndef f():\n    global count\n    count += 1\n    items.append(count)"


class Uncopied(ForkedStudent):
    """A student whose process must not be copied."""

    @property
    def copies(self) -> int:
        return 0

    @copies.setter
    def copies(self, count: int) -> None:
        raise RuntimeError("the process was copied")


def statuses(runs):
    return [str(run.status) for run in runs]


def test_checks_of_data_see_it_as_it_was_without_a_copy(notebook):
    runs = notebook(
        ("student", "x = [1, 2]\ny = {'a': x}"),
        ("test", "assert x == [1, 2] and y == {'a': [1, 2]}"),
        ("student", "x.append(3)\ny = None"),
        ("test", "assert x == [1, 2, 3]\nassert y is None"),
        ("student", "del x"),
        spawn=Uncopied,
    )
    assert statuses(runs) == ["ok"] * 5


def test_what_a_check_does_to_a_value_is_gone_for_the_next_one(notebook):
    runs = notebook(
        ("student", "x = [1, 2]"),
        ("test", "x.append(3)\nx = x + [4]\nassert x == [1, 2, 3, 4]"),
        ("test", "del x\ntry:\n    x\nexcept NameError:\n    pass\nelse:\n    raise AssertionError"),
        ("test", "assert x == [1, 2]"),
        ("student", "pass"),
        spawn=Uncopied,
    )
    assert statuses(runs) == ["ok"] * 5


def test_a_check_that_reads_more_than_its_text_says_gets_a_copy_after_all(notebook):
    runs = notebook(
        ("student", "x = 1\ny = 2"),
        ("test", "def double(): return 2 * y\nassert x == 1"),
        ("student", "z = 3\ny = 5"),
        ("test", "assert double() == 10 and z == 3"),
        ("student", "y = 7"),
    )
    assert statuses(runs) == ["ok"] * 5


SPY = """
from grading_utils.boundary.student import endpoint as student
from grading_utils.boundary.wire import messages
asked = []
def spy(endpoint, question, *rest, answer=student._HANDLERS[messages.Lookup]):
    asked.append(question.name)
    return answer(endpoint, question, *rest)
student._HANDLERS[messages.Lookup] = spy
open_name, hidden_name = 1, 2
"""


def printed(run):
    return "".join(output["text"] for output in run.outputs)


def test_no_name_is_asked_for_that_only_a_hidden_part_reads(notebook):
    check = "assert open_name == 1\n### BEGIN HIDDEN TESTS\nassert hidden_name == 2\n### END HIDDEN TESTS"
    runs = notebook(("student", SPY), ("test", check), ("student", "print(asked)"))
    assert statuses(runs) == ["ok"] * 3
    assert printed(runs[2]) == "[]\n"


def test_a_name_that_the_visible_part_reads_is_asked_for_at_once(notebook):
    check = "assert open_name == 1\n### BEGIN HIDDEN TESTS\nassert open_name + 1 == 2\n### END HIDDEN TESTS"
    runs = notebook(("student", SPY), ("test", check), ("student", "print(asked)"))
    assert printed(runs[2]) == "['open_name']\n"


def test_a_name_means_one_object_until_student_code_changes_it(notebook):
    check = (
        "items.append(9)\nassert items == [1, 9]\nassert count == 0\n"
        "f()\nassert count == 1 and items == [1, 1]\nassert items is items"
    )
    assert statuses(notebook(("student", COUNTER), ("test", check))) == ["ok", "ok"]


def test_a_hidden_check_of_data_tells_student_code_nothing_so_later_messages_stay(notebook):
    hidden = "assert x == 1\n### BEGIN HIDDEN TESTS\nassert x + 1 == 2\n### END HIDDEN TESTS"
    spoken = "def f(): raise ValueError('what I say')"
    started = []

    def only_one() -> ForkedStudent:
        assert not started, "the notebook was run again, to be sure of the message"
        started.append(True)
        return ForkedStudent()

    cells = ("student", f"x = 1\n{spoken}"), ("test", hidden), ("test", "f()"), ("student", "x = 2")
    runs = notebook(*cells, spawn=only_one)
    assert statuses(runs) == ["ok", "ok", "error", "ok"]
    assert "what I say" in runs[2].message


def test_a_process_that_breaks_when_asked_for_values_is_replaced_and_copied_from_then_on(notebook):
    silent = (
        "import os\nfrom grading_utils.boundary.student import endpoint as student\n"
        "from grading_utils.boundary.wire import messages\n"
        "student._HANDLERS[messages.ListNames] = lambda *_: os._exit(1)\nx = 1"
    )
    runs = notebook(("student", "y = 2\nprint(y)"), ("student", silent), ("test", "assert y == 2"), ("student", "pass"))
    assert [str(run.status) for run in runs[:2]] == ["ok", "ok"]
    assert printed(runs[0]) == "2\n"


@pytest.mark.parametrize("big", ["'x' * 10**7", "list(map(str, range(20_000)))", "bytes(10**7)"])
def test_a_value_too_large_to_keep_is_left_in_a_copy(big, notebook):
    cells = ("student", f"big = {big}"), ("test", f"assert big == {big}"), ("student", "big = None")
    assert statuses(notebook(*cells)) == ["ok"] * 3
    assert set(statuses(notebook(*cells, spawn=Uncopied))) == {"fault"}
