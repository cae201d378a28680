"""Nothing that a student can edit about cells has any effect on what is graded."""

from __future__ import annotations

import copy
import dataclasses
import random
import unicodedata
from typing import Any

import pytest
from nbformat.v4 import new_code_cell
from nbgrader.utils import compute_checksum

from grading_utils.course.cells import grade_id
from grading_utils.errors import SubmissionError
from grading_utils.intake.reading import clean
from grading_utils.intake.restoring import restore

from ..conftest import cell_named
from .conftest import sources


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
    answer = cell_named(restored.notebook, "count-words")
    assert answer.metadata.nbgrader.checksum == compute_checksum(answer)


@pytest.mark.parametrize("place", ["first", "last"])
def test_what_stands_in_place_of_a_missing_answer_does_not_undo_one_that_stands_elsewhere(
    place: str, solution: Any, bundle: Any
) -> None:
    answer = cell_named(solution, "commonest")
    solution.cells.remove(answer)
    solution.cells.insert(0 if place == "first" else len(solution.cells), new_code_cell("commonest = 'la'"))
    restored = restore(solution, bundle)
    assert restored.attention == ["the answer cell commonest is missing"]
    assert cell_named(restored.notebook, "commonest").source.startswith("#")
    assert "commonest = 'la'" in sources(restored)


def test_an_answer_beside_an_untouched_copy_of_its_cell_is_found(solution: Any, bundle: Any) -> None:
    answer = cell_named(solution, "count-words")
    untouched = copy.deepcopy(answer)
    untouched.source = bundle.managed["count-words"].source
    solution.cells.insert(0, untouched)
    restored = restore(solution, bundle)
    assert cell_named(restored.notebook, "count-words").source == answer.source
    assert restored.attention == []


def with_copy(notebook: Any, name: str, source: str, at: int | None = None) -> Any:
    """The notebook with another cell of that name, right below it or somewhere else."""
    second = copy.deepcopy(cell_named(notebook, name))
    second.source = source
    place = notebook.cells.index(cell_named(notebook, name)) + 1 if at is None else at
    notebook.cells.insert(place, second)
    return notebook


SPLIT = {
    "the use before what it uses": (
        ["def count_words(t):\n    return make(t.split())", "make = Counter"],
        "count-words",
    ),
    "three parts": (["make = Counter", "split = str.split", "count_words = lambda t: make(split(t))"], "count-words"),
    "the first part empty": (["", "commonest = 'la'"], "commonest"),
    "the last part empty": (["commonest = 'la'", ""], "commonest"),
    "a part with a mistake": (["commonest = (", "commonest = 'la'"], "commonest"),
}


@pytest.mark.parametrize("ids", ["kept", "changed"])
@pytest.mark.parametrize("case", SPLIT)
def test_all_parts_of_a_split_answer_stay_in_order_whatever_their_ids(
    case: str, ids: str, solution: Any, bundle: Any
) -> None:
    parts, name = SPLIT[case]
    cell_named(solution, name).source = parts[0]
    for part in reversed(parts[1:]):
        with_copy(solution, name, part)
        if ids == "changed":
            solution.cells[solution.cells.index(cell_named(solution, name)) + 1]["id"] = f"of-{len(solution.cells)}"
    submitted, _ = clean(solution)
    restored = restore(submitted, bundle)
    assert restored.attention == []
    first = sources(restored).index(parts[0])
    assert sources(restored)[first : first + len(parts)] == parts


def test_every_half_of_a_split_answer_is_kept_in_order(solution: Any, bundle: Any) -> None:
    first, second = "WORDS = str.split", "def count_words(text): return Counter(WORDS(text))"
    cell_named(solution, "count-words").source = first
    restored = restore(with_copy(solution, "count-words", second), bundle)
    assert restored.attention == []
    assert restored.repairs == ["count-words stood 2 times in the notebook; 2 of them are kept, in order"]
    assert sources(restored).index(second) == sources(restored).index(first) + 1
    names = [grade_id(cell) for cell in restored.notebook.cells]
    assert names.count("count-words") == 1


def test_a_second_answer_stays_where_it_stands(solution: Any, bundle: Any) -> None:
    second = "def count_words(text): return {}"
    restored = restore(with_copy(solution, "count-words", second, at=len(solution.cells)), bundle)
    assert sources(restored)[-1] == second


def test_an_untouched_copy_after_the_answer_does_not_undo_it(solution: Any, bundle: Any) -> None:
    untouched = bundle.managed["count-words"].source
    restored = restore(with_copy(solution, "count-words", untouched), bundle)
    assert untouched not in sources(restored)
    assert "Counter(text.split())" in cell_named(restored.notebook, "count-words").source


def test_a_copy_of_a_test_that_a_student_has_made_into_something_else_runs_as_their_own(
    solution: Any, bundle: Any
) -> None:
    restored = restore(with_copy(solution, "count-words-test", "helper = 1"), bundle)
    assert sources(restored).count("helper = 1") == 1
    assert cell_named(restored.notebook, "count-words-test").source == bundle.managed["count-words-test"].source


EDITORS = {
    "Windows": lambda text: text.replace("\n", "\r\n"),
    "blanks taken off": lambda text: text.rstrip(),
    "a line added": lambda text: text + "\n",
    "blanks added": lambda text: text.replace("\n", "  \n"),
    "old Macs": lambda text: text.replace("\n", "\r"),
    "accents apart": lambda text: unicodedata.normalize("NFD", text),
    "blanks that don't break": lambda text: text.replace("what the", "what\u00a0the"),
}


@pytest.mark.parametrize("editor", EDITORS)
def test_what_an_editor_does_to_ends_of_lines_is_no_change(editor: str, solution: Any, bundle: Any) -> None:
    for cell in solution.cells:
        cell.source = EDITORS[editor](cell.source)
    submitted, _ = clean(solution)
    assert restore(submitted, bundle).repairs == []


def test_cells_that_a_student_adds_stay_after_the_cell_they_followed(solution: Any, bundle: Any) -> None:
    extra = new_code_cell("helper = 1", metadata={"nbgrader": {"grade_id": "forged", "grade": True, "points": 50}})
    solution.cells.insert(solution.cells.index(cell_named(solution, "commonest")), extra)
    restored = restore(solution, bundle)
    sources = [cell.source for cell in restored.notebook.cells]
    assert sources.index("helper = 1") == sources.index(bundle.managed["count-words-test"].source) + 1
    assert all(cell.metadata == {} for cell in restored.notebook.cells if cell.source == "helper = 1")


def test_restoring_twice_gives_the_same_notebook(solution: Any, bundle: Any) -> None:
    assert restore(copy.deepcopy(solution), bundle).notebook == restore(solution, bundle).notebook


def test_notebooks_of_a_time_without_ids_are_restored_all_the_same(solution: Any, bundle: Any) -> None:
    old = dataclasses.replace(bundle, cells=tuple(copy.deepcopy(cell) for cell in bundle.cells))
    for cell in (*solution.cells, *old.cells):
        cell.pop("id", None)
    restored = restore(solution, old)
    assert restored.attention == restored.repairs == []
    assert [grade_id(cell) for cell in restored.notebook.cells if grade_id(cell)] == list(old.managed)


def test_the_notebook_of_another_assignment_is_refused(solution: Any, bundle: Any) -> None:
    for cell in solution.cells:
        if grade_id(cell):
            cell.metadata.nbgrader.grade_id += "-of-last-week"
            cell["id"] += "-2"
    with pytest.raises(SubmissionError, match=r"cells of another assignment and none of counting\.ipynb"):
        restore(solution, bundle)
