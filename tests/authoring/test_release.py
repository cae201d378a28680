"""A release gives nothing away, is reproducible, and is refused as a whole when something is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from grading_utils.authoring.leaks import find_leaks
from grading_utils.authoring.proof import prove
from grading_utils.authoring.release import generate, release
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.course.regions import Grammar
from grading_utils.errors import AuthoringError
from grading_utils.grading.engines import engine_factory

from ..conftest import ASSIGNMENT, ROOT, cell_named, counting_notebook, managed


def change_source(course: Course, change: Callable[[Any], None]) -> None:
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def released(course: Course) -> Any:
    return nbformat.read(course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", as_version=4)


def test_the_release_has_scaffolds_and_visible_checks_and_no_secrets(small_course: Course) -> None:
    release(small_course, ASSIGNMENT)
    notebook = released(small_course)
    assert cell_named(notebook, "count-words").source == "def count_words(text):\n    return ..."
    assert "'count every word'" in cell_named(notebook, "count-words-test").source
    whole = json.dumps(notebook)
    assert "a text without words" not in whole
    assert "Because a Counter" not in whole


def test_the_same_source_always_gives_the_same_bytes(small_course: Course, tmp_path: Path) -> None:
    first = generate(small_course, ASSIGNMENT, tmp_path / "first")
    second = generate(small_course, ASSIGNMENT, tmp_path / "second")
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


def test_generating_a_release_touches_no_gradebook_of_the_course(small_course: Course) -> None:
    release(small_course, ASSIGNMENT)
    assert not (small_course.root / "gradebook.db").exists()


LEAKS: dict[str, Callable[[Any], None]] = {
    "solution line in a hint": lambda n: n.cells.append(
        nbformat.v4.new_markdown_cell("Hint: `return Counter(text.split())`", id="hint")
    ),
    "solution line in another cell": lambda n: n.cells.append(
        managed("locked", "demo", "def other(text):\n    return  Counter( text.split() )")
    ),
    "hidden test in the metadata": lambda n: n.cells[0].metadata.update(
        note="assert count_words('') == {}, 'a text without words has no counts'"
    ),
    "model answer in the prose": lambda n: n.cells.insert(
        0, nbformat.v4.new_markdown_cell("Because a Counter counts everything that can be hashed.", id="x")
    ),
    "hidden test in the notebook's metadata": lambda n: n.metadata.update(
        old="assert count_words('') == {}, 'a text without words has no counts'"
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_is_refused_and_the_old_release_stays(leak: str, small_course: Course) -> None:
    release(small_course, ASSIGNMENT)
    before = released(small_course)
    change_source(small_course, LEAKS[leak])
    with pytest.raises(AuthoringError, match="would give away"):
        release(small_course, ASSIGNMENT)
    assert released(small_course) == before


def test_outputs_are_searched_for_leaks_too() -> None:
    source, shown = counting_notebook(), counting_notebook()
    shown.cells = shown.cells[:2]
    shown.cells[1].outputs = [nbformat.v4.new_output("stream", text="return Counter(text.split())")]
    assert [leak.kind for leak in find_leaks(source, shown, Grammar())] == ["a solution"]


def test_a_solution_that_does_not_get_full_marks_is_refused(small_course: Course) -> None:
    change_source(
        small_course,
        lambda n: cell_named(n, "count-words").update(source="### BEGIN SOLUTION\ncount_words = len\n### END SOLUTION"),
    )
    with pytest.raises(AuthoringError, match=r"own solution gets 0 of 2 points in count-words-test"):
        prove(small_course, build_bundle(small_course, ASSIGNMENT), engine_factory(small_course, isolate=True))


def test_points_for_the_untouched_release_are_refused(small_course: Course) -> None:
    change_source(small_course, lambda n: cell_named(n, "commonest-test").update(source="assert 'la' in VERSE"))
    with pytest.raises(AuthoringError, match=r"untouched release gets 1 points in commonest-test"):
        prove(small_course, build_bundle(small_course, ASSIGNMENT), engine_factory(small_course, isolate=True))


def test_a_broken_rule_of_nbgrader_names_notebook_and_rule(small_course: Course) -> None:
    change_source(small_course, lambda n: n.cells.append(managed("test", "commonest-test", "pass", 1)))
    with pytest.raises(AuthoringError, match=r"counting.ipynb: CheckCellMetadata"):
        release(small_course, ASSIGNMENT)


@pytest.mark.parametrize("assignment", Course.open(ROOT).assignments())
def test_what_is_committed_in_release_is_what_source_generates(assignment: str, tmp_path: Path) -> None:
    course = Course.open(ROOT)
    fresh = generate(course, assignment, tmp_path)
    made = {path.relative_to(fresh): path.read_bytes() for path in fresh.rglob("*") if path.is_file()}
    committed = course.release(assignment)
    kept = {
        path.relative_to(committed): path.read_bytes()
        for path in committed.rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }
    assert kept == made, f"run `grading-utils release {assignment}` and commit release/"
