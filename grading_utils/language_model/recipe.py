"""The numbers of the training run, and a fingerprint of everything that decides what the weights will be.

The fingerprint is stored with the weights. When it no longer matches, the text or the recipe has changed since
the weights were made, and `make model` has to run again. It looks at the documents that the generator writes, not
at the generator's code, so tidying that code up is free.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

from grading_utils.language_model import corpus

RECIPE_FILE = "recipe.json"
_LOOP = ("tokens.py", "training.py", "muon.py")
_DOCUMENTS = 2000
_LATER_DOCUMENTS = 500


@dataclass(frozen=True)
class Recipe:
    """What is trained, on how much, and how."""

    seed: str = "1"
    vocabulary: int = 4096
    context: int = 256
    embedding: int = 128
    layers: int = 4
    heads: int = 4
    initial_scale: float = 0.05
    """Standard deviation of the first weights and amplitude of the first position embeddings."""
    tokens: int = 10_000_000
    rows_per_step: int = 8
    learning_rate: float = 3e-3
    """Of the embeddings, biases and norms, by AdamW."""
    matrix_learning_rate: float = 5e-3
    """Of the matrices inside the blocks, by Muon."""
    warmup_steps: int = 60
    level_share: float = 0.7
    """Share of the steps after which the learning rates go down."""
    weight_decay: float = 0.05
    noise: float = 0.0
    """Share of the tokens that are replaced by any others, so that what follows an unknown word is learned as well."""
    tokenizer_documents: int = 30_000

    @property
    def steps(self) -> int:
        """How many updates the tokens give."""
        return self.tokens // (self.rows_per_step * self.context)

    @property
    def last_phase(self) -> Recipe:
        """What follows on the first phase: the documents of `corpus.LAST`, noise, half the learning rates."""
        return replace(
            self,
            tokens=self.tokens * 3 // 20,
            learning_rate=self.learning_rate / 2,
            matrix_learning_rate=self.matrix_learning_rate / 2,
            warmup_steps=40,
            level_share=0.3,
            noise=0.06,
        )


def fingerprint(recipe: Recipe | None = None) -> str:
    """SHA-256 over the recipe's numbers, all words and templates, the first documents, and the training loop."""
    recipe = recipe or Recipe()
    digest = hashlib.sha256(repr([sorted(asdict(phase).items()) for phase in (recipe, recipe.last_phase)]).encode())
    here = Path(__file__).parent
    for path in [*sorted(here.glob("words/*.txt")), *sorted(here.glob("templates/*.txt")), *(here / f for f in _LOOP)]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    digest.update(repr((corpus.PROSE, corpus.FIRST_DOCUMENTS, corpus.LAST)).encode())
    first = islice(corpus.documents(f"training {recipe.seed}"), _DOCUMENTS)
    later = corpus.heldout("labelled reviews", recipe.seed, _LATER_DOCUMENTS, split="labelled")
    last = islice(corpus.documents(f"last {recipe.seed}", last=True), _DOCUMENTS)
    for document in (*first, *later, *last):
        digest.update(repr(document).encode())
    return digest.hexdigest()
