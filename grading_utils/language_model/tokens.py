"""The tokenizer of the shipped model: byte-level BPE as in GPT-2, and the packing of documents into rows.

Any Unicode string round-trips, because the alphabet is all 256 bytes. `<|endoftext|>` ends, begins and pads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from grading_utils.language_model.labelled import Document

END = "<|endoftext|>"
END_WEIGHT = 0.5


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


def rows(
    tokenizer: Any, documents: Iterator[Document], length: int, at_once: int = 512
) -> Iterator[tuple[list[int], list[float]]]:
    """Pack documents into rows of tokens and their loss weights.

    Every row starts at the start of a document, as a prompt does; what does not fit into a row is dropped, so
    that no document is continued without its beginning.

    Args:
        tokenizer: The trained tokenizer.
        documents: An endless stream.
        length: Tokens in a row.
        at_once: Documents that are encoded together, for speed only.

    Yields:
        `length` token ids and `length` weights; the weight belongs to the token at the same place.
    """
    core, end = tokenizer.backend_tokenizer, tokenizer.eos_token_id
    ids: list[int] = []
    weights: list[float] = []
    while True:
        batch = [next(documents) for _ in range(at_once)]
        for document, encoding in zip(batch, core.encode_batch([d.text for d in batch]), strict=True):
            ids += [*encoding.ids, end]
            weights += [*token_weights(document, encoding.offsets), END_WEIGHT]
            if len(ids) >= length:
                yield ids[:length], weights[:length]
                ids, weights = [], []


def token_weights(document: Document, offsets: list[tuple[int, int]]) -> list[float]:
    """The loss weight of each token, from the character stretches of its document.

    Args:
        document: The document.
        offsets: For every token the characters `(start, end)` it covers.
    """
    weights = [1.0] * len(offsets)
    spans = iter(document.weights)
    span = next(spans, None)
    for index, (start, _) in enumerate(offsets):
        while span is not None and start >= span[1]:
            span = next(spans, None)
        if span is None:
            break
        if start >= span[0]:
            weights[index] = span[2]
    return weights
