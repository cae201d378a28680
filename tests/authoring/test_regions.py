"""What an author marks is read once, with the markers of the course's own configuration, and hidden everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions
from traitlets.config import Config

from grading_utils.authoring.leaks import find_leaks
from grading_utils.authoring.mutants import mutants_of
from grading_utils.authoring.proof import prove
from grading_utils.authoring.release import release
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.course.regions import Grammar, Markers, Solution
from grading_utils.errors import AuthoringError
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.pipeline import grade
from grading_utils.intake.restoring import restore
from grading_utils.reporting.feedback import write_feedback
from grading_utils.reporting.redaction import redact

from ..conftest import ASSIGNMENT, ROOT, cell_named, counting_notebook, hand_in, managed, write_course

OTHER_MARKERS = {
    "BEGIN SOLUTION": "<answer>",
    "END SOLUTION": "</answer>",
    "BEGIN HIDDEN TESTS": "<secret>",
    "END HIDDEN TESTS": "</secret>",
    "### SCAFFOLD": "### <blank>",
}
CONFIGURATION = """
c.ClearSolutions.begin_solution_delimeter = "<answer>"
c.ClearSolutions.end_solution_delimeter = "</answer>"
c.ClearHiddenTests.begin_test_delimeter = "<secret>"
c.ClearHiddenTests.end_test_delimeter = "</secret>"
c.ScaffoldSolutions.scaffold_delimeter = "### <blank>"
"""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The small course with all of its markers changed."""
    root = write_course(tmp_path / "course")
    path = root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = counting_notebook()
    for cell in notebook.cells:
        for marker, other in OTHER_MARKERS.items():
            cell.source = cell.source.replace(marker, other)
    nbformat.write(notebook, path)
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(CONFIGURATION)
    return Course.open(root)


def test_every_reader_of_regions_follows_the_courses_markers(course: Course) -> None:
    bundle = build_bundle(course, ASSIGNMENT)
    prove(course, bundle, engine_factory(course, isolate=True))
    released = nbformat.read(release(course, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", as_version=4)
    assert cell_named(released, "count-words").source == "def count_words(text):\n    return ..."
    assert "a text without words" not in nbformat.writes(released)
    assert restore(released, bundle.notebooks[ASSIGNMENT]).repairs == []
    half = nbformat.from_dict(released)
    cell_named(half, "count-words").source = "def count_words(text):\n    return Counter(text.split(' '))"
    hand_in(course, "half", half)
    results = list(grade(course, bundle, ["half"], engine_factory(course, isolate=True)))
    assert "a text without words has no counts" in results[0].cells[0].message
    (page,) = write_feedback(course, results)
    assert "2 hidden checks" in page.read_text()
    assert "secret" not in page.read_text()
    assert "x  y" not in page.read_text()


def test_what_other_courses_call_markers_is_text_where_the_course_has_its_own(course: Course) -> None:
    grammar = course.grammar
    assert grammar.secrets("### BEGIN HIDDEN TESTS\nassert 1\n### END HIDDEN TESTS") == ()
    assert grammar.solved("### BEGIN SOLUTION\nx = 1") == "### BEGIN SOLUTION\nx = 1"


def test_leaks_are_found_by_the_courses_markers(course: Course) -> None:
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    source = nbformat.read(path, as_version=4)
    kinds = {leak.kind for leak in find_leaks(source, source, course.grammar)}
    assert kinds == {"a solution", "a hidden test", "an author's marker"}


def test_without_our_scaffolds_their_marker_is_text(tmp_path: Path) -> None:
    assert Grammar.of(Config()).scaffold is None
    assert Course.open(ROOT).grammar == Grammar()


SOURCES = [
    "a\n### BEGIN {0}\nb\n### END {0}\nc",
    "### BEGIN {0}\n### END {0}",
    "  # BEGIN {0} (two of them)\n  b\n  # END {0}\n### BEGIN {0}\nc\n### END {0}",
    "a\n### END {0}\nb",
    "### BEGIN {0}\nBEGIN OTHER\n### END {0} ###\n\n",
]


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_hidden_is_what_nbgrader_takes_out(source: str) -> None:
    tests, scheme, solution = (source.format(kind) for kind in ("HIDDEN TESTS", "MARK SCHEME", "SOLUTION"))
    assert Grammar().released(tests) == cleared(ClearHiddenTests(), managed("test", "t", tests, 1))
    task = managed("written", "t", scheme, 1)
    task.metadata.nbgrader.update(task=True, grade=False, solution=False)
    assert Grammar().released(scheme) == cleared(ClearMarkScheme(), task)
    step = ClearSolutions(code_stub={"python": "STUB"}, enforce_metadata=False)
    outside = [line for line in cleared(step, managed("test", "t", solution, 1)).split("\n") if "STUB" not in line]
    lines = solution.split("\n")
    for region in reversed(Grammar().solutions(solution)):
        del lines[region.first - 1 : region.last]
    assert [line for line in lines if "END SOLUTION" not in line] == outside


def cleared(step: Any, cell: Any) -> str:
    changed, _ = step.preprocess_cell(cell, {"language": "python"}, 0)
    return str(changed.source)


def test_a_solution_keeps_its_answer_and_mutants_stay_inside_of_it() -> None:
    source = "a = 1\n### BEGIN SOLUTION\nb = 2\n### SCAFFOLD\n# b = ...\n### END SOLUTION"
    assert Grammar().solutions(source) == (Solution(2, 6, 4),)
    assert Grammar().solved(source) == "a = 1\nb = 2"
    assert {mutant.line for mutant in mutants_of(source, Grammar())} == {2}


def test_regions_that_overlap_are_one() -> None:
    source = "### BEGIN HIDDEN TESTS\n### BEGIN MARK SCHEME\n### END HIDDEN TESTS\nx\n### END MARK SCHEME\ny"
    assert Grammar().secrets(source) == ((1, 5),)
    assert Markers("{", "}").ranges("{\n{\n}\n}") == ((1, 3),)


def test_a_solution_without_an_end_is_refused() -> None:
    with pytest.raises(AuthoringError, match="has no end"):
        Grammar().solutions("### BEGIN SOLUTION\nx = 1")


def test_a_mark_scheme_is_not_in_the_feedback() -> None:
    task = managed("written", "essay", "Explain.\n### BEGIN MARK SCHEME\nHalf a point each.\n### END MARK SCHEME", 1)
    notebook = nbformat.v4.new_notebook(cells=[task])
    redact(notebook, grammar=Grammar())
    assert notebook.cells[0].source == "Explain."
