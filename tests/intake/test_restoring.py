"""Nothing that a student can edit about cells has any effect on what is graded."""

from __future__ import annotations

import copy
import dataclasses
import random
import re
import unicodedata
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.utils import compute_checksum, determine_grade

from grading_utils.authoring.release import release
from grading_utils.course.bundle import build_bundle
from grading_utils.course.cells import grade_id
from grading_utils.course.regions import Grammar
from grading_utils.errors import SubmissionError
from grading_utils.intake.reading import clean
from grading_utils.intake.restoring import Restored, restore

from ..conftest import ASSIGNMENT, cell_named, managed


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


def sources(restored: Restored) -> list[str]:
    return [cell.source for cell in restored.notebook.cells]


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


IN_PLACE_OF = "no cell is named {} any more; what stands in that place was taken for the answer"
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


def change_source(course: Any, name: str, change: Any) -> Any:
    """The bundle after the instructor has changed a cell."""
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(cell_named(notebook, name))
    nbformat.write(notebook, path)
    return build_bundle(course, ASSIGNMENT).notebooks[ASSIGNMENT]


def released_notebook(course: Any) -> Any:
    return nbformat.read(release(course, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", as_version=4)


def test_what_the_instructor_has_changed_since_the_release_is_not_the_students_doing(small_course: Any) -> None:
    handed_in = released_notebook(small_course)

    def mend(cell: Any) -> None:
        cell.source = cell.source.replace("count every word", "count each word")
        cell.metadata.nbgrader.points = 4

    bundle = change_source(small_course, "count-words-test", mend)
    assert restore(copy.deepcopy(handed_in), bundle).repairs == [
        "the test cell count-words-test has changed since the release; today's was used",
        "the points of count-words-test have changed since the release; today's count",
    ]
    cell_named(handed_in, "count-words-test").source = "pass"
    assert (
        restore(handed_in, bundle).repairs[0] == "the test cell count-words-test was not as released and was put back"
    )


def test_what_an_earlier_release_said_is_not_the_students_doing_either(small_course: Any) -> None:
    first = released_notebook(small_course)
    for text in ("count each word", "count all words"):
        change_source(
            small_course,
            "count-words-test",
            lambda cell, text=text: cell.update(source=re.sub("'count .*'", f"'{text}'", cell.source)),
        )
        released_notebook(small_course)
    bundle = build_bundle(small_course, ASSIGNMENT).notebooks[ASSIGNMENT]
    changed = "the test cell count-words-test has changed since the release; today's was used"
    assert restore(copy.deepcopy(first), bundle).repairs == [changed]
    assert len(bundle.earlier) == 3


SINCE = {
    "a test that is new": lambda n: n.cells.append(managed("test", "new", "assert True", 1)),
    "a test that is gone": lambda n: n.cells.remove(cell_named(n, "commonest-test")),
    "a test of another name": lambda n: cell_named(n, "commonest-test").metadata.nbgrader.update(grade_id="renamed"),
    "prose": lambda n: n.cells[0].update(source="# Words"),
    "a locked cell": lambda n: cell_named(n, "setup").update(source="from collections import Counter\nVERSE = 'la'"),
    "a model answer": lambda n: cell_named(n, "why").update(source="Since."),
    "a question that is gone": lambda n: n.cells.remove(cell_named(n, "why")),
    "the order": lambda n: n.cells.append(n.cells.pop(1)),
}


@pytest.mark.parametrize("change", SINCE)
def test_whatever_the_instructor_has_changed_nothing_is_put_down_to_the_student(change: str, small_course: Any) -> None:
    handed_in = released_notebook(small_course)
    path = small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    SINCE[change](notebook)
    nbformat.write(notebook, path)
    restored = restore(handed_in, build_bundle(small_course, ASSIGNMENT).notebooks[ASSIGNMENT])
    assert restored.attention == []
    assert not [note for note in restored.repairs if "since the release" not in note]


def test_a_hidden_test_that_was_changed_says_nothing_about_submissions(small_course: Any) -> None:
    handed_in = released_notebook(small_course)
    bundle = change_source(
        small_course, "count-words-test", lambda cell: cell.update(source=cell.source.replace("several", "many"))
    )
    assert restore(handed_in, bundle).repairs == []


def test_an_untouched_answer_is_untouched_although_its_scaffold_has_changed_since(small_course: Any) -> None:
    handed_in = released_notebook(small_course)
    bundle = change_source(
        small_course,
        "count-words",
        lambda cell: cell.update(source=cell.source.replace("# return ...", "# return None")),
    )
    restored = restore(handed_in, bundle)
    assert cell_named(restored.notebook, "count-words").source == bundle.managed["count-words"].source


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
