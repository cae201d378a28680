"""No hidden test line survives in a notebook that goes to a student."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from grading_utils.course.regions import Grammar
from grading_utils.reporting.hide_hidden_tests import HideHiddenTests
from grading_utils.reporting.redaction import DEFAULT_MESSAGE, redact

HIDDEN = 'assert f("hidden argument") == 42, "check the sign"'
SOURCE = f"""assert f(1) == 1
### BEGIN HIDDEN TESTS
x = 7
{HIDDEN}
check_global_vars(f, ["torch"])
### END HIDDEN TESTS"""


def error(*trace: str, evalue: str = "check the sign") -> Any:
    return new_output("error", ename="AssertionError", evalue=evalue, traceback=list(trace))


def graded(source: str = SOURCE, *outputs: Any, **mark: Any) -> Any:
    metadata = {"nbgrader": {"grade_id": "q", "grade": True, "solution": False, "locked": True, "points": 1}}
    if mark:
        metadata["grading_utils"] = mark
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


def redacted(*cells: Any, messages: dict[str, str] | None = None) -> Any:
    notebook = new_notebook(cells=list(cells))
    redact(notebook, messages, grammar=Grammar())
    nbformat.validate(notebook)
    return notebook


def written(notebook: Any) -> str:
    return nbformat.writes(notebook)


def test_hidden_lines_are_replaced_by_a_count() -> None:
    (cell,) = redacted(graded()).cells
    assert cell.source == "assert f(1) == 1\n# … 2 hidden checks"


def test_a_region_without_an_end_is_hidden_to_the_end_of_the_cell() -> None:
    (cell,) = redacted(graded("a = 1\n# BEGIN HIDDEN TESTS\nassert secret()")).cells
    assert cell.source == "a = 1\n# … 1 hidden check"


def test_several_regions_keep_what_is_between_them_and_its_indentation() -> None:
    source = "for i in range(3):\n    ### BEGIN HIDDEN TESTS\n    assert f(i)\n    ### END HIDDEN TESTS\n    pass\n"
    source += "### BEGIN HIDDEN TESTS\nassert (\n### END HIDDEN TESTS"
    (cell,) = redacted(graded(source)).cells
    assert cell.source == "for i in range(3):\n    # … 1 hidden check\n    pass\n# … 1 hidden check"


@pytest.mark.parametrize(
    "output",
    [
        error(f"\x1b[31m----> 4\x1b[0m {HIDDEN}"),
        error('----> 4 \x1b[38;5;28massert\x1b[39m f("hidden\x1b[0m argument") == 42, "check the sign"'),
        error("no line", evalue=HIDDEN),
        new_output("stream", text="the argument was: hidden argument"),
        new_output("stream", name="stderr", text="aGlkZGVuIGFyZ3VtZW50"),
        new_output("display_data", data={"text/html": "<b>hidden argument</b>", "text/plain": "x"}),
        new_output("execute_result", data={"application/json": {"a": "hidden argument"}}, execution_count=1),
    ],
)
@pytest.mark.parametrize("mark", [{}, {"message": "look at the sign", "hidden": True}])
def test_nothing_that_a_hidden_check_caused_is_shown(output: Any, mark: dict[str, Any]) -> None:
    text = written(redacted(graded(SOURCE, output, **mark)))
    for secret in ("hidden argument", "aGlkZGVuIGFyZ3VtZW50", "check the sign", "no line"):
        assert secret not in text


def test_the_message_for_the_student_takes_the_place_of_the_traceback() -> None:
    (cell,) = redacted(graded(SOURCE, error(HIDDEN), message="look at the sign", hidden=True)).cells
    assert [output.traceback for output in cell.outputs] == [["look at the sign"]]


def test_a_message_from_the_results_counts_more_than_the_one_in_the_notebook() -> None:
    (cell,) = redacted(graded(SOURCE, error(HIDDEN), message="old", hidden=True), messages={"q": "new"}).cells
    assert cell.outputs[0].evalue == "new"


def test_a_failure_nobody_explained_is_taken_for_a_hidden_one() -> None:
    (cell,) = redacted(graded(SOURCE, error("whatever"))).cells
    assert cell.outputs[0].evalue == DEFAULT_MESSAGE


def test_a_visible_failure_is_shown_in_full_but_for_the_hidden_lines_around_it() -> None:
    trace = error("----> 1 assert f(1) == 1\n      2 ### BEGIN HIDDEN TESTS\n      3 x = 7\n      4 " + HIDDEN)
    (cell,) = redacted(graded(SOURCE, new_output("stream", text="debug\n"), trace, hidden=False)).cells
    assert cell.outputs[0].text == "debug\n"
    assert cell.outputs[1].traceback == ["----> 1 assert f(1) == 1\n…\n…\n…"]


def test_a_visible_failure_after_a_hidden_check_shows_only_its_message() -> None:
    source = f"### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS\nassert f(1) == 1"
    printed = new_output("stream", text="hidden argument")
    (cell,) = redacted(graded(source, printed, error("trace"), message="m", hidden=False)).cells
    assert [output.output_type for output in cell.outputs] == ["error"]
    assert cell.outputs[0].traceback == ["m"]


def test_hidden_lines_are_found_in_outputs_of_other_cells_and_in_messages() -> None:
    spy = new_code_cell("spy()", outputs=[new_output("stream", text=f"start\n  {HIDDEN}  \nend")])
    notebook = redacted(graded(SOURCE, error("t"), message=f"failed: {HIDDEN}", hidden=True), spy)
    assert notebook.cells[1].outputs[0].text == "start\n…\nend"
    assert "hidden argument" not in written(notebook)


def test_a_guess_is_not_confirmed_where_student_code_had_run_before_any_hidden_test() -> None:
    guesses = f"is it this?\n{HIDDEN}\nx = 7"
    spy = new_code_cell("spy()", outputs=[new_output("stream", text=guesses)])
    notebook = new_notebook(cells=[graded(SOURCE, error("t"), message=f"got {HIDDEN}", hidden=False), spy])
    notebook.metadata["grading_utils"] = {"isolated": True}
    messages = redact(notebook, grammar=Grammar())
    assert notebook.cells[1].outputs[0].text == guesses
    assert messages["q"] == f"got {HIDDEN}"
    assert "# … 2 hidden checks" in notebook.cells[0].source
    assert "grading_utils" not in notebook.metadata


def test_lines_that_everybody_can_read_anyway_stay() -> None:
    solution = new_code_cell("x = 7", outputs=[new_output("stream", text="x = 7\nassert f(1) == 1")])
    assert redacted(graded(), solution).cells[1].outputs[0].text == "x = 7\nassert f(1) == 1"


def test_a_notebook_without_hidden_tests_is_left_alone() -> None:
    cells = [graded("assert f(1)", error("----> 1 assert f(1)")), new_code_cell("f = abs")]
    notebook = new_notebook(cells=cells)
    before = written(notebook)
    redact(notebook, grammar=Grammar())
    assert written(notebook) == before


def test_the_preprocessor_for_nbgrader_redacts() -> None:
    notebook, resources = HideHiddenTests()(new_notebook(cells=[graded(SOURCE, error(HIDDEN))]), {"kept": True})
    assert "hidden argument" not in written(notebook)
    assert resources == {"kept": True}
