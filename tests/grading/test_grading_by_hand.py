"""What a person graded is not asked for again, unless the answer is another one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from grading_utils.cli import main
from grading_utils.course.course import Course
from grading_utils.grading.changed_answers import CHANGED

from ..conftest import ASSIGNMENT, cell_named, hand_in


def call(course: Course, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    assert result.exit_code in (0, 1), result.output
    return result.output


def asked_for(course: Course) -> list[str]:
    with Gradebook(course.layout.db_url) as gradebook:
        (notebook,) = gradebook.find_submission(ASSIGNMENT, "amara").notebooks
        return [grade.name for grade in notebook.grades if grade.needs_manual_grade]


@pytest.fixture
def graded_by_hand(small_course: Course, solution: Any) -> Course:
    hand_in(small_course, "amara", solution)
    call(small_course, "grade")
    assert asked_for(small_course) == ["why"]
    with Gradebook(small_course.layout.db_url) as gradebook:
        grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "amara")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    return small_course


def test_an_unchanged_answer_is_not_asked_for_again(graded_by_hand: Course) -> None:
    call(graded_by_hand, "grade", "--again")
    assert asked_for(graded_by_hand) == []


def test_another_answer_to_another_question_changes_nothing(graded_by_hand: Course, solution: Any) -> None:
    cell_named(solution, "commonest").source = "commonest = 'da'"
    hand_in(graded_by_hand, "amara", solution)
    call(graded_by_hand, "grade")
    assert asked_for(graded_by_hand) == []


def test_points_for_an_answer_that_has_changed_are_kept_and_flagged_until_a_person_looked(
    graded_by_hand: Course, solution: Any
) -> None:
    cell_named(solution, "why").source = "Because of something else."
    hand_in(graded_by_hand, "amara", solution)
    assert f"why {CHANGED}" in call(graded_by_hand, "grade")
    for _ in range(2):
        assert asked_for(graded_by_hand) == ["why"]
        call(graded_by_hand, "export", "--to", "json", "--output", str(graded_by_hand.root / "out.json"))
        (entry,) = json.loads((graded_by_hand.root / "out.json").read_text())
        assert (entry["score"], entry["waiting"]) == (4.5, ["why"])
        call(graded_by_hand, "grade", "--again")
