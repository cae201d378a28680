"""What the pages of `07-build-a-tiny-model` say about outputs, and what makes it true."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch

from .notebooks import Page, Sentences, section_table_agrees


def learned(page: Page, *sentences: str) -> Any:
    tokenizer = page["WordTokenizer"]()
    for sentence in sentences:
        tokenizer.add_sentence(sentence)
    return tokenizer


def output_of_word_2(page: Page, scores: list[float]) -> float:
    """What attention puts out at the second of two words with the values 10 and 20, if its scores are these."""
    queries, keys = torch.tensor([[0.0], [1.0]]), torch.tensor([[scores[0]], [scores[1]]])
    output, _ = page["attention"](queries, keys, torch.tensor([[10.0], [20.0]]), page["causal_mask"](2))
    return float(output[1])


def weights_of_random_numbers(page: Page) -> torch.Tensor:
    torch.manual_seed(0)
    weights: torch.Tensor = page["attention"](*torch.randn(3, 2, 6, 4), page["causal_mask"](6))[1]
    return weights


def parameters(part: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in part.parameters())


def shapes(page: Page) -> dict[str, tuple[int, ...]]:
    """The shape after each part of the model that has 20 words, for one sentence of five."""
    model, found = page["build_model"](20), {}
    parts = {"token": model.token_embedding, "block": model.blocks[0], "head": model.head}
    for name, part in parts.items():
        part.register_forward_hook(lambda _part, _in, out, name=name: found.update({name: tuple(out.shape)}))
    model(torch.tensor([[3, 1, 4, 1, 5]]))
    return found


def losses(*chances: float) -> list[str]:
    return [f"{-math.log(chance):.2f}" for chance in chances]


def surprise_of_counting(page: Page) -> tuple[float, float]:
    counting, nothing = page.revealed("next-notebook").split()
    return float(counting), float(nothing)


SENTENCES: Sentences = {
    ("title", "| section | you write | minutes | points |"): section_table_agrees,
    (
        "word-tokenizer-task",
        '*"milk or tea"* becomes `[3, 2, 1]`, and *"milk or juice"* becomes `[3, 2, 0]`',
    ): lambda page: (
        [learned(page, "tea or milk or tea").encode(text) for text in ("milk or tea", "milk or juice")]
        == [[3, 2, 1], [3, 2, 0]]
    ),
    ("word-tokenizer-task", 'Decoding `[3, 2, 0]` gives `"milk or <unk>"`'): lambda page: (
        learned(page, "tea or milk or tea").decode([3, 2, 0]) == "milk or <unk>"
    ),
    ("word-tokenizer-task", 'Which ids does *"blue fish swim fast"* get?'): lambda page: (
        "becomes [4, 2, 3, 0], and comes back as 'blue fish swim <unk>'" in page.shown("word-tokenizer-reveal")
    ),
    ("training-pairs-task", "| `[8, 3, 5]` | 9 |"): lambda page: (
        page["training_pairs"]([8, 3, 5, 9]) == [([8], 3), ([8, 3], 5), ([8, 3, 5], 9)]
    ),
    ("training-pairs-task", "keeps only the newest two ids: `([3, 5], 9)`"): lambda page: (
        page["training_pairs"]([8, 3, 5, 9], max_length=2)[-1] == ([3, 5], 9)
    ),
    ("training-pairs-task", "How many pairs does a sentence of 6 words give? And one of 1 word?"): lambda page: (
        "5 pairs from 6 words, 0 from 1." in page.shown("training-pairs-reveal")
        and page.shown("training-pairs-reveal").count("→") == 5
    ),
    ("causal-attention-task", "its weights are ½ and ½ and its output is 15"): lambda page: (
        output_of_word_2(page, [1.0, 1.0]) == 15
    ),
    ("causal-attention-task", "much larger, its output is near 10"): lambda page: (
        output_of_word_2(page, [9.0, 0.0]) < 10.1
    ),
    ("causal-attention-task", "which makes their weights exactly 0"): lambda page: (
        weights_of_random_numbers(page).triu(1).abs().max() == 0
    ),
    ("causal-attention-task", "How many cells are `True`? Which row has only one?"): lambda page: (
        "10 of 16 cells are True; row 0 has only one" in page.shown("causal-attention-reveal")
    ),
    ("causal-attention-task", "The first row of every picture has one dark cell and nothing else"): lambda page: (
        weights_of_random_numbers(page)[:, 0].tolist() == [[1, 0, 0, 0, 0, 0]] * 2
        and "Attention weights of 2 heads" in page.shown("causal-attention-reveal")
    ),
    ("square-root-answer", "With the division the largest weight stays as it is, about 0.42"): lambda page: all(
        abs(float(w) - 0.42) < 0.015 for w in re.findall(r"row is ([\d.]+)", page.shown("causal-attention-reveal"))
    ),
    (
        "build-model-task",
        "| token embedding | each id picks a row of a table: the word as numbers | `(sentences, words, 32)` |",
    ): (lambda page: shapes(page) == {"token": (1, 5, 32), "block": (1, 5, 32), "head": (1, 5, 20)}),
    ("build-model-task", "about 200, 2,000, 20,000, or 200,000?"): lambda page: (
        "18,772 parameters: about 20,000, most of them in the two blocks." in page.shown("build-model-reveal")
        and "A word more in the vocabulary costs 65." in page.shown("build-model-reveal")
        and parameters(page["build_model"](21)) - parameters(page["build_model"](20)) == 65
        and parameters(page["build_model"](20).blocks) > 18_772 / 2
    ),
    ("build-model-task", "the cell after the check shows whether both agree"): lambda page: (
        float(page.shown("build-model-reveal").split("PyTorch's: ")[1]) < 1e-5
    ),
    ("next-token-loss-task", "| loss | 0.69 | 0.11 | 4.61 | **1.80** |"): lambda page: (
        losses(0.5, 0.9, 0.01) == ["0.69", "0.11", "4.61"]
        and f"{sum(-math.log(p) for p in (0.5, 0.9, 0.01)) / 3:.2f}" == "1.80"
    ),
    ("next-token-loss-task", "A sure and right model has loss 0."): lambda page: (
        float(page["next_token_loss"](torch.tensor([[1000.0, 0.0]]), torch.tensor([0]))) == 0
    ),
    ("next-token-loss-task", "gives each of 20 words the same probability. What is its loss?"): lambda page: (
        "3.00, the natural logarithm of 20." in page.shown("next-token-loss-reveal")
    ),
    ("sure-model-answer", "costs 9.21, as much as nine hundred of its sure and right guesses together"): lambda _page: (
        losses(0.0001) == ["9.21"] and round(math.log(0.0001) / math.log(0.99), -2) == 900
    ),
    ("sure-model-answer", "giving the tenth word 0.01 instead would cost 4.6 in place of 9.2"): lambda _page: (
        [-math.log(chance) for chance in (0.01, 0.0001)] == pytest.approx([4.6, 9.2], abs=0.02)
    ),
    ("next-notebook", "Knowing only which words are frequent is worth a little."): lambda page: (
        0.1 < surprise_of_counting(page)[1] - surprise_of_counting(page)[0] < 0.5
    ),
}
