"""What is special to `08-train-a-tiny-model`: the lesson's own modules, and the claims that its prose makes."""

from __future__ import annotations

import html
import inspect
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch

from grading_utils.lessons import (
    brought_along,
    completion_explorer,
    follower_model,
    memory_estimate,
    tiny_model,
    training_pictures,
    word_level,
)
from grading_utils.lessons.brought_along import BroughtAlong
from grading_utils.lessons.completion_explorer import beam_search, reheated, temperature_html
from grading_utils.lessons.follower_model import FollowerModel
from grading_utils.lessons.memory_estimate import TrainingMemory
from grading_utils.lessons.own_parts import OwnParts, train_in_batches
from grading_utils.lessons.training_experiments import attention_weights
from grading_utils.lessons.training_pictures import attention_html, losses_html, memory_html
from grading_utils.lessons.word_level import library_word_tokenizer

from .notebooks import ROOT, Page, assert_true_on_the_page, is_answer, printed, read, tied
from .sentences_08 import SENTENCES

BUILD = ROOT / "source" / "07-build-a-tiny-model" / "07-build-a-tiny-model.ipynb"
PATH = ROOT / "source" / "08-train-a-tiny-model" / "08-train-a-tiny-model.ipynb"


@pytest.fixture(scope="module")
def lesson() -> dict[str, Any]:
    """The names that the notebook's locked cells for setup and model define."""
    cells = {cell.id: cell.source for cell in read(PATH).cells}
    names: dict[str, Any] = {}
    for cell_id in ("setup", "ready-model"):
        exec(cells[cell_id], names)
    return names


def pages(cell: Any) -> str:
    found = [output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]
    return html.unescape(" ".join(re.sub(r'src="data[^"]*"', "", page) for page in found))


@tied(SENTENCES)
def test_what_the_page_says_is_so(page: Page, cell: str, words: str, holds: Callable[[Page], Any]) -> None:
    assert_true_on_the_page(page, cell, words, holds)


def test_the_instructors_version_runs_without_an_error(executed: dict[str, Any]) -> None:
    assert {name: cell["error"] for name, cell in executed.items() if cell["error"]} == {}


def test_the_model_that_is_trained_runs_on_what_the_student_built(executed: dict[str, Any]) -> None:
    page = pages(executed["train-demo"])
    assert "This runs on your WordTokenizer, training_pairs, attention, next_token_loss." in page
    assert "stand in for" not in page


TEXTS = ["tea or milk", "or tea"]


def brought(folder: Path, **slips: tuple[str, str]) -> tuple[str, BroughtAlong]:
    """What is said of a notebook on the parts in which some answers were changed, and what is used."""
    notebook = read(BUILD)
    for name, (old, new) in slips.items():
        cell = next(cell for cell in notebook.cells if cell.id == name.replace("_", "-"))
        assert old in cell.source
        cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, folder / "parts.ipynb")
    parts = BroughtAlong(folder / "parts.ipynb", library_word_tokenizer(TEXTS), TEXTS)
    return shown(parts), parts


def shown(parts: BroughtAlong) -> str:
    with mock.patch("grading_utils.lessons.own_parts.show") as say:
        parts.say()
    return html.unescape(say.call_args[0][0])


def test_parts_that_are_not_done_in_the_notebook_before_are_stood_in_for(tmp_path: Path) -> None:
    said, parts = brought(
        tmp_path, training_pairs=("range(1, len(ids))", "..."), causal_attention=("math.sqrt(", "float(")
    )
    assert "your WordTokenizer, next_token_loss." in said
    assert "stand in for: training_pairs, attention" in said
    assert type(parts.words).__name__ == "WordTokenizer"
    assert parts.example_of([4, 5, 6]) == ([4, 5], [5, 6])


@pytest.mark.parametrize("text", [None, "no notebook", "[]", '{"cells": [1]}'])
def test_without_a_readable_notebook_all_parts_are_the_courses(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "parts.ipynb").write_text(text, encoding="utf-8")
    said = shown(BroughtAlong(tmp_path / "parts.ipynb", library_word_tokenizer(TEXTS), TEXTS))
    assert "stand in for: WordTokenizer, training_pairs, attention, next_token_loss" in said


def test_attention_weights_are_those_of_the_last_block(lesson: dict[str, Any]) -> None:
    model = tiny(lesson, 12)
    weights = attention_weights(model, tiny_model.built_in_attention, [3, 1, 4, 1])
    assert weights.shape == (2, 4, 4)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4))
    assert torch.equal(weights.triu(1), torch.zeros(2, 4, 4))


def test_the_first_loss_is_near_blind_guessing_and_the_last_far_below_but_not_0(executed: dict[str, Any]) -> None:
    found = re.search(r"From ([\d.]+) down to ([\d.]+)\.", pages(executed["train-demo"]))
    assert found is not None
    assert abs(float(found[1]) - math.log(31)) < 0.3
    assert 0.1 < float(found[2]) < 0.5


def test_without_a_mask_the_loss_is_lower_and_fewer_beginnings_are_continued(executed: dict[str, Any]) -> None:
    losses, known = printed(executed["train-demo"]).splitlines()[:2]
    masked, unmasked = map(float, re.findall(r"\d\.\d+", losses))
    assert unmasked < masked / 4
    assert "25 of 25 with the mask, 20 of 25 without it" in known


def test_the_learning_rates_end_as_the_page_sets_them_up(executed: dict[str, Any]) -> None:
    assert "Lowest at the end: 0.01; highest: 1; hardly moves: 0.00001" in pages(executed["pitfalls-demo"])


def test_a_larger_batch_makes_fewer_steps_and_takes_more_memory(executed: dict[str, Any]) -> None:
    rows = re.findall(
        r"(\d) sentence\(s\) in a batch: (\d) steps an epoch, loss .* ([\d.]+)", printed(executed["memory-demo"])
    )
    assert [(int(batch), int(steps)) for batch, steps, _ in rows] == [(1, 6), (2, 3), (6, 1)]
    size = TrainingMemory(50257, 768, 12, 3072, 12)
    assert size.total(8, 1024) > 16 * 2**30 > size.total(1, 1024)


def test_held_out_loss_rises_while_training_loss_falls_and_more_data_is_the_cure(executed: dict[str, Any]) -> None:
    table = pages(executed["held-out-demo"])
    rows = re.findall(
        r">([^<>]*(?:sentences|model))</td>\s*<td[^>]*>([^<]+)</td>\s*<td[^>]*>([^<]+)</td>\s*<td[^>]*>([^<]+)<", table
    )
    ends = {label: [float(part) for part in end.split(",")] for label, _, _, end in rows}
    lowest = {label: [float(part) for part in low.split(",")] for label, _, low, _ in rows}
    assert float(rows[0][1]) < 0.5
    assert min(ends["five sentences"]) > 2 * max(lowest["five sentences"]) > 2
    assert max(ends["fourteen sentences"]) < 1
    assert min(ends["five, larger model"]) > 3


def test_an_own_part_that_fails_or_disagrees_is_replaced_and_named() -> None:
    def broken() -> int:
        raise NameError("not there yet")

    parts = OwnParts()
    assert parts.choose("good", lambda: 2, 1, lambda made: made == 2) == 2
    assert parts.choose("wrong", lambda: 3, 1, lambda made: made == 2) == 1
    assert parts.choose("missing", broken, 1, lambda made: made == 2) == 1
    assert parts.used == {"good": True, "wrong": False, "missing": False}
    parts.say()


def test_batches_of_one_train_like_single_examples(lesson: dict[str, Any]) -> None:
    examples = [([1, 2, 3], [2, 3, 4]), ([4, 3, 2], [3, 2, 1])]
    one, other = tiny(lesson, 6), tiny(lesson, 6)
    by_batches = train_in_batches(one, examples, epochs=2, learning_rate=0.01, batch_size=1)
    optimizer = torch.optim.Adam(other.parameters(), lr=0.01)
    single = []
    for _ in range(2):
        for inputs, targets in examples:
            loss = torch.nn.functional.cross_entropy(other(torch.tensor([inputs]))[0], torch.tensor(targets))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            single.append(float(loss.detach()))
    assert by_batches == pytest.approx([sum(single[:2]) / 2, sum(single[2:]) / 2], abs=1e-4)


def tiny(lesson: dict[str, Any], vocab_size: int, positions: int = 10) -> torch.nn.Module:
    torch.manual_seed(0)
    model: torch.nn.Module = lesson["TinyLM"](vocab_size, 32, 2, 64, 2, positions)
    return model


def test_all_texts_of_the_lesson_survive_the_round_trip(lesson: dict[str, Any]) -> None:
    tokenizer = lesson["tokenizer"]
    for text in [*lesson["SENTENCES"], *(f"{question} {answer}" for question, answer in lesson["QUESTIONS"])]:
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_follower_model_has_the_probabilities_that_it_was_given_and_shares_out_the_rest() -> None:
    model = FollowerModel(["a", "b", "c"], {"a": {"b": 0.5}})
    chances = model(torch.tensor([[0, 1]])).softmax(-1)[0]
    assert torch.allclose(chances, torch.tensor([[0.25, 0.5, 0.25], [1 / 3, 1 / 3, 1 / 3]]))


def test_a_follower_model_forgets_what_it_learned() -> None:
    model = FollowerModel(["a", "b"], {"a": {"b": 0.75}})
    before = model(torch.tensor([[0]])).detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model(torch.tensor([[0]])).sum().backward()
    optimizer.step()
    assert not torch.allclose(model(torch.tensor([[0]])), before)
    model.start_again()
    assert torch.equal(model(torch.tensor([[0]])), before)
    assert model.scores.grad is None


def test_a_follower_model_refuses_what_the_transformer_would_refuse() -> None:
    model = FollowerModel(["a", "b"], {}, max_seq_length=2)
    with pytest.raises(ValueError, match="3 words are too long"):
        model(torch.tensor([[0, 1, 0]]))
    with pytest.raises(IndexError, match="batch"):
        model(torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="leave nothing"):
        FollowerModel(["a", "b"], {"a": {"b": 1.0}})


@pytest.mark.parametrize("vocab_size", [7, 20, 31])
def test_the_estimate_counts_the_parameters_of_the_model(lesson: dict[str, Any], vocab_size: int) -> None:
    counted = sum(weight.numel() for weight in tiny(lesson, vocab_size).parameters())
    assert TrainingMemory(vocab_size, 32, 2, 64, 2).parameters(10) == counted


def kept_for_backward(model: torch.nn.Module, ids: torch.Tensor) -> int:
    """Bytes that autograd keeps in one forward pass and loss, parameters not counted, each storage once."""
    parameters = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: list[torch.Tensor] = []  # the tensors themselves, so that no address is used twice

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        logits = model(ids)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in kept}
    return sum(size for address, size in storages.items() if address not in parameters)


@pytest.mark.parametrize(("batch_size", "length"), [(1, 64), (4, 64), (2, 256), (1, 512)])
def test_the_memory_estimate_is_within_a_factor_of_two(
    lesson: dict[str, Any], batch_size: int, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written_out(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        scores = queries @ keys.mT / math.sqrt(queries.shape[-1])
        causal = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        return scores.masked_fill(~causal, -math.inf).softmax(-1) @ values

    monkeypatch.setattr(tiny_model.Block, "attend", staticmethod(written_out))
    kept = kept_for_backward(tiny(lesson, 31, positions=length), torch.randint(31, (batch_size, length)))
    size = TrainingMemory(31, 32, 2, 64, 2)
    estimate = size.attention_scores(batch_size, length) + size.activations(batch_size, length)
    assert kept / 2 < estimate < kept * 2


def test_temperature_one_changes_nothing_and_the_worked_example_holds() -> None:
    assert np.allclose(reheated(np.array([0.8, 0.2]), 1.0), [0.8, 0.2])
    assert np.allclose(reheated(np.array([0.8, 0.2]), 0.5), [16 / 17, 1 / 17])
    assert np.allclose(reheated(np.array([0.9, 0.1, 0.0]), 100.0)[:2], 0.5, atol=0.01)
    assert np.allclose(reheated(np.array([0.6, 0.4]), 0.001), [1.0, 0.0])


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_that_is_not_positive_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        reheated(np.array([0.5, 0.5]), temperature)


NEXT = {
    "the": {"fox": 0.6, "owl": 0.4},
    "the fox": {"sleeps": 0.5, "waits": 0.5},
    "the owl": {"waits": 1.0},
}


def next_words(text: str, k: int) -> pd.DataFrame:
    rows = sorted(NEXT[text].items(), key=lambda row: -row[1])[:k]
    return pd.DataFrame(rows, columns=["word", "probability"])


def test_a_wider_beam_finds_the_sentence_that_greedy_search_misses() -> None:
    (greedy,) = beam_search(next_words, "the", width=1, steps=2)
    best, second = beam_search(next_words, "the", width=2, steps=2)
    assert greedy.text == second.text == "the fox sleeps"
    assert best.text == "the owl waits"
    assert best.log_probability == pytest.approx(math.log(0.4))


def test_pictures_say_in_words_what_they_show() -> None:
    assert "a b" in attention_html(np.tril(np.ones((2, 2, 2))), ["a", "b"])
    assert "slow ends at 2.00" in losses_html({"slow": [3.0, 2.0]}, 20, "Two epochs")
    assert "GiB at length 40" in memory_html({"ours": TrainingMemory(20, 32, 2, 64, 2)}, 8, [10, 20, 40], 16)
    assert "fox 0.60" in temperature_html(next_words("the", 2), "the", [1.0])


@pytest.mark.parametrize(
    "module",
    [brought_along, completion_explorer, follower_model, memory_estimate, tiny_model, training_pictures, word_level],
)
def test_the_modules_hold_no_solution(module: Any) -> None:
    lines = {"".join(line.split()) for line in inspect.getsource(module).splitlines()}
    answers = [cell for path in (BUILD, PATH) for cell in read(path).cells if is_answer(cell)]
    for cell in answers:
        for region in cell.source.split("### BEGIN SOLUTION")[1:]:
            for line in region.split("### SCAFFOLD")[0].splitlines():
                squeezed = "".join(line.split())
                assert len(squeezed) < 12 or squeezed not in lines, line
