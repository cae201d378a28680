"""Nothing that a student can edit about cells has any effect on what is graded."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from nbformat.v4 import new_code_cell

from grading_utils.course.cells import grade_id
from grading_utils.intake.restoring import restore

from ..conftest import ASSIGNMENT, cell_named


@pytest.fixture
def bundle(small_bundle: Any) -> Any:
    return small_bundle.notebooks[ASSIGNMENT]


def graded_tests(restored: Any) -> list[tuple[str, str, float]]:
    return [
        (grade_id(cell), cell.source, cell.metadata.nbgrader.points)
        for cell in restored.notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade") and not cell.metadata.nbgrader.solution
    ]


def test_an_honest_submission_needs_no_repair(solution: Any, bundle: Any) -> None:
    restored = restore(solution, bundle)
    assert restored.attention == restored.repairs == []
    assert "Counter(text.split())" in cell_named(restored.notebook, "count-words").source


def delete_test(notebook: Any) -> None:
    notebook.cells.remove(cell_named(notebook, "commonest-test"))


def edit_test(notebook: Any) -> None:
    cell_named(notebook, "commonest-test").source = "assert True"


def change_points(notebook: Any) -> None:
    cell_named(notebook, "commonest-test").metadata.nbgrader.points = 100


def retype_test(notebook: Any) -> None:
    cell_named(notebook, "commonest-test").cell_type = "markdown"


def unlock_test(notebook: Any) -> None:
    cell_named(notebook, "commonest-test").metadata.nbgrader.update(locked=False, solution=True, grade=False)


def shuffle(notebook: Any) -> None:
    random.Random(1).shuffle(notebook.cells)


def duplicate_test(notebook: Any) -> None:
    notebook.cells.append(copy.deepcopy(cell_named(notebook, "commonest-test")))


def tag_test(notebook: Any) -> None:
    cell_named(notebook, "commonest-test").metadata["tags"] = ["skip-execution"]


def swap_ids(notebook: Any) -> None:
    first, second = cell_named(notebook, "count-words-test"), cell_named(notebook, "commonest-test")
    first.metadata.nbgrader.grade_id, second.metadata.nbgrader.grade_id = "commonest-test", "count-words-test"


def edit_setup(notebook: Any) -> None:
    cell_named(notebook, "setup").source += "\nCounter = lambda text: {'a': 2, 'b': 1}"


TAMPERING = {
    delete_test: "the test cell commonest-test had been deleted and was put back",
    edit_test: "the test cell commonest-test was not as released and was put back",
    change_points: "the points of commonest-test had been changed and were put back",
    retype_test: None,
    unlock_test: None,
    shuffle: "cells had been moved and were put back in order",
    duplicate_test: "commonest-test stood 2 times in the notebook",
    tag_test: None,
    swap_ids: "the test cell count-words-test was not as released and was put back",
    edit_setup: "the locked cell setup was not as released and was put back",
}


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
def test_tests_points_and_order_are_the_instructors_whatever_was_done_to_them(
    tamper: Any, solution: Any, bundle: Any
) -> None:
    honest = restore(copy.deepcopy(solution), bundle)
    tamper(solution)
    restored = restore(solution, bundle)
    assert graded_tests(restored) == graded_tests(honest)
    assert [grade_id(cell) for cell in restored.notebook.cells if grade_id(cell)] == list(bundle.managed)
    assert cell_named(restored.notebook, "setup").source == bundle.managed["setup"].source
    if (note := TAMPERING[tamper]) is not None:
        assert note in restored.repairs


def test_a_missing_answer_counts_as_unanswered_and_needs_a_person(solution: Any, bundle: Any) -> None:
    solution.cells.remove(cell_named(solution, "count-words"))
    restored = restore(solution, bundle)
    assert restored.attention == ["the answer cell count-words is missing"]
    assert cell_named(restored.notebook, "count-words").source == bundle.managed["count-words"].source


def test_an_answer_beside_an_untouched_copy_of_its_cell_is_found(solution: Any, bundle: Any) -> None:
    answer = cell_named(solution, "count-words")
    untouched = copy.deepcopy(answer)
    untouched.source = bundle.managed["count-words"].source
    solution.cells.insert(0, untouched)
    restored = restore(solution, bundle)
    assert cell_named(restored.notebook, "count-words").source == answer.source
    assert restored.attention == []


def test_two_different_answers_to_one_cell_need_a_person(solution: Any, bundle: Any) -> None:
    second = copy.deepcopy(cell_named(solution, "count-words"))
    second.source = "def count_words(text): return {}"
    solution.cells.append(second)
    assert "different answers" in restore(solution, bundle).attention[0]


def test_cells_that_a_student_adds_stay_after_the_cell_they_followed(solution: Any, bundle: Any) -> None:
    extra = new_code_cell("helper = 1", metadata={"nbgrader": {"grade_id": "forged", "grade": True, "points": 50}})
    solution.cells.insert(solution.cells.index(cell_named(solution, "commonest")), extra)
    restored = restore(solution, bundle)
    sources = [cell.source for cell in restored.notebook.cells]
    assert sources.index("helper = 1") == sources.index(bundle.managed["count-words-test"].source) + 1
    assert all(cell.metadata == {} for cell in restored.notebook.cells if cell.source == "helper = 1")


def test_restoring_twice_gives_the_same_notebook(solution: Any, bundle: Any) -> None:
    assert restore(copy.deepcopy(solution), bundle).notebook == restore(solution, bundle).notebook
