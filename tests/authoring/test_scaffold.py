"""Students see the author's scaffold; an author's slip is refused with the cell's name."""

from __future__ import annotations

import pytest
from nbgrader.preprocessors import ClearSolutions

from grading_utils.authoring.scaffold import ScaffoldSolutions
from grading_utils.errors import AuthoringError

from ..conftest import managed


def release_of(source: str, kind: str = "solution") -> str:
    cell = managed(kind, "task", source)
    cleared, _ = ScaffoldSolutions().preprocess_cell(cell, {"language": "python"}, 0)
    return str(cleared.source)


def test_the_region_becomes_the_scaffold_with_its_indentation() -> None:
    source = (
        "def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n"
        "    ### SCAFFOLD\n    # y = x + ...\n    # return y\n    ### END SOLUTION\nprint(f(1))"
    )
    assert release_of(source) == "def f(x):\n    y = x + ...\n    return y\nprint(f(1))"


def test_a_comment_inside_a_scaffold_stays_a_comment() -> None:
    source = "### BEGIN SOLUTION\nx = 1\n### SCAFFOLD\n# # the smallest number\n# x = ...\n### END SOLUTION"
    assert release_of(source) == "# the smallest number\nx = ..."


def test_a_region_without_a_scaffold_becomes_nbgraders_stub() -> None:
    source = "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"
    assert release_of(source) == "# YOUR CODE HERE\nraise NotImplementedError()"


def test_regions_with_and_without_a_scaffold_may_stand_in_one_cell() -> None:
    source = (
        "### BEGIN SOLUTION\nx = 1\n### SCAFFOLD\n# x = ...\n### END SOLUTION\n"
        "### BEGIN SOLUTION\ny = 2\n### END SOLUTION"
    )
    assert release_of(source) == "x = ...\n# YOUR CODE HERE\nraise NotImplementedError()"


def test_without_this_preprocessor_nbgrader_clears_the_whole_region() -> None:
    cell = managed("solution", "task", "### BEGIN SOLUTION\nx = 1\n### SCAFFOLD\n# x = ...\n### END SOLUTION")
    cleared, _ = ClearSolutions().preprocess_cell(cell, {"language": "python"}, 0)
    assert cleared.source == "# YOUR CODE HERE\nraise NotImplementedError()"


SLIPS: dict[str, tuple[str, str]] = {
    "does not parse": ("### BEGIN SOLUTION\nx = 1\n### SCAFFOLD\n# x = ___ 1\n### END SOLUTION", "not valid Python"),
    "no comment": ("### BEGIN SOLUTION\nx = 1\n### SCAFFOLD\nx = ...\n### END SOLUTION", "no comment"),
    "two scaffolds": ("### BEGIN SOLUTION\n### SCAFFOLD\n# x\n### SCAFFOLD\n# x\n### END SOLUTION", "two scaffolds"),
    "nested": ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### SCAFFOLD\n### END SOLUTION", "inside another"),
    "no end": ("### BEGIN SOLUTION\nx = 1\n### SCAFFOLD\n# x = ...", "no end"),
    "outside": ("### SCAFFOLD\n# x = ...", "outside a solution region"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_of_the_author_is_refused_and_names_the_cell(slip: str) -> None:
    source, sentence = SLIPS[slip]
    with pytest.raises(AuthoringError, match=f"cell task: .*{sentence}"):
        release_of(source)


def test_a_scaffold_outside_a_solution_cell_is_refused() -> None:
    with pytest.raises(AuthoringError, match="no solution cell"):
        release_of("### SCAFFOLD\n# x = ...", kind="locked")
