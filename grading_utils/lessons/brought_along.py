"""The parts that students built in the notebook before, for the notebook that trains a model on them.

Reads the saved notebook and runs its answer cells, in the kernel of the student who wrote them. Each part is compared
with the course's own, which stands in where the part is missing or does something else. Nothing here grades.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from grading_utils.lessons.own_parts import OwnParts
from grading_utils.lessons.tiny_model import TinyLM, built_in_attention
from grading_utils.lessons.training_experiments import Attend, Example, Words

_TOOLS = {"math": math, "np": np, "torch": torch, "F": F, "nn": nn, "TinyLM": TinyLM}
"""What the setup of that notebook offers to answers."""


class BroughtAlong:
    """A tokenizer, examples, attention and a loss: the student's, or the course's where theirs are not done.

    Attributes:
        words: the tokenizer.
        example_of: from the ids of a sentence to `(input ids, target ids)`.
        look: causal attention for inputs of shape `(…, words, size)`.
        loss_of: from logits of shape `(positions, vocabulary)` and the right ids to the mean loss.
    """

    words: Words
    example_of: Callable[[list[int]], Example]
    look: Attend
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

    def __init__(self, notebook: str | Path, tokenizer: Words, texts: Sequence[str]) -> None:
        """Take what works.

        Args:
            notebook: where the student's notebook on the parts is saved.
            tokenizer: the course's, which has learned from the texts.
            texts: what the student's learns from, in this order.
        """
        own = answers_of(notebook)
        self._parts = OwnParts()

        def learned() -> Words:
            made: Words = own["WordTokenizer"]()
            for text in texts:
                made.add_sentence(text)  # type: ignore[attr-defined]
            return made

        def longest_pair(ids: list[int]) -> Example:
            pairs = own["training_pairs"](ids)
            return list(pairs[-1][0]), [target for _, target in pairs]

        def attends(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
            output: torch.Tensor = own["attention"](queries, keys, values, own["causal_mask"](queries.shape[-2]))[0]
            return output

        probe = torch.randn(3, 1, 2, 5, 16, generator=torch.Generator().manual_seed(8))
        blind, targets = torch.zeros(2, 9), torch.tensor([3, 0])
        self.words = self._parts.choose(
            "WordTokenizer", learned, tokenizer, lambda made: all(made.encode(t) == tokenizer.encode(t) for t in texts)
        )
        self.example_of = self._parts.choose(
            "training_pairs", lambda: longest_pair, _sliced, lambda made: made([4, 5, 6]) == ([4, 5], [5, 6])
        )
        self.look = self._parts.choose(
            "attention", lambda: attends, built_in_attention,
            lambda made: torch.allclose(made(*probe), built_in_attention(*probe), atol=1e-4),
        )  # fmt: skip
        self.loss_of = self._parts.choose(
            "next_token_loss", lambda: own["next_token_loss"], F.cross_entropy,
            lambda made: abs(float(made(blind, targets)) - math.log(9)) < 1e-3,
        )  # fmt: skip

    def say(self) -> None:
        """Show whose parts are used."""
        self._parts.say()


def answers_of(notebook: str | Path) -> dict[str, Any]:
    """Run the answer cells of a notebook, and return the names that they bind.

    Args:
        notebook: where it is saved; what can't be read there, or run, is left out.
    """
    names: dict[str, Any] = dict(_TOOLS)
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        for cell in json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution"):
                with suppress(Exception):  # a blank, a slip: that part is not done yet
                    exec("".join(cell["source"]), names)  # noqa: S102  # the student's own code, in their own kernel
    return names


def _sliced(ids: list[int]) -> Example:
    return ids[:-1], ids[1:]
