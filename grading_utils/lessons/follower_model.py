"""A language model that is a table: the scores of the next word depend on the last word alone.

Its probabilities can be read off, so a check on it states numbers that a reader can compute by hand. It is called,
trained and reset like the small transformer of the lesson on training; it has no attention and no positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn


class FollowerModel(nn.Module):
    """Ids of shape `(sentences, words)` in, logits of shape `(sentences, words, vocabulary)` out.

    Attributes:
        max_seq_length: how many words it accepts at once.
    """

    def __init__(
        self, words: Sequence[str], followers: Mapping[str, Mapping[str, float]], max_seq_length: int = 10
    ) -> None:
        """Take the probabilities of some words; what a row leaves over is shared out evenly among all other words.

        Args:
            words: the vocabulary in the order of the ids.
            followers: word → next word → probability; after a word that is not named all words are equally likely.
            max_seq_length: how many words it accepts at once.

        Raises:
            ValueError: the probabilities after a word leave nothing for the others.
        """
        super().__init__()
        place = {word: number for number, word in enumerate(words)}
        table = torch.full((len(words), len(words)), 1 / len(words))
        for word, row in followers.items():
            others = len(words) - len(row)
            left = 1 - sum(row.values())
            if others and left <= 0:
                raise ValueError(f"the probabilities after {word!r} leave nothing for the other {others} words")
            table[place[word]] = left / others if others else 0.0
            for follower, probability in row.items():
                table[place[word], place[follower]] = probability
        self.max_seq_length = max_seq_length
        self.scores = nn.Parameter(table.log())
        self._start = table.log()

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the row of scores of each word.

        Raises:
            IndexError: the ids are not a batch.
            ValueError: there are more words than it accepts.
        """
        if ids.dim() != 2:
            raise IndexError(
                f"ids should have the shape [sentences, words], not {list(ids.shape)}: is the batch missing?"
            )
        if ids.shape[-1] > self.max_seq_length:
            raise ValueError(f"{ids.shape[-1]} words are too long: this model has {self.max_seq_length} positions")
        return self.scores[ids]

    def start_again(self) -> None:
        """Forget what was learned since it was made."""
        self.scores.data.copy_(self._start)
        self.scores.grad = None
