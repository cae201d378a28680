"""Documents in which spaces stand in runs: columns below each other, and indented lists.

They give the tokenizer its tokens for runs of spaces, and the model something to learn about them. Nothing is to be
found out from such a document; what it says comes from the words of the grammar.
"""

from __future__ import annotations

import random

from grading_utils.language_model.grammar import Grammar
from grading_utils.language_model.labelled import Document

COLUMNS = (
    ("name", "city"), ("name", "job", "city"), ("food", "number"), ("animal", "color"), ("day", "sport", "number"),
    ("fruit", "color", "number"), ("city", "month"), ("instrument", "name"), ("clothes", "color"),
)  # fmt: skip
"""Rules of the grammar whose words make up the columns of a table."""
LISTS = ("animal", "fruit", "vegetable", "instrument", "city", "clothes", "job", "tool", "bird", "tree", "flower",
         "sport")  # fmt: skip
INDENTS = (4, 4, 8)
"""Spaces for one level; never two, so that a single space before a word stays a sign that something is odd."""
GAP = (3, 14)
"""The fewest and most spaces between the longest word of a column and the next column."""


def aligned_text(grammar: Grammar, rng: random.Random) -> Document:
    """A table in columns, or a list with indented items."""
    return Document("aligned", _table(grammar, rng) if rng.random() < 0.7 else _indented(grammar, rng))


def _table(grammar: Grammar, rng: random.Random) -> str:
    rules = rng.choice(COLUMNS)
    rows = [[grammar.expand(rule, {}) for rule in rules] for _ in range(rng.randint(3, 6))]
    if rng.random() < 0.6:
        rows.insert(0, list(rules))
    gap = rng.randint(*GAP)
    widths = [max(len(row[column]) for row in rows) + gap for column in range(len(rules))]
    lines = ("".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _indented(grammar: Grammar, rng: random.Random) -> str:
    indent = " " * rng.choice(INDENTS)
    lines = []
    for rule in rng.sample(LISTS, rng.randint(2, 3)):
        lines.append(f"{rule}:")
        for _ in range(rng.randint(1, 3)):
            lines.append(indent + grammar.expand(rule, {}))
            if rng.random() < 0.4:
                lines.append(indent * 2 + grammar.expand("color", {}))
    return "\n".join(lines) + "\n"
