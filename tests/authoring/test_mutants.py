"""Every small mistake in a solution is tried, and the author hears of those that the checks let pass."""

from __future__ import annotations

import ast
from typing import Any

import nbformat
import pytest
import yaml

from grading_utils.authoring.checking import Verdict, check_tests
from grading_utils.authoring.mutants import mutants_of
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.course.regions import Grammar
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
        ('y = f"{a + 1} is {b:>{x}}"', {'y = f"{a + 1} is {b:>{x}}?"', "pass"}),
        ("y = f'''{a} is {f(b)}'''", {"y = f'''{a} is {f(b)}?'''", "pass"}),
    ],
)
def test_a_line_has_the_mistakes_that_can_be_made_in_it(solution: str, becomes: set[str]) -> None:
    source = f"def f(a, b, x):\n    ### BEGIN SOLUTION\n    {solution}\n    ### END SOLUTION"
    mutants = mutants_of(source, Grammar())
    assert {mutant.changed_line for mutant in mutants} == becomes
    for mutant in mutants:
        ast.parse(mutant.source)


def test_only_the_solution_is_changed() -> None:
    source = "print(1 + 1)\n### BEGIN SOLUTION\nx = 2\n### SCAFFOLD\n# x = ... + 3\n### END SOLUTION\nprint(x * 2)"
    for mutant in mutants_of(source, Grammar()):
        lines = mutant.source.split("\n")
        assert (lines[0], lines[2], len(lines)) == ("print(1 + 1)", "print(x * 2)", 3)


def verdicts_of(course: Course) -> list[Verdict]:
    return list(check_tests(course, build_bundle(course, ASSIGNMENT), engine_factory(course, isolate=True)))


def test_a_change_that_the_author_calls_no_mistake_does_not_count(small_course: Course) -> None:
    verdicts = verdicts_of(small_course)
    assert {verdict.grade_id for verdict in verdicts} == {"count-words", "commonest"}
    missed = [verdict.equivalent for verdict in verdicts if verdict.lost <= 0]
    assert missed == ["The first of two is the first of one."]
    assert not any(verdict.survived for verdict in verdicts)


def test_a_mistake_that_the_checks_miss_is_found(small_course: Course) -> None:
    path = small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_named(notebook, "commonest-test").source = "assert commonest, 'not empty'"
    nbformat.write(notebook, path)
    missed = [verdict.mutant.changed_line for verdict in verdicts_of(small_course) if verdict.survived]
    assert missed
    assert all(line.startswith("commonest = ") for line in missed), "what the other checks catch is no news"


def test_a_list_without_a_reason_is_refused(small_course: Course) -> None:
    path = small_course.root / "mutants" / f"{ASSIGNMENT}.yaml"
    path.write_text(path.read_text().partition("  reason")[0])
    with pytest.raises(CourseError, match="reason"):
        verdicts_of(small_course)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_listed_change_is_one_that_is_tried(path: Any) -> None:
    notebook = nbformat.read(ROOT / "source" / path.stem / f"{path.stem}.ipynb", as_version=4)
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        tried = {(m.before, m.changed_line) for m in mutants_of(cell_named(notebook, entry["cell"]).source, Grammar())}
        assert (entry["before"], entry["becomes"]) in tried, entry
        assert entry["reason"].endswith(".")
