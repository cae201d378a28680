"""Points in a heading are those of the cells below it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grading_utils.authoring.titles import wrong_titles
from grading_utils.cli import main
from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, ROOT, managed


@pytest.mark.parametrize("assignment", sorted(path.name for path in (ROOT / "source").iterdir() if path.is_dir()))
def test_our_own_headings_are_right(assignment: str) -> None:
    assert wrong_titles(ROOT / "source" / assignment) == []


@pytest.mark.parametrize(
    ("headings", "wrong"),
    [
        (("# All [6 pts]", "## One (2 points)", "## Two (4 points)"), []),
        (("# All (7 points)", "## One (2 points)", "## Two (4 points)"), ["All (7 points)"]),
        (("# All", "## One (1 point)", "## Two (3.5 Points) ##"), ["One (1 point)", "Two (3.5 Points)"]),
        (("# All", "## One", "## Two, 3 points to remember"), []),
        (("# All", "```\n## One (9 points)\n```", "## Two"), []),
    ],
)
def test_a_heading_speaks_of_all_graded_cells_up_to_the_next_of_its_level(
    headings: tuple[str, str, str], wrong: list[str], tmp_path: Path
) -> None:
    title, one, two = (new_markdown_cell(text) for text in headings)
    cells = [title, one, managed("test", "a", "assert a", 2), two, managed("test", "b", "", 1)]
    cells += [new_markdown_cell("### A part"), new_code_cell("# 5 points"), managed("written", "c", "", 3)]
    cells += [new_markdown_cell("# The end (3 points)")]
    nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    assert [line.split("'")[1] for line in wrong_titles(tmp_path)] == wrong


def test_release_refuses_a_heading_with_other_points_and_keeps_the_old_release(small_course: Course) -> None:
    course = str(small_course.root)
    assert CliRunner().invoke(main, ["release", "--no-proof", "--course", course]).exit_code == 0
    path = small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    before = (small_course.release(ASSIGNMENT) / path.name).read_bytes()
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "# Counting words (6 points)"
    nbformat.write(notebook, path)
    result = CliRunner().invoke(main, ["release", "--no-proof", "--course", course])
    assert result.exit_code == 2
    assert "the heading 'Counting words (6 points)' has graded cells of 5 points below it" in result.output
    assert (small_course.release(ASSIGNMENT) / path.name).read_bytes() == before
