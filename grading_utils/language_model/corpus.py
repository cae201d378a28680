"""The training text: documents of all families, drawn from the grammar by one seed.

The same seed gives the same text in every process: chance comes from `random.Random` seeded with strings, and
nothing here iterates over a set. What each family says is in `templates/` and `words/`.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from grading_utils.language_model.grammar import Grammar, Rule, Split, load_rules
from grading_utils.language_model.labelled import (
    FIRST_DIRECTIONS,
    Document,
    Stretch,
    labelled_reviews,
    recalled_pairs,
    sorted_words,
)

PROSE = {
    "plan": 7, "everyday": 9, "saying": 6, "person": 10, "city": 10, "fact": 12, "story": 9, "news": 8, "review": 6,
}  # fmt: skip
"""Families written by one rule, `<family>-doc`, and how many documents in a hundred each of them gets."""
LABELLED: dict[str, tuple[Callable[[Grammar, random.Random], Document], int]] = {
    "labelled reviews": (labelled_reviews, 13),
    "sorted words": (sorted_words, 4),
    "recall": (recalled_pairs, 6),
}
"""Families in which a label is to be found from the document, with their writers and shares."""

FIRST_DOCUMENTS = 70_000
"""So many documents have the labels of `FIRST_DIRECTIONS`; somewhat more than a quarter of them."""
BRACKETED = {"fact": 3.0, "review": 3.0}
"""Families with [brackets] in their templates, and how many ordinary tokens one token inside weighs in the loss."""


@cache
def rules() -> dict[str, Rule]:
    """All words and templates of the package."""
    return load_rules(Path(__file__).parent)


def documents(seed: str) -> Iterator[Document]:
    """Endless training documents; the same seed gives the same ones."""
    rng = random.Random(f"corpus {seed}")
    running, labelled = Grammar(rules(), "running", rng), Grammar(rules(), "labelled", rng)
    names = [*PROSE, *LABELLED]
    shares = [*PROSE.values(), *(share for _, share in LABELLED.values())]
    for index in itertools.count():
        name = rng.choices(names, shares)[0]
        if name in PROSE:
            yield prose(running, name)
        elif name == "labelled reviews" and index < FIRST_DOCUMENTS:
            yield labelled_reviews(labelled, rng, FIRST_DIRECTIONS)
        else:
            yield LABELLED[name][0](labelled, rng)


def tokenizer_texts(seed: str, count: int) -> Iterator[str]:
    """Texts for the tokenizer: prose, and a tenth of the labelled documents, whose few words would crowd out others."""
    stream = documents(f"tokenizer {seed}")
    for index in range(count):
        document = next(stream)
        if document.family in PROSE or index % 10 == 0:
            yield document.text


def prose(grammar: Grammar, family: str) -> Document:
    """One document of a prose family; `h` and `m` are the people in it unless its template names others."""
    cast = {"h": grammar.pick("name"), "m": grammar.pick("name")}
    return without_brackets(family, grammar.expand(f"{family}-doc", cast))


def without_brackets(family: str, written: str) -> Document:
    """Take the brackets around answers out of a text, and give the answers their weight."""
    document = Document(family, "")
    for index, piece in enumerate(re.split(r"( ?\[[^]]*\])", written)):
        start = len(document.text)
        if index % 2:
            document.text += piece.replace("[", "").replace("]", "")
            document.stretches.append(Stretch(start, len(document.text), BRACKETED[family], family))
        else:
            document.text += piece
    return document


def heldout(family: str, seed: str, count: int, split: Split = "heldout") -> list[Document]:
    """Documents of one family in templates and words that training never sees."""
    rng = random.Random(f"heldout {family} {seed}")
    grammar = Grammar(rules(), split, rng)
    if family in PROSE:
        return [prose(grammar, family) for _ in range(count)]
    return [LABELLED[family][0](grammar, rng) for _ in range(count)]
