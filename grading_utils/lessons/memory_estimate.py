"""How much memory one training step of a GPT-type model needs, before anything runs out of it.

The estimate counts 4-byte numbers that plain PyTorch code keeps for the backward pass: no mixed precision, no
checkpointing, no fused attention. It is within a factor of two of what a step really keeps, which is what one
wants to know before starting.
"""

from __future__ import annotations

from dataclasses import dataclass

_BYTES = 4  # float32


@dataclass(frozen=True)
class TrainingMemory:
    """Sizes of a model, and the bytes that training it takes.

    Attributes:
        vocab_size: words in the vocabulary.
        embed_dim: numbers per word.
        num_heads: attention heads per layer.
        ff_dim: width of the feed-forward part.
        num_layers: how many blocks.
    """

    vocab_size: int
    embed_dim: int
    num_heads: int
    ff_dim: int
    num_layers: int

    def parameters(self, seq_length: int) -> int:
        """Return the number of parameters, with one learned position per token of the sequence."""
        d, f = self.embed_dim, self.ff_dim
        block = 4 * d * d + 4 * d + 2 * d * f + f + d + 4 * d
        ends = (self.vocab_size + seq_length) * d + 2 * d + (d + 1) * self.vocab_size
        return ends + self.num_layers * block

    def model_state(self, seq_length: int) -> int:
        """Return the bytes of weights, gradients and Adam's two averages: four numbers per parameter."""
        return 4 * _BYTES * self.parameters(seq_length)

    def attention_scores(self, batch_size: int, seq_length: int) -> int:
        """Return the bytes of the word-by-word attention tables: scaled scores and weights."""
        return 2 * _BYTES * batch_size * self.num_layers * self.num_heads * seq_length**2

    def activations(self, batch_size: int, seq_length: int) -> int:
        """Return the bytes kept per word: some 8 vectors and 2 wide ones a layer, and the logits."""
        per_word = self.num_layers * (8 * self.embed_dim + 2 * self.ff_dim) + 2 * self.vocab_size
        return _BYTES * batch_size * seq_length * per_word

    def total(self, batch_size: int, seq_length: int) -> int:
        """Return all bytes of one training step."""
        return (
            self.model_state(seq_length)
            + self.attention_scores(batch_size, seq_length)
            + self.activations(batch_size, seq_length)
        )
