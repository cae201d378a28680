"""What the pages of `05-generation` say about outputs, whatever the model learned, and what makes it true."""

from __future__ import annotations

import math

import pytest
import torch

from .notebooks import Page, Sentences

SIX = torch.tensor([0.40, 0.25, 0.15, 0.10, 0.06, 0.04]).log()


def kept(scores: torch.Tensor) -> int:
    return int((scores > -math.inf).sum())


def chances(page: Page, temperature: float) -> list[int]:
    """Percent of apple, pear and plum, with the scores 2, 1 and 0."""
    return [round(100 * float(p)) for p in page["heated"](torch.tensor([2.0, 1.0, 0.0]), temperature)]


def counting(page: Page) -> tuple[list[int], list[list[int]]]:
    """The ids of the worked example's toy model, and what it reads at each step."""
    read: list[list[int]] = []

    def next_logits(ids: list[int]) -> torch.Tensor:
        read.append([int(number) for number in ids])
        return torch.nn.functional.one_hot(torch.tensor(min(read[-1][-1] + 1, 4)), 5).float()

    made = page["generate_ids"]([0, 0, 0, 1], next_logits, lambda scores: int(scores.argmax()), 9, 4, 3)
    return [int(number) for number in made], read


def made(page: Page, text: str, **options: float) -> int:
    """How many new tokens the library makes; those that it refuses count as -1."""
    ids = page["tokenizer"](text, return_tensors="pt")["input_ids"]
    try:
        result = page["model"].generate(ids, pad_token_id=page["END"], suppress_tokens=[page["END"]], **options)
    except ValueError:
        return -1
    return int(result.shape[1] - ids.shape[1])


def made_with_a_warning(page: Page, text: str) -> int:
    page.names()  # the set-up cell silences warnings
    with pytest.warns(UserWarning, match="max_new_tokens"):
        return made(page, text)


SENTENCES: Sentences = {
    (
        "append-token-task",
        "With `dim=0` it puts one below the other, as new rows; with `dim=1` it puts them side by side",
    ): (
        lambda _page: [tuple(torch.cat([torch.ones(1, 2)] * 2, dim=axis).shape) for axis in (0, 1)] == [(2, 2), (1, 4)]
    ),
    (
        "generate-loop-task",
        "| 3 | `[0, 0, 0, 1, 2, 3]` | `[1, 2, 3]` | 4 | this is the end of the text |",
    ): lambda page: counting(page) == ([0, 0, 0, 1, 2, 3, 4], [[0, 0, 1], [0, 1, 2], [1, 2, 3]]),
    ("temperature-task", "| scores | 2 | 1 | 0 | 67 %, 24 %, 9 % |"): lambda page: chances(page, 1.0) == [67, 24, 9],
    ("temperature-task", "| at temperature 0.5 | 4 | 2 | 0 | 87 %, 12 %, 2 % |"): lambda page: (
        chances(page, 0.5) == [87, 12, 2]
    ),
    ("temperature-task", "| at temperature 10 | 0.2 | 0.1 | 0 | 37 %, 33 %, 30 % |"): lambda page: (
        chances(page, 10.0) == [37, 33, 30]
    ),
    ("filters-task", "| top-k, k = 2 | 40, 25 | two words |"): lambda page: kept(page["keep_top_k"](SIX, 2)) == 2,
    ("filters-task", "40 and 25 are only 65 %, so it takes the third, which makes 80 % |"): lambda page: (
        [kept(page["keep_top_p"](SIX, p)) for p in (0.3, 0.7, 1)] == [1, 3, 6]
    ),
    ("hot-sampling-question", "In fact the library keeps the 50 most likely tokens unless it is told otherwise."): (
        lambda page: page["model"].generation_config.top_k in (None, 50)
    ),
    ("beam-search-task", 'The text "a fox" has a chance of 0.4 · 0.9 = 0.36'): lambda page: (
        "'a fox'" in page.shown("beam-search-demo") and "'the dog'" in page.shown("beam-search-demo")
    ),
    ("generate-text-task", "Without a length it makes 20 tokens and warns."): lambda page: (
        made_with_a_warning(page, "Once upon a time") == made_with_a_warning(page, "She opened the door and she") == 20
    ),
    (
        "generate-text-task",
        "`temperature=14` is refused, as it must be a decimal number: `14.0`. So is 0",
    ): lambda page: (
        [made(page, "My", do_sample=True, temperature=t, max_new_tokens=2) for t in (14, 14.0, 0)] == [-1, 2, -1]
    ),
    ("generate-text-task", "which slice of the result is new?"): lambda page: (
        page["generate_text"]("My sister", 4) == "My sister" + page["new_text"]("My sister", 4)
    ),
}
