"""Experiments of the lesson on training: the same small model with other attention, other data, another size.

They run on a model and a `train` function that the notebook hands over; what is trained and on which sentences, the
notebook says. Nothing here builds a model, masks, trains or draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import torch
import torch.nn.functional as F

Attend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
Example = tuple[list[int], list[int]]
Train = Callable[..., Sequence[float]]
Model = TypeVar("Model", bound=Any)


class Words(Protocol):
    """A word tokenizer, the student's or the library's."""

    def encode(self, text: str) -> list[int]:
        """Return one id per word."""

    def decode(self, ids: Sequence[int]) -> str:
        """Return the words of the ids."""


def with_attention(model: Model, attend: Attend) -> Model:
    """Let every block of a model look with another function; returns the model."""
    for block in model.blocks:
        block.attend = attend
    return model


def crystal_ball(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Attend without a mask: every word sees every other, those that come later too."""
    return F.scaled_dot_product_attention(queries, keys, values)


def attention_weights(model: Any, look: Attend, ids: Sequence[int]) -> torch.Tensor:
    """Return where the last block looks, of shape `(heads, words, words)`.

    Args:
        model: it looks with `look` in every block.
        look: attention; as it averages values, rows of the unit matrix for values give the weights.
        ids: one sentence.
    """
    caught: list[torch.Tensor] = []

    def noted(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        words = queries.shape[-2]
        caught.append(look(queries, keys, torch.eye(words).expand(*queries.shape[:-1], words)))
        return look(queries, keys, values)

    model.blocks[-1].attend = noted
    try:
        with torch.no_grad():
            model(torch.tensor([list(ids)]))
    finally:
        model.blocks[-1].attend = look
    return caught[0][0]


def beginnings_known(model: Any, words: Words, sentences: Sequence[str]) -> str:
    """Count the beginnings of sentences that a model continues as one of the sentences does: '25 of 25'."""
    follow: dict[str, set[str]] = {}
    for sentence in sentences:
        parted = sentence.split()
        for end in range(1, len(parted)):
            follow.setdefault(" ".join(parted[:end]), set()).add(parted[end])
    with torch.no_grad():
        best = {start: int(model(torch.tensor([words.encode(start)]))[0, -1].argmax()) for start in follow}
    return f"{sum(words.decode([best[start]]) in follow[start] for start in follow)} of {len(follow)}"


def held_out(
    model: Any, train: Train, data: Sequence[Example], aside: Example, pieces: int = 10, steps: int = 15
) -> Mapping[str, list[float]]:
    """Train piece by piece, and measure after each piece the loss of an example that is not trained on.

    Args:
        model: untrained.
        train: `train(model, examples, epochs, learning_rate)` returns the mean loss of each epoch.
        data: what is trained on.
        aside: what is held out.
        pieces: how often the held-out loss is measured.
        steps: about how many examples are used between two measurements.

    Returns:
        `training` and `held out`: one loss for each piece.
    """
    inputs, targets = torch.tensor([aside[0]]), torch.tensor(aside[1])
    curves: dict[str, list[float]] = {"training": [], "held out": []}
    for _ in range(pieces):
        losses = train(model, data, epochs=max(1, steps // len(data)), learning_rate=0.003)
        curves["training"].append(float(losses[-1]))
        with torch.no_grad():
            curves["held out"].append(float(F.cross_entropy(model(inputs)[0], targets)))
    return curves
