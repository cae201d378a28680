"""`04-next-token` runs from top to bottom, and what its pages say about the screen is what the screen shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import pytest

from .notebooks import ROOT, Page, assert_true_on_the_page, is_answer, is_check, metadata, real_model, tied
from .sentences_04 import SENTENCES

PATH = ROOT / "source" / "04-next-token" / "04-next-token.ipynb"
PROBES = {
    "three-from-the-end": "print_favorites(verse_logits[0, -3], tokenizer)",
    "space-at-the-end": (
        "print([list(predict_next_tokens('This weekend I plan to' + end, 5)['tokens']) for end in ('', ' ')])"
    ),
}


def cell_of(notebook: Any, name: str) -> Any:
    return next(cell for cell in notebook.cells if cell.id == name)


def shown(cell: Any) -> str:
    """Everything that a cell prints or shows as text."""
    return "".join(output.get("text", "") + output.get("data", {}).get("text/html", "") for output in cell.outputs)


@tied(SENTENCES)
def test_what_the_page_says_is_so(page: Page, cell: str, words: str, holds: Callable[[Page], Any]) -> None:
    assert_true_on_the_page(page, cell, words, holds)


def test_the_instructors_version_runs_without_an_error(executed: dict[str, Any]) -> None:
    assert {name: cell["error"] for name, cell in executed.items() if cell["error"]} == {}


def test_checks_print_no_warnings_which_would_cost_points_under_stock_nbgrader(
    notebook: Any, executed: dict[str, Any]
) -> None:
    for cell in filter(is_check, notebook.cells):
        assert {output.name for output in executed[cell.id].outputs} == {"stdout"}, cell.id


def test_tables_and_pictures_are_shown_with_a_text_alternative(executed: dict[str, Any]) -> None:
    for name in ("top-ten-table", "predict-next-tokens-truth"):
        assert '<img alt="Bar charts: after' in shown(executed[name]), name
    for name in ("top-ten-table", "predict-next-tokens", "try-other-prompts"):
        assert "<table" in shown(executed[name]), name
    assert any("image/png" in output.get("data", {}) for output in executed["most-likely-token-demo"].outputs)


def test_the_raw_answer_of_the_model_is_shown_before_its_scores_are_taken_out(executed: dict[str, Any]) -> None:
    assert "CausalLMOutput" in shown(executed["run-model-demo"])
    assert "past_key_values=" in shown(executed["run-model-demo"])


def test_another_position_than_the_last_shows_other_tokens_so_that_question_2_can_be_answered(
    executed: dict[str, Any],
) -> None:
    last, third = shown(executed["last-token-logits"]), shown(executed["three-from-the-end"])
    assert "highest scores: ' world'" in last
    assert third.startswith("highest scores: ' loved'")


def test_ten_words_share_nearly_all_of_the_probability_and_none_has_most_of_it(executed: dict[str, Any]) -> None:
    assert "so nearly all of the three fits best" in shown(executed["top-ten-table-truth"])
    chances = [float(chance) for chance in re.findall(r">\s*(0\.\d{4})\s*<", shown(executed["top-ten-table"]))]
    assert len(chances) == 10
    assert chances[0] < 0.3
    assert chances[-1] > 0.02


def test_the_first_of_topk_is_what_argmax_finds(executed: dict[str, Any]) -> None:
    said = re.search(
        r"first id in the table is (\d+), and argmax of the scores is (\d+)", shown(executed["top-ten-table-truth"])
    )
    assert said is not None
    assert said[1] == said[2]


def test_tokens_are_shown_with_their_spaces(executed: dict[str, Any]) -> None:
    for name in ("top-ten-table", "predict-next-tokens", "try-other-prompts"):
        assert re.search(r">\s*(&#x27;|') \w+(&#x27;|')\s*<", shown(executed[name])), name


def test_a_space_at_the_end_of_a_prompt_leads_to_pieces_of_words(executed: dict[str, Any]) -> None:
    without, with_space = ast.literal_eval(shown(executed["space-at-the-end"]))
    assert all(token.startswith(" ") for token in without)
    assert not with_space[0].startswith(" ")
    assert sum(token.startswith(" ") for token in with_space) < len(with_space) / 2  # of those in the picture
    assert not set(without) & set(with_space)
    assert "mostly pieces of words" in shown(executed["predict-next-tokens-truth"])


def test_the_surest_prompt_is_named(executed: dict[str, Any]) -> None:
    assert "To be or not to" in shown(executed["predict-next-tokens-truth"])


def test_the_leaking_function_of_the_text_does_what_the_text_prints(notebook: Any) -> None:
    from grading_utils import check_global_vars

    text = cell_of(notebook, "predict-next-tokens-task").source
    lines = [line[4:] for line in text.splitlines() if line.startswith((">>> ", "... "))]
    names: dict[str, Any] = {"check_global_vars": check_global_vars}
    exec("\n".join(lines[:3]), names)
    assert str((names["to_fahrenheit"](20), names["to_fahrenheit"](100))) in text
    with pytest.raises(AssertionError) as leak:
        exec(lines[-1], names)
    assert str(leak.value).splitlines()[0].rstrip(":") in text


def test_the_stretch_task_finds_where_a_text_surprises_the_model(notebook: Any, shipped: dict[str, Any]) -> None:
    code = re.findall(r"```python\n(.*?)```", cell_of(notebook, "next-notebook").source, re.DOTALL)
    exec(code[-1], shipped)
    table = shipped["surprise"]("To be or not to be, that is the cat")
    chances = dict(zip(table["tokens"], table["probabilities"], strict=True))
    assert chances[" be"] > 0.9
    assert chances[" cat"] < 0.1


@pytest.fixture(scope="module")
def shipped(notebook: Any) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(cell_of(notebook, "setup").source, names)
    return names


def test_a_tokenizer_that_can_puts_a_space_in_front_of_the_first_word(shipped: dict[str, Any], tmp_path: Any) -> None:
    import json
    import shutil

    folder = tmp_path / "gpt2"
    shutil.copytree(shipped["MODEL"], folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "tokenizer_class": "GPT2Tokenizer"}))
    with_space = shipped["AutoTokenizer"].from_pretrained(folder, add_prefix_space=True)
    ids = with_space("This weekend")["input_ids"]
    assert (
        ids == shipped["tokenizer"](" This weekend")["input_ids"] != shipped["tokenizer"]("This weekend")["input_ids"]
    )


def test_the_function_may_share_four_names_with_the_notebook(notebook: Any) -> None:
    check = ast.parse(cell_of(notebook, "predict-next-tokens-globals").source)
    shared = next(node.value for node in check.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(shared) == ["torch", "tokenizer", "pd", "model"]


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


# What distilgpt2 is known to answer, with the tokenizer as the notebook loads it.
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
    table = distilgpt2["predict_next_tokens"](prompt, len(expected))
    assert list(table["tokens"]) == list(expected)
    assert [float(chance) for chance in table["probabilities"]] == pytest.approx(list(expected.values()), abs=2e-5)


def test_distilgpt2_gives_the_printed_favorite(distilgpt2: dict[str, Any]) -> None:
    ids = distilgpt2["tokenizer"]("This weekend I plan to", return_tensors="pt")["input_ids"]
    chances = distilgpt2["model"](ids).logits[0, -1].softmax(dim=-1)
    assert int(chances.argmax()) == 467
    assert f"{float(chances.max()):.2%}" == "5.98%"
