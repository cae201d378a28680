"""`04-next-token` runs from top to bottom, and keeps what the seven tasks promise."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from .notebooks import ROOT, is_answer, is_check, kernel, metadata, read

PATH = ROOT / "source" / "04-next-token" / "04-next-token.ipynb"


@pytest.fixture(scope="module")
def notebook() -> Any:
    return read(PATH)


@pytest.fixture(scope="module")
def executed(notebook: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every code cell after a run from top to bottom, by id; an error is a cell's `error`."""
    cells = {}
    with kernel(tmp_path_factory.mktemp("run")) as run:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                message, cells[cell.id] = run.run(cell.source)
                cells[cell.id]["error"] = message
    return cells


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
