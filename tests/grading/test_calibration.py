"""Every check gets the least that the instructor's own solution needs; what we can't do costs no honest point."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import AuthoringError
from grading_utils.grading import remembered
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.pipeline import grade
from grading_utils.jobs import UNDECIDED
from grading_utils.results import Status, SubmissionResult

from ..conftest import ASSIGNMENT, hand_in, managed
from .conftest import solved

Cells = list[tuple[str, str]]


@pytest.fixture
def course_of(tmp_path: Path) -> Callable[..., Course]:
    """Makes a course of one assignment out of cells: (name, source), a test where the name ends in `-test`."""

    def make(*cells: tuple[str, str], place: str = "") -> Course:
        root = tmp_path / "course"
        (root / "source" / ASSIGNMENT).mkdir(parents=True)
        made = [
            managed("test", name, source, 2) if name.endswith("-test")
            else managed("locked" if name.startswith("locked") else "solution", name, source)
            for name, source in cells
        ]  # fmt: skip
        if place:
            made[-1].metadata["grading_utils"] = {"place": place}
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        notebook = new_notebook(metadata=metadata, cells=made)
        nbformat.write(notebook, root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
        return Course.open(root)

    return make


def graded(course: Course, *students: str, **how: Any) -> dict[str, SubmissionResult]:
    bundle = build_bundle(course, ASSIGNMENT)
    results = grade(
        course, bundle, students or course.students(ASSIGNMENT), engine_factory(course, isolate=True), **how
    )
    return {result.student: result for result in results}


def answer(source: str) -> tuple[str, str]:
    return "answer", f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"


# A check that can't be made between two processes: it looks at the very frames of the student's function.
FRAMES = "import sys\ndef depth():\n    return sys._getframe(1).f_globals['secret']"
IN_FRAMES = """
secret = 41
assert depth() == 41
### BEGIN HIDDEN TESTS
secret = 97531
assert depth() == 97531
### END HIDDEN TESTS
"""


def test_a_check_that_works_only_inside_runs_inside_and_says_so(course_of: Any) -> None:
    course = course_of(answer(FRAMES), ("depth-test", IN_FRAMES))
    lines: list[str] = []
    hand_in(course, "right", solved(course))
    hand_in(course, "wrong", solved(course, answer="def depth(): return 41"))
    results = graded(course, tell=lines.append)
    assert [(r.score, r.status, bool(r.cells[0].inside)) for _, r in sorted(results.items())] == [
        (2, Status.GRADED, True), (0, Status.GRADED, True),
    ]  # fmt: skip
    assert lines[0].startswith("counting: counting: depth-test runs inside, because apart: ")
    for student in ("right", "wrong"):
        graded_notebook = nbformat.read(course.autograded(ASSIGNMENT, student) / "counting.ipynb", as_version=4)
        assert "97531" not in str(graded_notebook.cells[1].outputs)
        assert "97531" not in results[student].cells[0].message


def test_apart_only_refuses_an_assignment_with_checks_that_run_inside(course_of: Any) -> None:
    course = course_of(answer(FRAMES), ("depth-test", IN_FRAMES))
    hand_in(course, "right", solved(course))
    with pytest.raises(AuthoringError, match="depth-test would run inside, which --apart-only forbids"):
        graded(course, apart_only=True)


def test_an_author_can_demand_either_place(course_of: Any, tmp_path: Path) -> None:
    course = course_of(answer("x = 1"), ("x-test", "assert x == 1"), place="inside")
    hand_in(course, "right", solved(course))
    result = graded(course)["right"]
    assert (result.score, bool(result.cells[0].inside)) == (2, True)
    (tmp_path / "course").rename(tmp_path / "other")
    course = course_of(answer(FRAMES), ("depth-test", IN_FRAMES), place="apart")
    hand_in(course, "right", solved(course))
    result = graded(course)["right"]
    assert (result.cells[0].score, result.cells[0].inside) == (None, "")
    (tmp_path / "course").rename(tmp_path / "third")
    course = course_of(answer("x = 1"), ("x-test", "assert x == 1"), place="outside")
    hand_in(course, "right", solved(course))
    with pytest.raises(AuthoringError, match="asks for the place 'outside'; there are: any, apart, inside"):
        graded(course)


def test_a_check_that_the_solution_fails_waits_for_a_person_for_everybody(course_of: Any) -> None:
    course = course_of(answer("x = 1"), ("x-test", "assert x == 2, 'x is two'"), ("y-test", "assert x == 1"))
    hand_in(course, "right", solved(course))
    hand_in(course, "other", solved(course, answer="x = 2"))
    lines: list[str] = []
    results = graded(course, tell=lines.append)
    assert {name: [cell.score for cell in result.cells] for name, result in results.items()} == {
        "right": [None, 2], "other": [None, 0],
    }  # fmt: skip
    assert {result.status for result in results.values()} == {Status.NEEDS_ATTENTION}
    assert "x-test waits for a person, whoever hands it in: the instructor's own solution gets 0 points" in lines[0]
    assert "AssertionError: x is two" in lines[0]
    with Gradebook(course.layout.db_url) as gradebook:
        grade = gradebook.find_grade("x-test", ASSIGNMENT, ASSIGNMENT, "right")
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True)


def test_a_check_that_gives_points_to_the_untouched_release_is_named(course_of: Any) -> None:
    course = course_of(answer("x = 1"), ("x-test", "assert True"))
    hand_in(course, "right", solved(course))
    lines: list[str] = []
    graded(course, tell=lines.append)
    assert lines == ["counting: counting: x-test gives 2 points to the untouched release"]


def test_what_was_learned_is_kept_until_something_changes(course_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    course = course_of(answer("x = 1"), ("x-test", "assert x == 1"))
    hand_in(course, "right", solved(course))
    assert graded(course)["right"].score == 2
    learned: list[str] = []
    real = remembered.calibrate
    monkeypatch.setattr(remembered, "calibrate", lambda source, *rest: learned.append(source) or real(source, *rest))
    graded(course)
    assert learned == []
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    path.write_text(path.read_text().replace("x = 1", "x = 1.0"))
    graded(course)
    assert learned == [path]


def test_a_student_who_meets_a_limit_that_the_solution_does_not_meet_is_left_open(course_of: Any) -> None:
    course = course_of(
        answer("def f(call): return 3"),
        ("f-test", "import sys\ndef call(x): return sys._getframe()\nassert f(call) == 3"),
    )
    hand_in(course, "right", solved(course))
    curious = "def f(call):\n    try:\n        call(1)\n    except Exception:\n        pass\n    return 3"
    hand_in(course, "curious", solved(course, answer=curious))
    results = graded(course)
    assert results["right"].score == 2
    cell = results["curious"].cells[0]
    assert (cell.score, cell.message) == (None, UNDECIDED)
    assert "can't be given to the student's code" in cell.open
    assert "f-test is open: " in results["curious"].message
    asked = graded(course, "curious", inside=["f-test"])["curious"]
    assert (asked.score, asked.cells[0].inside, asked.status) == (2, "a person asked for it", Status.GRADED)
    # Grading again keeps what the person decided about this submission, and asks again about the next.
    again = graded(course)
    assert [again[name].cells[0].inside for name in ("curious", "right")] == ["a person asked for it", ""]
    assert again["curious"].score == 2
    assert graded(course, "curious", apart_only=True)["curious"].cells[0].score is None
    hand_in(course, "curious", solved(course, answer=curious + " "))
    assert graded(course)["curious"].cells[0].score is None


BREAK = """
from grading_utils.boundary.tester import relayed
relay = relayed.printed
def broken(stdout, stderr, context):
    if "boom" in stdout: raise KeyError("our own secret trouble")
    relay(stdout, stderr, context)
relayed.printed = broken
"""
SWALLOWED = "try:\n    f(1)\nexcept Exception:\n    pass\nassert f"


def test_broken_machinery_is_a_fault_of_ours_and_says_nothing_to_the_student(course_of: Any) -> None:
    course = course_of(
        ("locked-break", BREAK), answer("def f(x): return x"), ("f-test", "assert f(1) == 1"), ("g-test", SWALLOWED),
        ("x-test", "assert 'f' in globals()"),
    )  # fmt: skip
    hand_in(course, "right", solved(course))
    hand_in(course, "loud", solved(course, answer="def f(x):\n    print('boom')\n    return x"))
    results = graded(course)
    assert [cell.score for cell in results["right"].cells] == [2, 2, 2]
    assert [cell.score for cell in results["loud"].cells] == [None, None, 2]
    assert all("our own secret trouble" in cell.open for cell in results["loud"].cells[:2])
    assert "the grading machinery failed, not the student: KeyError" in results["loud"].message
    notebook = nbformat.read(course.autograded(ASSIGNMENT, "loud") / "counting.ipynb", as_version=4)
    for cell in notebook.cells[2:4]:
        assert [output["evalue"] for output in cell.outputs] == [UNDECIDED]


def test_machinery_that_always_breaks_is_no_reason_to_run_a_check_inside(course_of: Any) -> None:
    course = course_of(
        ("locked-break", BREAK.replace('"boom" in stdout', "True")), answer("def f(x): return x"),
        ("f-test", "assert f(1) == 1"),
    )  # fmt: skip
    hand_in(course, "right", solved(course))
    cell = graded(course)["right"].cells[0]
    assert (cell.score, cell.inside) == (None, "")
    assert "the grading machinery failed, not the student: KeyError: 'our own secret trouble'" in cell.open


def test_a_check_on_what_an_earlier_check_made_the_student_s_code_do_runs_after_it(course_of: Any) -> None:
    seen = "seen = []\ndef remember(word):\n    seen.append(word)\n    return len(seen)"
    course = course_of(
        answer(seen), ("count-test", "assert remember('first') == 1"), ("seen-test", "assert seen == ['first']")
    )
    lines: list[str] = []
    hand_in(course, "right", solved(course))
    hand_in(course, "wrong", solved(course, answer="seen = []\ndef remember(word): return 1"))
    results = graded(course, tell=lines.append)
    assert {name: [cell.score for cell in result.cells] for name, result in results.items()} == {
        "right": [2, 2], "wrong": [2, 0],
    }  # fmt: skip
    assert "seen-test runs inside after all earlier checks, because without them: AssertionError" in lines[0]


def test_what_passed_only_beside_a_check_that_has_moved_inside_is_tried_again(course_of: Any) -> None:
    course = course_of(
        answer(FRAMES),
        ("depth-test", "import sys\nsys.marker = 1\nsecret = 41\nassert depth() == 41"),
        ("marker-test", "import sys\nassert depth and sys.marker == 1"),
    )
    hand_in(course, "right", solved(course))
    result = graded(course)["right"]
    assert [(cell.score, bool(cell.inside)) for cell in result.cells] == [(2, True), (2, True)]


def test_cells_find_their_inputs_outputs_and_the_shell_of_a_notebook(course_of: Any) -> None:
    course = course_of(
        ("locked-value", "40 + 2"),
        answer("theirs = 42 in Out.values() and any('40 + 2' in cell for cell in In)"),
        ("theirs-test", "assert theirs is True"),
        ("inputs-test", "assert any('theirs' in cell for cell in In) and 42 in Out.values()"),
        ("shell-test", "assert theirs and type(get_ipython()).__name__ == 'ZMQInteractiveShell'"),
    )
    hand_in(course, "right", solved(course))
    assert [cell.score for cell in graded(course)["right"].cells] == [2, 2, 2]
