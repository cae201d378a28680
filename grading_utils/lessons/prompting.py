"""Ask a model with a prompt: what it writes next, and how likely it finds a given continuation.

For worked examples and experiments, on any causal model with its tokenizer. Building prompts, choosing labels and
counting what came out right is the student's work and not done here.
"""

from __future__ import annotations

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
