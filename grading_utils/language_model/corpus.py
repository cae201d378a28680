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

from grading_utils.language_model.aligned import aligned_text
from grading_utils.language_model.grammar import Grammar, Rule, Split, load_rules
from grading_utils.language_model.labelled import (
    ANY,
    FIRST_DIRECTIONS,
    LISTED,
    Document,
    Stretch,
    labelled_reviews,
    recalled_pairs,
    sorted_words,
)

PROSE = {
    "plan": 7, "everyday": 9, "saying": 6, "person": 10, "city": 8, "story": 9, "news": 7,
    "fact": 12, "review": 6, "talk": 6,
}  # fmt: skip
"""Families written by one rule, `<family>-doc`, with their shares: what the rule writes is counted, not documents."""
OPEN = ("plan", "everyday", "saying", "person", "city", "story", "news")
"""Families in which another text of the family may follow in the same document."""
GOES_ON = 0.7
"""How often one follows: open texts seldom end, so that what is likely comes again when a model writes them."""
LABELLED: dict[str, tuple[Callable[[Grammar, random.Random, str], Document], int]] = {
    "labelled reviews": (labelled_reviews, 14),
    "sorted words": (sorted_words, 4),
    "recall": (recalled_pairs, 6),
}
"""Families in which a label is to be found from the document, with their writers and shares."""
ALIGNED = {"aligned": (aligned_text, 2)}
"""The family with runs of spaces in it, likewise."""
LAST = {"city": 10, "news": 9, "saying": 8, "labelled reviews": 26, "recall": 8}
"""Shares in the last phase, where they differ."""

FIRST_DOCUMENTS = 44_000
"""So many documents have the labels of `FIRST_DIRECTIONS`; somewhat more than a quarter of them."""
BRACKETED = {"fact": 3.0, "review": 3.0, "talk": 4.0}
"""Families with [brackets] in their templates, and how many ordinary tokens one token inside weighs in the loss."""


@cache
def rules() -> dict[str, Rule]:
    """All words and templates of the package."""
    return load_rules(Path(__file__).parent)


def documents(seed: str, *, last: bool = False) -> Iterator[Document]:
    """Endless training documents; the same seed gives the same ones.

    Args:
        seed: Any text.
        last: Those of the last phase: with shares of its own, and with any words as labels.
    """
    rng = random.Random(f"corpus {seed}")
    running, labelled = Grammar(rules(), "running", rng), Grammar(rules(), "labelled", rng)
    given = PROSE | {name: share for name, (_, share) in (LABELLED | ALIGNED).items()} | (LAST if last else {})
    shares = [share * (1 - GOES_ON if name in OPEN else 1) for name, share in given.items()]
    for index in itertools.count():
        name = rng.choices([*given], shares)[0]
        if name in PROSE:
            yield prose(running, name, rng if name in OPEN else None)
        elif name in ALIGNED:
            yield ALIGNED[name][0](labelled, rng)
        elif name == "labelled reviews" and index < FIRST_DOCUMENTS and not last:
            yield labelled_reviews(labelled, rng, directions=FIRST_DIRECTIONS)
        else:
            yield LABELLED[name][0](labelled, rng, ANY if last else LISTED)


def tokenizer_texts(seed: str, count: int) -> Iterator[str]:
    """Texts for the tokenizer: of labelled documents only a tenth, as their few words would crowd out others."""
    stream = documents(f"tokenizer {seed}")
    for index in range(count):
        document = next(stream)
        if document.family not in LABELLED or index % 10 == 0:
            yield document.text


def prose(grammar: Grammar, family: str, rng: random.Random | None = None) -> Document:
    """One document of a prose family.

    Args:
        grammar: In one of its splits.
        family: One of `PROSE`.
        rng: Decides how often another text follows; None for a document of one text.
    """
    written = _one_text(grammar, family)
    while rng is not None and rng.random() < GOES_ON:
        following = _one_text(grammar, family)
        written += ("\n\n" if "\n" in written + following else " ") + following
    return without_brackets(family, written)


def _one_text(grammar: Grammar, family: str) -> str:
    """What a family's rule writes; `h` and `m` are the people in it unless its template names others."""
    cast = {"h": grammar.pick("name")}
    while "m" not in cast or cast["m"] is cast["h"]:
        cast["m"] = grammar.pick("name")
    return grammar.expand(f"{family}-doc", cast)


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
    if family in ALIGNED:
        return [ALIGNED[family][0](grammar, rng) for _ in range(count)]
    return [LABELLED[family][0](grammar, rng, LISTED) for _ in range(count)]
