"""An endless loop, a crash or a broken conversation costs the questions that it must cost, and no more."""

from __future__ import annotations

import pytest

from grading_utils.boundary.tester import handover
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell, Job

GOOD = "def f(x): return x + 1"
CHECK = "assert f(1) == 2"


def statuses(runs):
    return [str(run.status) for run in runs]


CRASHES = {
    "exit": "import os; os._exit(3)",
    "kill": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "segmentation fault": "import ctypes; ctypes.string_at(0)",
}


@pytest.mark.parametrize("crash", CRASHES.values(), ids=CRASHES)
def test_a_crash_in_a_cell_costs_that_cell_and_earlier_cells_are_replayed(crash, notebook):
    runs = notebook(
        ("student", GOOD), ("test", CHECK), ("student", crash), ("student", "g = f(2)"), ("test", "assert g == 3"),
        ("test", CHECK),
    )  # fmt: skip
    assert statuses(runs) == ["ok", "ok", "stopped", "ok", "ok", "ok"]
    assert "ended the Python process" in runs[2].message


def test_an_endless_loop_in_a_cell_costs_that_cell(notebook):
    runs = notebook(("student", GOOD), ("student", "while True: pass"), ("test", CHECK), limit=1)
    assert statuses(runs) == ["ok", "stopped", "ok"]
    assert runs[1].message == "Stopped: this cell used more than 1 s."


def test_a_loop_that_cannot_be_interrupted_is_killed_and_the_rest_is_graded(notebook):
    stubborn = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    runs = notebook(("student", GOOD), ("student", stubborn), ("test", CHECK), limit=1)
    assert statuses(runs) == ["ok", "stopped", "ok"]


def test_a_crash_during_a_check_costs_that_check_only(notebook):
    source = "import os\ndef f(x):\n    if x == 13: os._exit(1)\n    return x + 1"
    runs = notebook(("student", source), ("test", CHECK), ("test", "assert f(13) == 14"), ("test", CHECK))
    assert statuses(runs) == ["ok", "ok", "stopped", "ok"]


@pytest.mark.parametrize(
    "loop",
    ["while True: pass", "while True:\n        try:\n            while True: pass\n        except BaseException: pass"],
)
def test_an_endless_loop_during_a_check_costs_that_check_only(loop, notebook):
    source = f"def f(x):\n    if x == 13:\n        pass\n    else:\n        return x + 1\n    {loop}"
    runs = notebook(("student", source), ("test", "assert f(13) == 14"), ("test", CHECK), limit=1)
    assert statuses(runs) == ["ok", "stopped", "ok"]
    assert runs[1].message == "Stopped: this check used more than 1 s."


def test_a_check_cannot_turn_a_crash_into_a_pass(notebook):
    source = "import os\ndef f(x): os._exit(1)"
    test = "import pytest\ntry:\n    f(1)\nexcept Exception:\n    pass\nwith pytest.raises(Exception): f(2)"
    assert notebook(("student", source), ("test", test))[1].status == "stopped"


def test_killing_the_other_copies_costs_no_other_question(notebook):
    source = "import os, signal\ndef f(x):\n    if x == 13: os.killpg(0, signal.SIGKILL)\n    return x + 1"
    runs = notebook(("student", source), ("test", "f(13)"), ("test", CHECK), ("test", CHECK))
    assert statuses(runs) == ["ok", "stopped", "ok", "ok"]


def test_replacements_are_bounded_and_the_rest_is_reported_as_not_run(notebook):
    runs = notebook(
        ("student", GOOD), *[("student", "import os; os._exit(1)")] * 6, ("student", "x = 1"), ("test", CHECK)
    )
    assert statuses(runs)[1:7] == ["stopped"] * 6
    assert runs[-1].status == "stopped"
    assert "kept ending" in runs[-1].message


def test_what_a_check_does_or_stores_is_gone_before_the_next(notebook):
    source = "seen = []\ndef f(x):\n    seen.append(x)\n    return list(seen)"
    runs = notebook(("student", source), ("test", "assert f(1) == [1]"), ("test", "assert f(2) == [2]"))
    assert statuses(runs) == ["ok", "ok", "ok"]


def test_a_checks_own_endless_computing_is_stopped(notebook):
    test = "while not done: pass"
    runs = notebook(
        ("student", "done = False"), ("test", f"done = done\n{test}"), ("student", GOOD), ("test", CHECK), limit=1
    )
    assert statuses(runs) == ["ok", "stopped", "ok", "ok"]


def test_an_error_in_a_cell_leaves_what_it_had_done(notebook):
    runs = notebook(("student", "x = 1\n1/0"), ("test", "assert x == 1"))
    assert statuses(runs) == ["error", "ok"]
    assert runs[0].outputs[0]["ename"] == "ZeroDivisionError"


def test_instructor_cells_run_on_both_sides_and_their_errors_are_not_fatal(notebook):
    runs = notebook(
        ("student", GOOD), ("instructor", "LIMIT = 3\nresult = f(LIMIT)"), ("student", "LIMIT = 99\nresult = None"),
        ("instructor", "1/0"), ("test", "assert LIMIT == 3 and result == 4 and f(LIMIT) == 4"),
    )  # fmt: skip
    assert statuses(runs) == ["ok", "ok", "ok", "error", "ok"]


def test_later_cells_of_the_student_do_not_reach_back(notebook):
    runs = notebook(("student", "def f(x): return 1"), ("test", "assert f(0) == 1"), ("student", "def f(x): return 2"),
                    ("test", "assert f(0) == 2"))  # fmt: skip
    assert statuses(runs) == ["ok"] * 4


def test_a_checks_last_number_is_partial_credit_and_prints_are_kept(notebook):
    runs = notebook(("student", GOOD), ("test", "print('checked')\nscore = 0\nscore += f(1) / 4\nscore"))
    assert runs[1].outputs == [
        {"output_type": "stream", "name": "stdout", "text": "checked\n"},
        {"output_type": "execute_result", "data": {"text/plain": "0.5"}, "metadata": {}, "execution_count": None},
    ]


def test_many_checks_fit_into_one_notebook(notebook):
    runs = notebook(("student", GOOD), *[("test", CHECK)] * 30)
    assert statuses(runs) == ["ok"] * 31


def test_a_tester_that_dies_in_a_check_is_run_again_without_it(notebook):
    first = Cell(index=3, role=Role.INSTRUCTOR, source="")
    check = Cell(index=7, role=Role.TEST, source="")
    answer = Cell(index=8, role=Role.STUDENT, source="")
    job = Job(leading=1, cells=(first, answer, check))
    assert handover.without_culprit(job, 0) is None
    assert handover.without_culprit(job, 1).lost == (7,)
    assert handover.without_culprit(job, 2) is None
    runs = notebook(("student", GOOD), ("test", CHECK), ("test", CHECK), lost=(2,))
    assert statuses(runs) == ["ok", "stopped", "ok"]
