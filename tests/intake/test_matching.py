"""Cells that have lost their names are found by their ids, their text or their place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from grading_utils.course.cells import grade_id
from grading_utils.course.regions import Grammar
from grading_utils.intake.reading import clean
from grading_utils.intake.restoring import restore

from ..conftest import cell_named
from .conftest import IN_PLACE_OF, sources


def without_metadata(notebook: Any) -> Any:
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


def test_cells_without_metadata_are_found_by_their_ids(solution: Any, bundle: Any) -> None:
    honest = restore(copy.deepcopy(solution), bundle)
    restored = restore(without_metadata(solution), bundle)
    assert restored.notebook == honest.notebook
    assert restored.attention == []
    assert restored.repairs == ["6 cells without nbgrader's metadata were found by their ids"]


def rename(notebook: Any) -> None:
    cell_named(notebook, "count-words").metadata["nbgrader"]["grade_id"] = "count-words-copy"


def rename_with_id(notebook: Any) -> None:
    answer = cell_named(notebook, "count-words")
    answer.metadata["nbgrader"]["grade_id"] = "cell-1"
    answer["id"] = "other"


def strip_one(notebook: Any) -> None:
    cell_named(notebook, "commonest").update(metadata={}, id="other")


def replace_one(notebook: Any) -> None:
    answer = cell_named(notebook, "commonest")
    notebook.cells[notebook.cells.index(answer)] = new_code_cell(answer.source)


def strip_all(notebook: Any) -> None:
    for number, cell in enumerate(without_metadata(notebook).cells):
        cell["id"] = f"new-{number}"
        cell.source = Grammar().released(cell.source)


def strip_all_and_add(notebook: Any) -> None:
    strip_all(notebook)
    notebook.cells.insert(1, new_code_cell("helper = 1"))
    notebook.cells.insert(0, new_markdown_cell("Ann"))


NAMES_LOST = {
    rename: None,
    rename_with_id: IN_PLACE_OF.format("count-words"),
    strip_one: IN_PLACE_OF.format("commonest"),
    replace_one: IN_PLACE_OF.format("commonest"),
    strip_all: IN_PLACE_OF.format("count-words, commonest, why"),
    strip_all_and_add: IN_PLACE_OF.format("count-words, commonest, why"),
}


@pytest.mark.parametrize("lose", NAMES_LOST, ids=lambda lose: lose.__name__)
def test_an_answer_that_has_lost_its_name_is_found_by_id_or_place(lose: Any, solution: Any, bundle: Any) -> None:
    honest = restore(copy.deepcopy(solution), bundle)
    lose(solution)
    submitted, _ = clean(solution)
    restored = restore(submitted, bundle)
    managed_cells = [[cell.source for cell in one.notebook.cells if grade_id(cell)] for one in (honest, restored)]
    assert managed_cells[0] == managed_cells[1]
    assert restored.attention == ([NAMES_LOST[lose]] if NAMES_LOST[lose] else [])


def test_cells_of_which_none_is_known_are_taken_for_no_answer(solution: Any, bundle: Any) -> None:
    solution.cells = [new_code_cell("commonest = 'la'"), new_markdown_cell("Because.")]
    restored = restore(solution, bundle)
    assert restored.attention[0] == "the answer cell count-words is missing"
    assert cell_named(restored.notebook, "commonest").source.startswith("#")


def test_two_nameless_cells_for_two_missing_answers_are_not_mixed_up_with_three(solution: Any, bundle: Any) -> None:
    for name in ("count-words", "count-words-test", "commonest"):
        solution.cells.remove(cell_named(solution, name))
    solution.cells[2:2] = [new_code_cell(f"part = {number}") for number in range(3)]
    restored = restore(solution, bundle)
    assert restored.attention == ["the answer cell count-words is missing", "the answer cell commonest is missing"]
    assert [source for source in sources(restored) if source.startswith("part")] == ["part = 0", "part = 1", "part = 2"]


def test_an_id_finds_nothing_that_the_metadata_has_found(solution: Any, bundle: Any) -> None:
    solution.cells.append(new_code_cell("def count_words(text): return 0", id="count-words"))
    cell_named(solution, "count-words")["id"] = "other"
    restored = restore(solution, bundle)
    assert sources(restored)[-1] == "def count_words(text): return 0"
    assert "Counter(text.split())" in cell_named(restored.notebook, "count-words").source


# An answer that a person grades, written somewhere else.
