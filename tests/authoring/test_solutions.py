"""Solutions for students: model answers and visible checks, and nothing before its time."""

from __future__ import annotations

import nbformat
import pytest
from click.testing import CliRunner

from grading_utils.authoring.solutions import write_solution
from grading_utils.cli import main
from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, cell_named


def test_model_answers_and_visible_checks_are_there_with_outputs_and_hidden_tests_are_not(
    small_course: Course, capfd: pytest.CaptureFixture[str]
) -> None:
    notebook = nbformat.read(write_solution(small_course, ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", as_version=4)
    assert cell_named(notebook, "count-words").source == "def count_words(text):\n    return Counter(text.split())"
    assert "count every word" in cell_named(notebook, "count-words-test").source
    text = nbformat.writes(notebook)
    assert not any(word in text for word in ("HIDDEN", "several spaces", "SOLUTION", "SCAFFOLD", "# return ..."))
    assert "Because a Counter" in cell_named(notebook, "why").source
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert not (small_course.root / "gradebook.db").exists()
    assert capfd.readouterr() == ("", ""), "the kernel has said something to whoever makes solutions"


def test_hidden_tests_are_shown_when_asked_for(small_course: Course) -> None:
    folder = write_solution(small_course, ASSIGNMENT, hidden_tests=True, run=False)
    source = cell_named(nbformat.read(folder / f"{ASSIGNMENT}.ipynb", as_version=4), "count-words-test").source
    assert "several spaces" in source
    assert "HIDDEN" not in source


@pytest.mark.parametrize("extension", [False, True])
def test_solutions_wait_for_the_last_who_may_hand_in(small_course: Course, extension: bool) -> None:
    def call(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, [*arguments, "--course", str(small_course.root)], catch_exceptions=False)
        return result.exit_code, result.output

    (small_course.root / "roster.csv").write_text("id\nann\n")
    call("students", "import", str(small_course.root / "roster.csv"))
    call("due", ASSIGNMENT, "2020-01-01" if extension else "2035-01-01")
    if extension:
        assert call("extend", ASSIGNMENT, "ann", "2035-01-01")[0] == 0
    code, output = call("solutions", "--no-run")
    assert (code, "until 2035-01-01" in output) == (2, True)
    assert not (small_course.root / "solution").exists()
    assert call("solutions", "--no-run", "--early")[0] == 0
