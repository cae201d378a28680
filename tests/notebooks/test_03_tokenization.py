"""What is special to `03-tokenization`: its modules, the library's merges, and the printed ids of SmolLM2."""

from __future__ import annotations

import html
import inspect
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from transformers import AutoTokenizer

from grading_utils.language_model.resolver import resolve_model
from grading_utils.lessons import library_bpe as library_bpe_module
from grading_utils.lessons import token_colors
from grading_utils.lessons.library_bpe import library_bpe
from grading_utils.lessons.token_colors import library_split, many_tokens_html, tokens_html

from .notebooks import ROOT, Page, assert_all_resolved, assert_true_on_the_page, is_answer, read, real_model, tied
from .sentences_03 import SENTENCES

PATH = NOTEBOOK = ROOT / "source" / "03-tokenization" / "03-tokenization.ipynb"
SMOLLM2 = "HuggingFaceTB/SmolLM2-360M"


@pytest.fixture(scope="module")
def shipped() -> Any:
    return AutoTokenizer.from_pretrained(resolve_model("shipped").path)


@pytest.fixture(scope="module")
def instructor() -> dict[str, Any]:
    """The names that the instructor's notebook has after its locked and answer cells."""
    names: dict[str, Any] = {}
    for cell in read(NOTEBOOK).cells:
        if cell.id in {"setup", "count-pairs-demo", "count-pairs", "merge-pair", "train-bpe", "encode-decode"}:
            exec(cell.source, names)
    return names


@tied(SENTENCES)
def test_what_the_page_says_is_so(page: Page, cell: str, words: str, holds: Callable[[Page], Any]) -> None:
    assert_true_on_the_page(page, cell, words, holds)


@pytest.mark.parametrize("text", ["tea   tea", " a leading space", "naïve café 🙂", "tab\tand\nnewline", "", "3.14159"])
def test_the_colored_parts_are_the_text_and_one_per_token(shipped: Any, text: str) -> None:
    parts = library_split(shipped, text)
    assert [number for number, _ in parts] == shipped(text)["input_ids"]
    assert "".join(part for _, part in parts if part != "…") == text


def test_colors_show_spaces_and_escape_what_students_type() -> None:
    shown = tokens_html([(7, " a"), (8, "<b>\n")])
    assert "␣a" in shown
    assert "&lt;b&gt;⏎" in shown
    assert "2 tokens" in shown
    assert many_tokens_html([[(None, "x")], [(None, "y")]]).count("1 tokens") == 2


def test_every_merge_by_hand_is_the_library_s(instructor: dict[str, Any]) -> None:
    by_hand = instructor["train_bpe"](instructor["snow_words"], 500)
    by_library, _ = library_bpe(instructor["SNOW"], 500)
    assert len(by_hand) > 50
    assert by_hand == by_library


@pytest.mark.parametrize("merges", [0, 1, 10, 40])
def test_encoding_by_hand_is_the_library_s(instructor: dict[str, Any], merges: int) -> None:
    learned, tokenizer = library_bpe(instructor["SNOW"], merges)
    for text in [*instructor["SNOW"], "the slow wind blew over the willow hill", "white river"]:
        found = instructor["bpe_encode"](text, learned)
        assert found == tokenizer.encode(text).tokens
        assert instructor["bpe_decode"](found) == text


def test_the_worked_examples_are_right(instructor: dict[str, Any]) -> None:
    low = dict(Counter(tuple("_" + word) for word in ["low", "low", "owl"]))
    assert instructor["count_pairs"](low)["o", "w"] == 3
    assert instructor["train_bpe"](low, 2)[0] == ("o", "w")
    assert instructor["bpe_encode"]("low owl", [("o", "w"), ("l", "ow")]) == ["_", "low", "_", "ow", "l"]


def test_the_two_texts_differ_in_what_they_cost(shipped: Any, instructor: dict[str, Any]) -> None:
    everyday, learned = (
        len(shipped(text)["input_ids"]) / len(text.split()) for text in (instructor["EVERYDAY"], instructor["LEARNED"])
    )
    assert learned > 2 * everyday


def text_of(cell: Any) -> str:
    return "".join(output.get("text", "") + output.get("data", {}).get("text/html", "") for output in cell.outputs)


def test_it_runs_from_top_to_bottom_and_resolves_every_prediction(executed: dict[str, Any]) -> None:
    assert {name: cell["error"] for name, cell in executed.items() if cell.get("error")} == {}
    assert_all_resolved(executed)
    assert "The least is 1" in text_of(executed["tokens-per-word-prediction"])
    assert "is one symbol after" in text_of(executed["train-bpe-demo"])
    printed = [sum(len(output.get("text", "")) for output in cell.outputs) for cell in executed.values()]
    assert max(printed) < 2000, "a page is flooded"


def test_a_run_of_spaces_is_one_token_and_a_space_at_the_start_changes_the_first(executed: dict[str, Any]) -> None:
    truth = html.unescape(text_of(executed["spaces-demo"]))
    assert "1 space: 3 tokens, 3 spaces: 4 tokens, 5 spaces: 4 tokens, 7 spaces: 4 tokens." in truth
    assert "A run of spaces is one token, short or long" in truth
    assert "its first word becomes ['ri', 'ver'] at the start, [' river'] behind a space" in truth


def test_the_students_own_tokenizer_is_sent_on_round_trips(executed: dict[str, Any]) -> None:
    assert "lost ['two  spaces', 'snow_white']" in text_of(executed["encode-decode-demo"])


def test_merges_save_ever_less_as_the_stretch_task_says(instructor: dict[str, Any]) -> None:
    merges = instructor["train_bpe"](instructor["snow_words"], 40)
    encode, lines = instructor["bpe_encode"], instructor["SNOW"]
    sizes = [sum(len(encode(line, merges[:k])) for line in lines) for k in range(41)]
    saved = [before - after for before, after in pairwise(sizes)]
    assert saved == sorted(saved, reverse=True)


@pytest.mark.parametrize("module", [token_colors, library_bpe_module])
def test_the_modules_hold_no_solution(module: Any) -> None:
    lines = {"".join(line.split()) for line in inspect.getsource(module).splitlines()}
    for cell in filter(is_answer, read(NOTEBOOK).cells):
        for region in cell.source.split("### BEGIN SOLUTION")[1:]:
            for line in region.split("### SCAFFOLD")[0].splitlines():
                squeezed = "".join(line.split())
                assert len(squeezed) < 12 or squeezed not in lines, line


PRINTED = {
    "Shakespeare was a": [4370, 10735, 436, 253],
    "i7245tf7238tvo": [89, 39, 34, 36, 37, 10543, 39, 34, 35, 40, 100, 16104],
    "hello hello": [28120, 33662],
    "hello    hello": [28120, 333, 33662],
    "hello     hello": [28120, 289, 33662],
    "hello       hello": [28120, 5013, 33662],
    "Shakespeare was poet! Really.": [4370, 10735, 436, 5720, 17, 27434, 30],
    " Shakespeare was poet! Really.": [12081, 436, 5720, 17, 27434, 30],
}


@pytest.mark.parametrize(("text", "ids"), PRINTED.items())
def test_smollm2_gives_the_printed_ids(text: str, ids: list[int]) -> None:
    folder = real_model(SMOLLM2)
    assert AutoTokenizer.from_pretrained(folder)(text)["input_ids"] == ids
