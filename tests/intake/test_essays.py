"""A written answer beside the cell for it is shown to a person, or is the answer."""

from __future__ import annotations

import copy
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.utils import determine_grade

from grading_utils.course.bundle import build_bundle
from grading_utils.intake.restoring import restore

from ..conftest import ASSIGNMENT, cell_named, managed
from .conftest import IN_PLACE_OF, sources


def unanswered(notebook: Any) -> Any:
    cell_named(notebook, "why").source = "YOUR ANSWER HERE"
    return notebook


ELSEWHERE = {
    "below": lambda n: n.cells.append(new_markdown_cell("My essay.")),
    "above": lambda n: n.cells.insert(-1, new_markdown_cell("My essay.")),
    "as comments": lambda n: n.cells.append(new_code_cell("# My essay.\n# Its end.")),
    "as raw text": lambda n: n.cells.append(new_raw_cell("My essay.")),
    "as a string": lambda n: n.cells.append(new_code_cell('"""My essay.\n(Its end.)"""')),
    "printed": lambda n: n.cells.append(new_code_cell('print("My essay.")')),
    "in a cell for code": lambda n: n.cells.append(new_code_cell("My essay. It's about words, and how many.")),
    "two cells further down": lambda n: n.cells.extend([new_code_cell("x = 1"), new_markdown_cell("My essay.")]),
}


@pytest.mark.parametrize("place", ELSEWHERE)
def test_an_essay_beside_the_untouched_answer_is_shown_to_a_person(place: str, solution: Any, bundle: Any) -> None:
    ELSEWHERE[place](unanswered(solution))
    restored = restore(solution, bundle)
    assert "the answer why is as released, but something is written beside it" in restored.attention
    assert any("My essay." in source for source in sources(restored))
    score, _ = determine_grade(cell_named(restored.notebook, "why"))
    assert score is None


def test_an_essay_in_place_of_the_answers_cell_is_the_answer(solution: Any, bundle: Any) -> None:
    solution.cells[-1] = new_markdown_cell("My essay.")
    restored = restore(solution, bundle)
    assert cell_named(restored.notebook, "why").source == "My essay."
    assert restored.attention == [IN_PLACE_OF.format("why")]


def test_an_essay_somewhere_and_no_cell_for_the_answer_is_shown_to_a_person(solution: Any, bundle: Any) -> None:
    solution.cells.remove(cell_named(solution, "why"))
    solution.cells.insert(0, new_markdown_cell("My essay."))
    restored = restore(solution, bundle)
    assert "the answer why is as released, but something is written beside it" in restored.attention


def test_a_picture_pasted_into_the_untouched_answer_is_shown_to_a_person(solution: Any, bundle: Any) -> None:
    cell_named(unanswered(solution), "why")["attachments"] = {"a.png": {"image/png": "AAAA"}}
    assert "the answer why is as released" in restore(solution, bundle).attention[0]


NO_ESSAYS = {
    "nothing": lambda n: None,
    "an empty cell": lambda n: n.cells.append(new_markdown_cell("  \n")),
    "code": lambda n: n.cells.append(new_code_cell("count_words('a')")),
    "imports": lambda n: n.cells.append(new_code_cell("import math as m\nfrom math import pi")),
    "a loop over names": lambda n: n.cells.append(new_code_cell("for a in b:\n    c = a")),
    "the answer itself": lambda n: (
        cell_named(n, "why").update(source="Because."),
        n.cells.append(new_markdown_cell("More.")),
    ),
    "notes elsewhere": lambda n: n.cells.insert(1, new_markdown_cell("Remember this.")),
}


@pytest.mark.parametrize("case", NO_ESSAYS)
def test_an_untouched_answer_with_nothing_beside_it_needs_nobody(case: str, solution: Any, bundle: Any) -> None:
    NO_ESSAYS[case](unanswered(solution))
    assert restore(solution, bundle).attention == []


def with_question(course: Any) -> Any:
    """The bundle of the small course with a locked question above the written answer, and a task at the end."""
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    question = managed("written", "question", "Why?")
    question.metadata.nbgrader.update(grade=False, solution=False, locked=True)
    task = managed("written", "task", "Draw it.", 3)
    task.metadata.nbgrader.update(grade=False, solution=False, locked=True, task=True)
    notebook.cells.insert(-1, question)
    notebook.cells.append(task)
    nbformat.write(notebook, path)
    return build_bundle(course, ASSIGNMENT).notebooks[ASSIGNMENT]


@pytest.mark.parametrize("written", ["My essay.", "Why?\n\nMy essay."], ids=["new cell", "in the question"])
@pytest.mark.parametrize("first", ["answered", "as released"])
def test_an_essay_between_two_answers_goes_to_the_question_it_stands_below(
    first: str, written: str, small_course: Any
) -> None:
    path = small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += [new_markdown_cell("Why?", id="q"), managed("written", "why-2", "Therefore.", 2)]
    nbformat.write(notebook, path)
    bundle = build_bundle(small_course, ASSIGNMENT).notebooks[ASSIGNMENT]
    handed_in = nbformat.from_dict({"cells": [dict(cell) for cell in copy.deepcopy(bundle.cells)]})
    if first == "answered":
        cell_named(handed_in, "why").source = "Because."
    if written == "My essay.":
        handed_in.cells.insert(-1, new_markdown_cell(written))
    else:
        handed_in.cells[-2].source = written
    attention = restore(handed_in, bundle).attention
    assert "the answer why-2 is as released, but something is written beside it" in attention


@pytest.mark.parametrize("name", ["question", "task"])
def test_an_essay_typed_into_a_text_of_the_instructors_is_kept_beside_it(name: str, small_course: Any) -> None:
    bundle = with_question(small_course)
    handed_in = nbformat.from_dict({"cells": [dict(cell) for cell in copy.deepcopy(bundle.cells)]})
    assert restore(copy.deepcopy(handed_in), bundle).attention == []
    cell_named(handed_in, name).source += "\nMy essay."
    restored = restore(handed_in, bundle)
    assert len(restored.attention) == 1
    assert cell_named(restored.notebook, name).source == bundle.managed[name].source
    assert len([source for source in sources(restored) if "My essay." in source]) == 1


# Compared is what was released.
