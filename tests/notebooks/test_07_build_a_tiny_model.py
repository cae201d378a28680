"""What is special to `07-build-a-tiny-model`: the next notebook trains the same model, and its claims hold."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from grading_utils.lessons import tiny_model
from grading_utils.lessons.word_level import library_word_tokenizer

from .notebooks import ROOT, Page, assert_true_on_the_page, printed, read, tied
from .sentences_07 import SENTENCES

PATH = ROOT / "source" / "07-build-a-tiny-model" / "07-build-a-tiny-model.ipynb"


@pytest.fixture(scope="module")
def lesson() -> dict[str, Any]:
    """The names that the notebook's locked cells for setup and model define."""
    cells = {cell.id: cell.source for cell in read(PATH).cells}
    names: dict[str, Any] = {}
    for cell_id in ("setup", "build-model-demo"):
        exec(cells[cell_id], names)
    return names


@tied(SENTENCES)
def test_what_the_page_says_is_so(page: Page, cell: str, words: str, holds: Callable[[Page], Any]) -> None:
    assert_true_on_the_page(page, cell, words, holds)


def test_the_instructors_version_runs_without_an_error(executed: dict[str, Any]) -> None:
    assert {name: cell["error"] for name, cell in executed.items() if cell["error"]} == {}


def test_the_model_that_students_read_is_the_one_that_the_next_notebook_trains(lesson: dict[str, Any]) -> None:
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    logits = []
    for made in (lesson["TinyLM"], tiny_model.TinyLM):
        torch.manual_seed(2)
        logits.append(made(20, embed_dim=32, num_heads=2, ff_dim=64, num_layers=2, max_seq_length=10)(ids))
    assert torch.equal(*logits)


def test_without_the_square_root_softmax_gets_too_sure_as_the_size_grows(executed: dict[str, Any]) -> None:
    rows = re.findall(
        r"is ([\d.]+) on average, and without the division ([\d.]+)", printed(executed["causal-attention-reveal"])
    )
    assert len(rows) == 3
    assert all(float(scaled) < float(unscaled) for scaled, unscaled in rows)
    assert float(rows[-1][1]) > 0.95
    assert all(abs(float(scaled) - 0.42) < 0.015 for scaled, _ in rows), "as the model answer says"


def test_the_losses_of_the_second_question_are_those_of_the_model_answer() -> None:
    sure = (9 * -math.log(0.99) + -math.log(0.0001)) / 10
    answer = next(cell.source for cell in read(PATH).cells if cell.id == "sure-model-answer")
    assert f"the mean is {-math.log(0.5):.2f}" in answer
    assert f"(9 · {-math.log(0.99):.2f} + {-math.log(0.0001):.2f}) / 10 = {sure:.2f}" in answer


def test_no_position_of_the_model_sees_the_future(lesson: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = lesson["TinyLM"](20, 32, 2, 64, 2, 10)
    ids = torch.tensor([[3, 1, 4, 1, 5, 9]])
    for place in range(1, 6):
        changed = ids.clone()
        changed[0, place] = 7
        difference = (model(ids) - model(changed)).abs().amax(dim=-1)[0]
        assert difference[:place].max() < 1e-6
        assert difference[place] > 1e-4


def test_the_library_tokenizer_numbers_words_in_order_of_first_appearance() -> None:
    tokenizer = library_word_tokenizer(["red fish swim", "blue fish hide"])
    assert tokenizer.words == ["<unk>", "red", "fish", "swim", "blue", "hide"]
    assert tokenizer.encode("blue  fish glow") == [4, 2, 0]
    assert tokenizer.decode([4, 2, 0]) == "blue fish <unk>"
    assert tokenizer.encode("") == []
    assert tokenizer.decode([]) == ""
    assert len(tokenizer) == 6
