"""Ask a model with a prompt: what it writes next, how likely it finds a continuation, and how sure a result is.

For worked examples and experiments, on any causal model with its tokenizer. Building prompts, choosing labels and
counting what came out right is the student's work and not done here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F


class Prompted:
    """A model and its tokenizer, asked in text."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.context: int = model.config.max_position_embeddings
        self._known: dict[tuple[str, str], float] = {}  # experiments ask the same thing again and again

    def complete(self, prompt: str, max_new_tokens: int = 12) -> str:
        """Return the greedy continuation of a prompt, without the prompt and without special tokens.

        Raises:
            ValueError: if prompt and continuation together are longer than what the model can read.
        """
        batch = self.tokenizer([prompt], return_tensors="pt")
        given = batch["input_ids"].shape[1]
        self._require_room(given + max_new_tokens)
        rows = self.model.generate(
            **batch, max_new_tokens=max_new_tokens, do_sample=False, pad_token_id=self.tokenizer.eos_token_id
        )
        return str(self.tokenizer.batch_decode(rows[:, given:], skip_special_tokens=True)[0])

    def log_probability(self, prompt: str, continuation: str) -> float:
        """Return the natural logarithm of the probability that a continuation follows a prompt.

        One pass over both together: the negative of the summed cross-entropy at the positions of the continuation.

        Args:
            prompt: at least one token.
            continuation: as it would stand in the text, a leading space included.

        Raises:
            ValueError: if both together are longer than what the model can read.
        """
        if (prompt, continuation) in self._known:
            return self._known[prompt, continuation]
        before, after = (self.tokenizer(text)["input_ids"] for text in (prompt, continuation))
        self._require_room(len(before) + len(after))
        with torch.no_grad():
            rows = self.model(torch.tensor([before + after]), logits_to_keep=len(after) + 1).logits
        loss = F.cross_entropy(rows.squeeze(0)[: len(after)], torch.tensor(after), reduction="sum")
        self._known[prompt, continuation] = -float(loss)
        return -float(loss)

    def _require_room(self, tokens: int) -> None:
        if tokens > self.context:
            raise ValueError(f"this takes {tokens} tokens, and the model can read {self.context}: shorten the prompt")


Score = Callable[[str, str], float]
"""Prompt and continuation in, log-probability of the continuation out."""


def label_score_in_text(tokenizer: Any, next_logits: Callable[[list[int]], Any], label_score: Any) -> Score | None:
    """Return a student's `label_score`, which takes ids, as a function of text; None if there is none yet."""
    if not callable(label_score):
        return None
    return lambda prompt, continuation: float(
        label_score(tokenizer(prompt)["input_ids"], tokenizer(continuation)["input_ids"], next_logits)
    )


def remembered(own: Score | None, course: Score) -> Score:
    """Return `own`, or `course` where `own` is missing or fails or disagrees at a first try; nothing is asked twice."""
    prompt, continuation = "Review: It was fun.\nDecision:", " not good"
    try:
        works = own is not None and abs(own(prompt, continuation) - course(prompt, continuation)) < 1e-2
    except Exception:  # whatever an unfinished function raises, the course's own takes over
        works = False
    chosen = own if works and own is not None else course
    print("scores: " + ("your label_score" if works else "the course's own, as your label_score is not done yet"))
    known: dict[tuple[str, str], float] = {}

    def score(prompt: str, continuation: str) -> float:
        if (prompt, continuation) not in known:
            known[prompt, continuation] = chosen(prompt, continuation)
        return known[prompt, continuation]

    return score


def bootstrap_interval(right: Sequence[bool], draws: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Return the range that holds 95 % of the accuracies of samples drawn from these results, with repetition.

    The percentile interval of B. Efron, "Bootstrap methods: another look at the jackknife", 1979.

    Args:
        right: for each case, whether it was decided rightly.
        draws: how many samples are drawn.
        seed: of the draws.
    """
    dice = random.Random(seed)
    shares = sorted(sum(dice.choices(right, k=len(right))) / len(right) for _ in range(draws))
    return shares[int(0.025 * draws)], shares[int(0.975 * draws) - 1]
