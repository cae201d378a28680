"""Every prediction is resolved: right after the check a cell shows it beside what is true."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from grading_utils.checks.names import bound_names
from grading_utils.course.cells import is_demonstration
from grading_utils.lessons.predictions import NOTHING_YET, prediction_of

from .notebooks import every_notebook, is_answer, is_check, kernel, read


def resolutions(source: str) -> list[ast.Call]:
    """The calls of `show_prediction` in a cell."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "show_prediction"]


@every_notebook
def test_the_first_code_cell_after_the_checks_resolves_the_prediction(path: Path) -> None:
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    predicted = [number for number, cell in enumerate(code) if "# My prediction" in cell.source]
    assert len(predicted) >= sum(map(is_answer, code)), "an answer cell has no line for a prediction"
    for number in predicted:
        following = next(cell for cell in code[number + 1 :] if not is_check(cell))
        calls = resolutions(following.source)
        assert calls, f"{code[number].id} is followed by {following.id}, which resolves no prediction"
        assert is_demonstration(following), f"{following.id} is not tagged as a demonstration"
        task, *truths = calls[0].args
        assert isinstance(task, ast.Constant)
        assert task.value in bound_names(code[number].source) or task.value in code[number].source.split("\n")[0]
        assert truths, f"{following.id} does not say what is true"


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        (["# My prediction: 3 words\ndef count(text): ..."], "3 words"),
        (["#My prediction : 3 words\ndef count(text): ..."], "3 words"),
        (["# My predictions (count): 1 yes\n# 2 no\n\nx = 1"], "1 yes 2 no"),
        (["# My prediction: 2\ndef count(text): ...", "# My prediction: 3\ndef count(text): ..."], "3"),
        (["# My prediction: 2\ndef count(text): ...", "# My prediction: 9\ndef other(text): ..."], "2"),
        (["# My prediction: 2\ndef counting(text): ..."], None),
        (["count('no prediction')"], None),
        ([], None),
    ],
)
def test_the_last_prediction_of_the_task_is_found(inputs: list[str], found: str | None) -> None:
    assert prediction_of("count", inputs) == found


def test_in_a_kernel_prediction_and_truth_stand_together(tmp_path: Path) -> None:
    with kernel(tmp_path) as run:
        run.run("from grading_utils.lessons.predictions import show_prediction")
        assert NOTHING_YET in shown(run.run("show_prediction('count', 'It is 4.')")[1])
        run.run("# My prediction: <3 words>\ndef count(text): ...")
        text = shown(run.run("show_prediction('count', 'It is 4.', 'And 5.')")[1])
    assert [text.index(part) for part in ("You predicted", "&lt;3 words&gt;", "What is true", "It is 4.", "And 5.")]


def shown(cell: Any) -> str:
    return str(cell.outputs[0].data["text/html"])
