"""Every small mistake in a solution is tried, and the author hears of those that the checks let pass."""

from __future__ import annotations

import ast
from typing import Any

import nbformat
import pytest
import yaml

from grading_utils.authoring.checking import check_tests
from grading_utils.authoring.mutants import mutants_of
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.engines import engine_factory

from ..conftest import ASSIGNMENT, ROOT, cell_named

LISTS = sorted((ROOT / "mutants").glob("*.yaml"))


@pytest.mark.parametrize(
    ("solution", "becomes"),
    [
        ("y = a + b", {"y = (a - b)", "pass"}),
        ("y = a / b", {"y = (a * b)", "y = a", "pass"}),
        ("y = x[-1]", {"y = x[(-2)]", "y = x[0]", "y = x[1]", "pass"}),
        ("return 3", {"return 4", "return 2", "return None"}),
        ("y = f(a, b)", {"y = f(b, a)", "pass"}),
        ("y = x.sum(dim=1)", {"y = x.sum(dim=0)", "y = x.sum()", "y = x.mean(dim=1)", "y = x.sum(dim=2)", "pass"}),
        ("y = torch.softmax(x, 0)", {"y = x", "y = torch.softmax(0, x)", "y = torch.softmax(x, 1)", "pass"}),
        ("y = a < b", {"y = (a <= b)", "pass"}),
        ("y = not a", {"y = a", "pass"}),
    ],
)
def test_a_line_has_the_mistakes_that_can_be_made_in_it(solution: str, becomes: set[str]) -> None:
    source = f"def f(a, b, x):\n    ### BEGIN SOLUTION\n    {solution}\n    ### END SOLUTION"
    mutants = mutants_of(source)
    assert {mutant.changed_line for mutant in mutants} == becomes
    for mutant in mutants:
        ast.parse(mutant.source)


def test_only_the_solution_is_changed() -> None:
    source = "print(1 + 1)\n### BEGIN SOLUTION\nx = 2\n### SCAFFOLD\n# x = ... + 3\n### END SOLUTION\nprint(x * 2)"
    for mutant in mutants_of(source):
        lines = mutant.source.split("\n")
        assert (lines[0], lines[2], len(lines)) == ("print(1 + 1)", "print(x * 2)", 3)


def test_a_mistake_that_the_checks_miss_is_found(small_course: Course) -> None:
    path = small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_named(notebook, "commonest-test").source = "assert commonest in VERSE, 'a word of the verse'"
    nbformat.write(notebook, path)
    bundle = build_bundle(small_course, ASSIGNMENT)
    verdicts = list(check_tests(small_course, bundle, engine_factory(small_course, isolate=True)))
    assert {verdict.grade_id for verdict in verdicts} == {"count-words", "commonest"}
    missed = [verdict.mutant.changed_line for verdict in verdicts if verdict.survived]
    assert "commonest = Counter(VERSE.split()).most_common(2)[0][0]" in missed
    assert "pass" not in missed, "without the variable the check fails"
    assert all(verdict.lost for verdict in verdicts if verdict.grade_id == "count-words")


def test_a_change_that_the_author_calls_no_mistake_does_not_count(small_course: Course) -> None:
    (small_course.root / "mutants").mkdir()
    entry = {"cell": "commonest", "before": "1", "becomes": "commonest = Counter(VERSE.split()).most_common(2)[0][0]"}
    path = small_course.root / "mutants" / f"{ASSIGNMENT}.yaml"
    path.write_text(yaml.safe_dump([{**entry, "reason": "more words than needed"}]))
    bundle = build_bundle(small_course, ASSIGNMENT)
    verdicts = list(check_tests(small_course, bundle, engine_factory(small_course, isolate=True)))
    assert [verdict.mutant.changed_line for verdict in verdicts if verdict.equivalent] == [entry["becomes"]]
    assert not any(verdict.survived for verdict in verdicts)
    path.write_text(yaml.safe_dump([entry]))
    with pytest.raises(CourseError, match="reason"):
        list(check_tests(small_course, bundle, engine_factory(small_course, isolate=True)))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_listed_change_is_one_that_is_tried(path: Any) -> None:
    notebook = nbformat.read(ROOT / "source" / path.stem / f"{path.stem}.ipynb", as_version=4)
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        tried = {(m.before, m.changed_line) for m in mutants_of(cell_named(notebook, entry["cell"]).source)}
        assert (entry["before"], entry["becomes"]) in tried, entry
        assert entry["reason"].endswith(".")
