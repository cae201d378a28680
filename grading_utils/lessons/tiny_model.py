"""The small transformer of the lessons on building and training one, for notebooks that begin with it ready-made.

Students read the same model as text in the notebook on its parts; a test holds the two together. It has no sizes of its
own, trains nothing and loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import nn


def built_in_attention(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return PyTorch's own causal attention for inputs of shape `(…, words, size)`."""
    return F.scaled_dot_product_attention(queries, keys, values, is_causal=True)


class Block(nn.Module):
    """Attention with several heads, then a feed-forward part; both add to what came in."""

    attend: ClassVar[Callable[..., torch.Tensor]] = staticmethod(built_in_attention)

    def __init__(self, embed_dim: int, num_heads: int, ff_dim: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm_1 = nn.LayerNorm(embed_dim)
        self.to_qkv = nn.Linear(embed_dim, 3 * embed_dim)
        self.mix = nn.Linear(embed_dim, embed_dim)
        self.norm_2 = nn.LayerNorm(embed_dim)
        self.feed_forward = nn.Sequential(nn.Linear(embed_dim, ff_dim), nn.GELU(), nn.Linear(ff_dim, embed_dim))

    def split_heads(self, x: torch.Tensor) -> torch.Tensor:
        """From shape `(sentences, words, size)` to `(sentences, heads, words, size of a head)`."""
        sentences, words, size = x.shape
        return x.view(sentences, words, self.num_heads, size // self.num_heads).transpose(1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """From shape `(sentences, words, size)` to the same shape."""
        q, k, v = (self.split_heads(part) for part in self.to_qkv(self.norm_1(x)).chunk(3, dim=-1))
        looked = self.attend(q, k, v).transpose(1, 2).reshape(x.shape)
        mixed: torch.Tensor = x + self.mix(looked)
        return mixed + self.feed_forward(self.norm_2(mixed))  # type: ignore[no-any-return]


class TinyLM(nn.Module):
    """A GPT in miniature: ids of shape (sentences, words) in, logits of shape (sentences, words, vocabulary) out."""

    def __init__(
        self, vocab_size: int, embed_dim: int, num_heads: int, ff_dim: int, num_layers: int, max_seq_length: int
    ) -> None:
        super().__init__()
        self.max_seq_length = max_seq_length
        self.token_embedding = nn.Embedding(vocab_size, embed_dim)
        self.position_embedding = nn.Embedding(max_seq_length, embed_dim)
        self.blocks = nn.ModuleList(Block(embed_dim, num_heads, ff_dim) for _ in range(num_layers))
        self.norm = nn.LayerNorm(embed_dim)
        self.head = nn.Linear(embed_dim, vocab_size)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the logits.

        Raises:
            ValueError: there are more words than positions.
        """
        words = ids.shape[1]
        if words > self.max_seq_length:
            raise ValueError(f"{words} words are too long: this model has {self.max_seq_length} positions")
        x = self.token_embedding(ids) + self.position_embedding(torch.arange(words, device=ids.device))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))  # type: ignore[no-any-return]
