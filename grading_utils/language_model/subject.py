"""A model under measurement: its next-token logits, what it generates, how likely it finds a text.

Knows any causal model with its tokenizer, and nothing of the texts that it is measured on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Subject:
    """A model with its tokenizer."""

    tokenizer: Any
    model: Any

    @classmethod
    def load(cls, folder: str) -> Subject:
        """Read a model folder."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        return cls(AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval())

    def next_logits(self, prompt: str) -> torch.Tensor:
        """The logits after a prompt, shape `(vocabulary,)`; a long prompt loses its beginning."""
        limit = self.model.config.max_position_embeddings
        ids = self.tokenizer(prompt, return_tensors="pt", verbose=False)["input_ids"][:, -limit:]
        with torch.no_grad():
            logits: torch.Tensor = self.model(ids).logits[0, -1]
        return logits

    def first_token(self, word: str) -> int:
        """The first token of a word that follows a space."""
        return int(self.tokenizer(f" {word}")["input_ids"][0])

    def bits(self, text: str) -> tuple[float, int]:
        """Bits that a text costs as a document of its own, and its UTF-8 bytes, as far as the context reaches.

        Bits per byte compare models whose tokenizers cut a text differently; perplexity per token does not.
        """
        limit = self.model.config.max_position_embeddings
        ids = [self.tokenizer.eos_token_id, *self.tokenizer(text, verbose=False)["input_ids"]][:limit]
        batch = torch.tensor([ids])
        with torch.no_grad():  # every token counts, also one that could be filler
            logs = self.model(batch, attention_mask=torch.ones_like(batch)).logits[0, :-1].log_softmax(-1)
        picked = logs.gather(-1, torch.tensor(ids[1:])[:, None])
        return -float(picked.sum()) / math.log(2), len(self.tokenizer.decode(ids[1:]).encode())

    def generate(self, prompt: str, count: int, **options: Any) -> str:
        """`count` new tokens after a prompt, without the prompt; fewer only with `min_new_tokens` among the options."""
        batch = self.tokenizer(prompt, return_tensors="pt")
        settings: dict[str, Any] = {"do_sample": False, "pad_token_id": self.tokenizer.eos_token_id,
                                    "min_new_tokens": count, **options}  # fmt: skip
        with torch.no_grad():
            made = self.model.generate(**batch, max_new_tokens=count, **settings)
        return str(self.tokenizer.decode(made[0, batch["input_ids"].shape[1] :]))


def longest_repeat(ids: Sequence[int]) -> int:
    """The length of the longest stretch that occurs twice: `[1, 2, 3, 1, 2]` → `2`."""
    for length in range(len(ids) - 1, 0, -1):
        stretches = [tuple(ids[i : i + length]) for i in range(len(ids) - length + 1)]
        if len(set(stretches)) < len(stretches):
            return length
    return 0


def entropy(probabilities: torch.Tensor) -> float:
    """Shannon entropy in bits of a distribution, shape `(vocabulary,)`."""
    return float(-(probabilities * probabilities.clamp_min(1e-30).log2()).sum())


def kept_by_top_p(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """The distribution after nucleus filtering: the smallest set that holds `top_p`, renormalized."""
    ordered, order = probabilities.sort(descending=True)
    ordered = torch.where(ordered.cumsum(-1) - ordered < top_p, ordered, 0.0)
    kept = torch.zeros_like(probabilities).scatter(-1, order, ordered)
    return kept / kept.sum()
