"""The numbers of the training run, and a fingerprint of everything that decides what the weights will be.

The fingerprint is stored with the weights. When it no longer matches, the corpus or the recipe has changed since
the weights were made, and `make model` has to run again.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

RECIPE_FILE = "recipe.json"
_SOURCES = ("corpus.py", "grammar.py", "inflect.py", "labelled.py", "recipe.py", "tokens.py", "train.py")


@dataclass(frozen=True)
class Recipe:
    """What is trained, on how much, and how."""

    seed: str = "1"
    vocabulary: int = 3072
    context: int = 256
    embedding: int = 128
    layers: int = 4
    heads: int = 4
    tokens: int = 6_000_000
    rows_per_step: int = 4
    learning_rate: float = 2e-3
    warmup: float = 0.03
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.05
    tokenizer_documents: int = 30_000

    @property
    def steps(self) -> int:
        """How many updates the tokens give."""
        return self.tokens // (self.rows_per_step * self.context)


def fingerprint(recipe: Recipe | None = None) -> str:
    """SHA-256 over the recipe's numbers, its sources, its words and its templates."""
    digest = hashlib.sha256(repr(sorted(asdict(recipe or Recipe()).items())).encode())
    here = Path(__file__).parent
    texts = sorted([*here.glob("words/*.txt"), *here.glob("templates/*.txt")])
    for path in [*(here / name for name in _SOURCES), *texts]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()
