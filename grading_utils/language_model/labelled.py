"""Documents whose mapping can only be learned from the document itself: labelled reviews, sorted words, recall.

The labels of a document are drawn anew for it, so the weights cannot store what they mean. A label counts more
in the training loss than other tokens, and not at all where nothing before it tells which label it will be.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from grading_utils.language_model.grammar import Grammar

LABEL_WEIGHT = 6.0
"""How many ordinary tokens one label weighs in the training loss."""
KINDS = ("animal", "fruit", "vegetable", "instrument", "city", "name", "color", "month", "day", "clothes", "job",
         "material", "food", "body", "tool", "vehicle", "bird", "tree", "flower", "feeling", "building", "number",
         "sport", "subject", "verb-alone", "relation")  # fmt: skip


@dataclass
class Document:
    """One training text, with the stretches of it that the loss weighs differently from 1."""

    family: str
    text: str
    weights: list[tuple[int, int, float]] = field(default_factory=list)
    """`(first character, last character + 1, weight)`."""


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


def labelled_reviews(grammar: Grammar, rng: random.Random) -> Document:
    """Reviews with labels whose names, sides and layout belong to this document alone."""
    labels = draw_labels(grammar, rng)
    # A third of the documents is short and simple: there the rule is learned first.
    length = rng.choice((3, 4, 6, 8))
    kind = "opinion" if rng.random() < 0.5 else "review"
    layout = draw_layout(grammar, rng)
    examples = []
    for _ in range(12 if kind == "opinion" else length):
        side = rng.choice("+-")
        examples.append((side, grammar.expand(f"{kind}{side}", {}), labels[side]))
    return write_examples("labelled reviews", layout, examples)


def sorted_words(grammar: Grammar, rng: random.Random) -> Document:
    """Words of two or three kinds, each kind with a label of this document."""
    kinds = rng.sample(KINDS, rng.choice((2, 2, 3)))
    labels = _different_words(grammar, len(kinds))
    if rng.random() < 0.2:
        labels = list(kinds)
    layout = Layout("", ":", "\n") if rng.random() < 0.5 else draw_layout(grammar, rng)
    examples = []
    for _ in range(rng.randint(8, 16)):
        index = rng.randrange(len(kinds))
        examples.append((kinds[index], grammar.expand(kinds[index], {}), labels[index]))
    return write_examples("sorted words", layout, examples)


def recalled_pairs(grammar: Grammar, rng: random.Random) -> Document:
    """Keys with values, then the same keys again: the values have to be looked up."""
    keys = _different_words(grammar, rng.randint(3, 6)) if rng.random() < 0.5 else _different(grammar, "name", 4)
    values = _different_words(grammar, len(keys))
    layout = Layout("", rng.choice((":", " =", " has", " likes")), rng.choice(("\n", ". ", ", ")))
    order = [*range(len(keys)), *(rng.randrange(len(keys)) for _ in range(rng.randint(6, 12)))]
    return write_examples("recall", layout, [(keys[i], keys[i], values[i]) for i in order])


def draw_labels(grammar: Grammar, rng: random.Random) -> dict[str, str]:
    """A label for `+` and one for `-`: half the time two words that mean nothing here."""
    if rng.random() < 0.5:
        first, second = _different_words(grammar, 2)
        return {"+": first, "-": second}
    pair = grammar.pick("label-pair").cells
    labels = {"+": pair["good"], "-": pair["bad"]}
    if rng.random() < 0.35:
        labels = {"+": labels["-"], "-": labels["+"]}
    if rng.random() < 0.15:
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


def write_examples(family: str, layout: Layout, examples: Sequence[tuple[str, str, str]]) -> Document:
    """Write examples below each other.

    Args:
        family: The name under which the document is counted.
        layout: How an example is written.
        examples: `(class, content, label)`; a label's weight is 0 where its class has not been seen before.
    """
    document = Document(family, layout.opening)
    seen: set[str] = set()
    for kind, content, label in examples:
        document.text += layout.example(content)
        start = len(document.text)
        document.text += f" {label}"
        document.weights.append((start, len(document.text), LABEL_WEIGHT if kind in seen else 0.0))
        document.text += layout.after
        seen.add(kind)
    document.text = document.text.rstrip("\n") + "\n" if layout.after.endswith("\n") else document.text
    return document


def _different_words(grammar: Grammar, count: int) -> list[str]:
    return _different(grammar, "label-word", count)


def _different(grammar: Grammar, rule: str, count: int) -> list[str]:
    found: list[str] = []
    while len(found) < count:
        word = grammar.expand(rule, {})
        if word not in found:
            found.append(word)
    return found
