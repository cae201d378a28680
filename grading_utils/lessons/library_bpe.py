"""Byte-pair encoding by the `tokenizers` library, to compare with the one that is written by hand in a lesson.

Words begin with `_`, which stands for the space before them; pairs are merged inside words only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.trainers import BpeTrainer

SPACE = "_"


def library_bpe(lines: Iterable[str], num_merges: int) -> tuple[list[tuple[str, str]], Tokenizer]:
    """Train the library's tokenizer on lines of text.

    Args:
        lines: the training text.
        num_merges: how many merges to learn; fewer are learned if no pair is left.

    Returns:
        The merges in the order in which they were learned, and the trained tokenizer.
    """
    texts = list(lines)
    alphabet = {letter for text in texts for word in text.split() for letter in SPACE + word}
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Metaspace(replacement=SPACE, prepend_scheme="always")
    trainer = BpeTrainer(vocab_size=len(alphabet) + num_merges, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    learned = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(first, second) for first, second in learned], tokenizer
