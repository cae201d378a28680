"""Documents whose mapping can only be learned from the document itself: labelled reviews, sorted words, recall.

The labels of a document are drawn anew for it, so the weights cannot store what they mean. A label counts more
in the training loss than other tokens, and not at all where nothing before it tells which label it will be.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from grading_utils.language_model.grammar import Grammar

LABEL_WEIGHT = 4.0
"""How many ordinary tokens one label weighs in the training loss."""
READ_ONLY = 0.7
"""Share of the labelled reviews in which nothing but the labels is learned: their words are learned in prose."""
DIRECTIONS: Mapping[str, int] = {"natural": 45, "flipped": 15, "arbitrary": 40}
"""What the labels of reviews mean, in a hundred documents: as in English, the opposite, or nothing outside of it."""
FIRST_DIRECTIONS: Mapping[str, int] = {"natural": 90, "flipped": 0, "arbitrary": 10}
"""The same in the first documents, where it is learned which words are praise: that is easier with fixed labels."""
LISTED, ANY = "label-word", "any-label"
"""Rules for labels that mean nothing outside of their document: listed words; any words, made-up ones among them."""
SIZES = {"adj": (8, 16), "opinion": (6, 14), "review": (3, 8)}
"""Kinds of labelled texts, from one word to some sentences, with the least and the most of them in a document."""
KINDS = ("animal", "fruit", "vegetable", "instrument", "city", "name", "color", "month", "day", "clothes", "job",
         "material", "food", "body", "tool", "vehicle", "bird", "tree", "flower", "feeling", "building", "number",
         "sport", "subject", "verb-alone", "relation")  # fmt: skip


class Stretch(NamedTuple):
    """A part of a text that the loss weighs differently from the rest of its document."""

    start: int
    end: int
    """The last character + 1."""
    weight: float
    target: str
    """What is to be found there; progress is counted by it."""


@dataclass
class Document:
    """One training text."""

    family: str
    text: str
    stretches: list[Stretch] = field(default_factory=list)
    """In the order of the text, without overlap."""
    weight: float = 1.0
    """The loss weight of all other tokens."""


@dataclass(frozen=True)
class Layout:
    """How the examples of one document are written down."""

    before: str
    between: str
    after: str
    opening: str = ""

    def example(self, content: str, label: str = "") -> str:
        """One example; without a label it ends where the model has to go on."""
        head = f"{self.before}{content}{self.between}"
        return f"{head} {label}{self.after}" if label else head


COURSE_LAYOUT = Layout("Review: ", "\nDecision:", "\n\n")
"""The layout of the course's few-shot prompts."""


def labelled_reviews(
    grammar: Grammar, rng: random.Random, words: str = LISTED, directions: Mapping[str, int] = DIRECTIONS
) -> Document:
    """Reviews with labels whose names, sides and layout belong to this document alone.

    Args:
        grammar: In one of its splits.
        rng: The source of chance.
        words: The rule for labels that mean nothing: `LISTED` or `ANY`.
        directions: How often the labels mean what.
    """
    direction = rng.choices(list(directions), list(directions.values()))[0]
    labels = draw_labels(grammar, rng, direction, words)
    kind = rng.choices(list(SIZES), (2, 5, 3))[0]
    layout = COURSE_LAYOUT if rng.random() < 0.2 else draw_layout(grammar, rng)
    sides = [rng.choice("+-") for _ in range(rng.randint(*SIZES[kind]))]
    examples = [(side, grammar.expand(f"{kind}{side}", {}), labels[side]) for side in sides]
    document = write_examples("labelled reviews", layout, examples, f"{direction} label")
    document.weight = 0.0 if rng.random() < READ_ONLY else 1.0
    return document


def sorted_words(grammar: Grammar, rng: random.Random, words: str = LISTED) -> Document:
    """Words of two or three kinds, each kind with a label of this document."""
    kinds = rng.sample(KINDS, rng.choice((2, 2, 3)))
    labels = _different(grammar, words, len(kinds))
    if rng.random() < 0.2:
        labels = list(kinds)
    layout = Layout("", ":", "\n") if rng.random() < 0.5 else draw_layout(grammar, rng)
    examples = []
    for _ in range(rng.randint(8, 16)):
        index = rng.randrange(len(kinds))
        examples.append((kinds[index], grammar.expand(kinds[index], {}), labels[index]))
    return write_examples("sorted words", layout, examples, "sorted")


def recalled_pairs(grammar: Grammar, rng: random.Random, words: str = LISTED) -> Document:
    """Keys with values, then the same keys again: the values have to be looked up."""
    keys = _different(grammar, words, rng.randint(3, 6)) if rng.random() < 0.5 else _different(grammar, "name", 4)
    values = _different(grammar, words, len(keys))
    layout = Layout("", rng.choice((":", " =", " has", " likes")), rng.choice(("\n", ". ", ", ")))
    order = [*range(len(keys)), *(rng.randrange(len(keys)) for _ in range(rng.randint(6, 12)))]
    return write_examples("recall", layout, [(keys[i], keys[i], values[i]) for i in order], "recalled")


def draw_labels(grammar: Grammar, rng: random.Random, direction: str, words: str) -> dict[str, str]:
    """A label for `+` and one for `-`, in one of the `DIRECTIONS`; where they mean nothing, by the rule `words`."""
    if direction == "arbitrary":
        first, second = _different(grammar, words, 2)
        return {"+": first, "-": second}
    pair = grammar.pick("label-pair").cells
    labels = {"+": pair["good"], "-": pair["bad"]}
    if direction == "flipped":
        labels = {"+": labels["-"], "-": labels["+"]}
    if rng.random() < 0.1:
        labels = {side: label.capitalize() for side, label in labels.items()}
    return labels


def draw_layout(grammar: Grammar, rng: random.Random) -> Layout:
    """One of the ways in which people write labelled examples."""
    end = rng.choice(("\n", "\n\n", "\n\n"))
    opening = rng.choice(("", "", "", "\n"))
    style = rng.random()
    if style < 0.7:
        space = "" if rng.random() < 0.1 else " "
        head, label_head = grammar.expand("review-head"), grammar.expand("label-head")
        return Layout(f"{head}:{space}", f"\n{label_head}:", end, opening)
    if style < 0.8:
        return Layout("", rng.choice((" =>", " ->", " |", ":", " This is")), end, opening)
    if style < 0.9:
        return Layout("Q: ", "\nA:", end, opening)
    return Layout('"', '" is', rng.choice((".\n", "\n")), opening)


def write_examples(family: str, layout: Layout, examples: Sequence[tuple[str, str, str]], target: str) -> Document:
    """Write examples below each other.

    Args:
        family: The name under which the document is counted.
        layout: How an example is written.
        examples: `(class, content, label)`; a label's weight is 0 where its class has not been seen before.
        target: What the labels are counted as.
    """
    document = Document(family, layout.opening)
    seen: set[str] = set()
    for kind, content, label in examples:
        document.text += layout.example(content)
        start = len(document.text)
        document.text += f" {label}"
        weight = LABEL_WEIGHT if kind in seen else 0.0
        document.stretches.append(Stretch(start, len(document.text), weight, target))
        document.text += layout.after
        seen.add(kind)
    document.text = document.text.rstrip("\n") + "\n" if layout.after.endswith("\n") else document.text
    return document


def _different(grammar: Grammar, rule: str, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        word = grammar.expand(rule, {})
        if word not in found:
            found.append(word)
    return found
