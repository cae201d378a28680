"""Every answer in `tests/answers/` gets the points that it states, and mistakes are noticed where a student can see it.

All answers of a notebook are graded once, by the engine that grades the class; every test here reads that result.
A plain kernel like stock nbgrader's is asked as well, by `make test-all`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from grading_utils.authoring.answers import FOLDER, READABLE_GAPS, Summary, Tried, gaps, read_answers, try_answers
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.engines import engine_factory

from .notebooks import NOTEBOOKS, ROOT, Kernel, is_answer, is_check, kernel, metadata, read

WITH_ANSWERS = [path for path in NOTEBOOKS if (ROOT / FOLDER / path.parent.name).is_dir()]
COURSE = Course.open(ROOT)
HIDDEN_ONLY = 0.25
"""Share of the wrong answers that only hidden checks may notice: those made for the visible ones."""
UNREADABLE = 0.02
"""Share of the messages of hidden checks that may have more gaps than can be read."""

each_notebook = pytest.mark.parametrize("path", WITH_ANSWERS, ids=lambda path: path.parent.name)


@cache
def tried(assignment: str) -> tuple[Tried, ...]:
    """What grading every answer of an assignment showed; graded once for all tests here."""
    bundle = build_bundle(COURSE, assignment)
    return tuple(try_answers(COURSE, bundle, engine_factory(COURSE, isolate=True), workers=2))


@each_notebook
def test_answers_get_the_points_and_the_words_they_deserve(path: Path) -> None:
    surprises = [
        f"{answer.cell}: {answer.name}: {surprise}" for answer in tried(path.stem) for surprise in answer.surprises
    ]
    assert not surprises, "\n".join(surprises)


@each_notebook
def test_students_see_three_of_four_mistakes_before_they_hand_in(path: Path) -> None:
    wrong = [answer for answer in tried(path.stem) if not answer.right]
    unseen = [f"{answer.cell}: {answer.name}" for answer in wrong if not answer.visible]
    assert len(unseen) <= HIDDEN_ONLY * len(wrong), f"{len(unseen)} of {len(wrong)}:\n" + "\n".join(unseen)


@each_notebook
def test_students_can_read_what_hidden_checks_say(path: Path) -> None:
    messages = [message for answer in tried(path.stem) for message in answer.messages]
    unreadable = [message for message in messages if gaps(message) > READABLE_GAPS]
    assert len(unreadable) <= UNREADABLE * len(messages), "\n".join(unreadable)


@each_notebook
def test_the_page_has_the_row_that_check_answers_prints(path: Path) -> None:
    page = (ROOT / "docs" / "course.md").read_text(encoding="utf-8").splitlines()
    assert Summary.of(tried(path.stem)).row(path.stem) in page, f"run grading-utils check-answers {path.stem}"


@each_notebook
def test_every_answer_cell_has_right_and_wrong_answers(path: Path) -> None:
    notebook = read(path)
    points = {cell.id: metadata(cell)["points"] for cell in notebook.cells if is_check(cell)}
    collected = read_answers(COURSE, path.stem)
    for cell in filter(is_answer, notebook.cells):
        answers = collected.get(cell.id, [])
        right = [a for a in answers if all(points[check] == got for check, got in a["expect"].items())]
        assert len(right) >= 3, f"{cell.id} has {len(right)} right answers of at least 3"
        assert len(answers) - len(right) >= 5, f"{cell.id} has {len(answers) - len(right)} wrong answers of at least 5"
        assert len({answer["name"] for answer in answers}) == len(answers), f"{cell.id}: two answers share a name"


def in_a_plain_kernel(run: Kernel, answer: dict[str, Any], checks: dict[str, Any]) -> Iterator[str]:
    """Try one answer; yields in what it surprised us."""
    with run.trial():
        run.run(answer["source"])
        for grade_id, expected in {**answer["expect"], **answer.get("expect_in_a_plain_kernel", {})}.items():
            message, cell = run.run(checks[grade_id].source)
            wrote_stderr = any(output.get("name") == "stderr" for output in cell.outputs)
            points = 0 if message or wrote_stderr else metadata(checks[grade_id])["points"]
            if points != expected:
                yield f"{answer['name']}: {grade_id} gave {points}, not {expected}. {message[-300:]}"


@pytest.mark.slow
@each_notebook
def test_a_plain_kernel_gives_answers_the_same_points(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    checks = {cell.id: cell for cell in notebook.cells if is_check(cell)}
    collected = read_answers(COURSE, path.stem)
    surprises: list[str] = []
    with kernel(tmp_path) as run:
        for cell in notebook.cells:
            if cell.cell_type != "code" or is_check(cell):
                continue
            for answer in collected.get(cell.id, []):
                surprises += [f"{cell.id}: {surprise}" for surprise in in_a_plain_kernel(run, answer, checks)]
            message, _ = run.run(cell.source)
            assert not message, f"{cell.id} of the instructor's notebook fails: {message}"
    assert not surprises, "\n".join(surprises)
