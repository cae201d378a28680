"""`04-next-token` runs from top to bottom, and keeps what the seven tasks promise."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from .notebooks import ROOT, is_answer, is_check, metadata, real_model

PATH = ROOT / "source" / "04-next-token" / "04-next-token.ipynb"


def test_the_instructors_version_runs_without_an_error(executed: dict[str, Any]) -> None:
    assert {name: cell["error"] for name, cell in executed.items() if cell["error"]} == {}


def test_checks_print_no_warnings_which_would_cost_points_under_stock_nbgrader(
    notebook: Any, executed: dict[str, Any]
) -> None:
    for cell in filter(is_check, notebook.cells):
        assert {output.name for output in executed[cell.id].outputs} == {"stdout"}, cell.id


def test_tables_and_pictures_are_shown(executed: dict[str, Any]) -> None:
    shown = {
        name: {kind for output in cell.outputs for kind in output.get("data", {})} for name, cell in executed.items()
    }
    for name in ("top-ten-table", "try-other-prompts"):
        assert {"image/png", "text/html"} <= shown[name], name
    assert "image/png" in shown["most-likely-token-demo"]


def test_the_function_may_share_four_names_with_the_notebook(notebook: Any) -> None:
    source = next(cell.source for cell in notebook.cells if cell.id == "predict-next-tokens-globals")
    call = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check_global_vars"
    )
    allowed = next(keyword.value for keyword in call.keywords if keyword.arg == "allowed_globals")
    assert ast.literal_eval(allowed) == ["torch", "tokenizer", "pd", "model"]


def test_no_section_uses_what_an_earlier_answer_computed(notebook: Any) -> None:
    bound_by_answers: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        names = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)]
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        if is_answer(cell):
            used = {node.id for node in names if isinstance(node.ctx, ast.Load)} - stored
            assert not used & bound_by_answers.keys(), f"{cell.id} needs {used & bound_by_answers.keys()}"
            bound_by_answers |= dict.fromkeys(stored, cell.id)
        elif metadata(cell) and not is_check(cell):
            used = {node.id for node in names} & bound_by_answers.keys()
            assert not used, f"the locked cell {cell.id} uses {used}"


def test_it_is_worth_20_points_of_which_14_are_automatic(notebook: Any) -> None:
    automatic = sum(metadata(cell)["points"] for cell in filter(is_check, notebook.cells))
    everything = sum(metadata(cell).get("points", 0) for cell in notebook.cells)
    assert (automatic, everything) == (14, 20)


# What distilgpt2 is known to answer. The lesson that printed these figures had the tokenizer put a space in front.
PRINTED = {
    "This weekend I plan to": {
        " go": 0.059828,
        " take": 0.043880,
        " spend": 0.031570,
        " make": 0.030519,
        " do": 0.029206,
        " be": 0.027960,
        " attend": 0.025885,
        " visit": 0.025827,
        " run": 0.022074,
        " have": 0.020955,
    },
    "To be or not to": {" be": 0.648473, " have": 0.021346, " the": 0.012962, " do": 0.009471, ",": 0.007444},
}


@pytest.fixture(scope="module")
def distilgpt2(notebook: Any) -> dict[str, Any]:
    """The names of a finished notebook whose model is distilgpt2."""
    real_model("distilgpt2")
    names: dict[str, Any] = {}
    for cell in notebook.cells:
        if cell.id in {"setup", "model-size", "predict-next-tokens"}:
            exec(cell.source, names)
    return names


def test_distilgpt2_has_the_printed_size(distilgpt2: dict[str, Any]) -> None:
    assert (distilgpt2["vocabulary_size"], distilgpt2["parameter_count"]) == (50257, 81912576)


@pytest.mark.parametrize("prompt", PRINTED)
def test_distilgpt2_gives_the_printed_table(distilgpt2: dict[str, Any], prompt: str) -> None:
    expected = PRINTED[prompt]
    table = distilgpt2["predict_next_tokens"](" " + prompt, len(expected))
    assert list(table["tokens"]) == list(expected)
    assert [float(chance) for chance in table["probabilities"]] == pytest.approx(list(expected.values()), abs=2e-5)
