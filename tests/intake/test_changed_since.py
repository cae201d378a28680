"""What the instructor has changed since the release is never the student's doing."""

from __future__ import annotations

import copy
import re
from typing import Any

import nbformat
import pytest

from grading_utils.authoring.release import release
from grading_utils.course.bundle import build_bundle
from grading_utils.intake.restoring import restore

from ..conftest import ASSIGNMENT, cell_named, managed


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
