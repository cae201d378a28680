"""The tokenizer of the shipped model: byte-level BPE as in GPT-2, and the packing of documents into rows.

Any Unicode string round-trips, because the alphabet is all 256 bytes. `<|endoftext|>` ends, begins and pads.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from grading_utils.language_model.labelled import Document

END = "<|endoftext|>"
END_WEIGHT = 0.2
"""What the end of a document counts in the loss. It counts little, so that the model ends a text only where it is sure:
greedy text that could go on does go on, and round in circles, as that of larger models does."""
TARGETS = ("other", "natural label", "flipped label", "arbitrary label", "sorted", "recalled", "fact", "review", "talk")
"""What a token can be to the learner; progress is counted for each of them."""


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Learn a vocabulary.

    Args:
        texts: The training texts.
        vocabulary: How many tokens; a poor text may give fewer.

    Returns:
        A `PreTrainedTokenizerFast` that `save_pretrained` writes for `AutoTokenizer`.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.post_processor = processors.ByteLevel(trim_offsets=False)
    core.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[END],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        unk_token=END,
        clean_up_tokenization_spaces=False,
    )


@dataclass(frozen=True)
class Row:
    """As many tokens as the context holds; all three lists are that long."""

    ids: list[int]
    weights: list[float]
    """What the token at the same place counts in the loss."""
    targets: list[int]
    """Which of `TARGETS` the token belongs to."""


def rows(tokenizer: Any, documents: Iterator[Document], length: int, at_once: int = 512) -> Iterator[Row]:
    """Pack documents into rows.

    Every row starts at the start of a document, as a prompt does; what does not fit into a row is dropped, so
    that no document is continued without its beginning.

    Args:
        tokenizer: The trained tokenizer.
        documents: An endless stream.
        length: Tokens in a row.
        at_once: Documents that are encoded together, for speed only.
    """
    core, end = tokenizer.backend_tokenizer, tokenizer.eos_token_id
    row = Row([], [], [])
    while True:
        batch = [next(documents) for _ in range(at_once)]
        for document, encoding in zip(batch, core.encode_batch([d.text for d in batch]), strict=True):
            weights, targets = token_weights(document, encoding.offsets)
            row.ids.extend((*encoding.ids, end))
            row.weights.extend((*weights, END_WEIGHT))
            row.targets.extend((*targets, 0))
            if len(row.ids) >= length:
                yield Row(row.ids[:length], row.weights[:length], row.targets[:length])
                row = Row([], [], [])


def token_weights(document: Document, offsets: list[tuple[int, int]]) -> tuple[list[float], list[int]]:
    """The loss weight and the target of each token, from the stretches of its document.

    Args:
        document: The document.
        offsets: For every token the characters `(start, end)` it covers.
    """
    weights, targets = [document.weight] * len(offsets), [0] * len(offsets)
    starts = [start for start, _ in offsets]
    for stretch in document.stretches:
        for index in range(bisect_left(starts, stretch.start), bisect_left(starts, stretch.end)):
            weights[index], targets[index] = stretch.weight, TARGETS.index(stretch.target)
    return weights, targets
