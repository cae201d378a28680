"""Which submissions the report says to look at for code in common."""

from __future__ import annotations

import pytest

from grading_utils.reporting.similarity import COMMON, similar_pairs

RELEASED = (
    "from collections import Counter\n\ndef load(path):\n    with open(path) as file:\n        return file.read()\n"
)
COPIED = """
def merge(tokens, pair):
    merged, index = [], 0
    while index < len(tokens):
        if index + 1 < len(tokens) and (tokens[index], tokens[index + 1]) == pair:
            merged.append(pair[0] + pair[1])
            index += 2
        else:
            merged.append(tokens[index])
            index += 1
    return merged
"""
OWN = """
def merge(tokens, pair):
    text = chr(0).join(tokens)
    for left, right in [pair]:
        text = text.replace(left + chr(0) + right, left + right)
    return text.split(chr(0)) if text else []
"""


def renamed(code: str) -> str:
    for old, new in (("merged", "out"), ("index", "i"), ("tokens", "words"), ("pair", "two")):
        code = code.replace(old, new)
    return code


def test_a_renamed_copy_is_found_and_a_solution_of_ones_own_is_not() -> None:
    (pair,) = similar_pairs(RELEASED, {"ann": RELEASED + COPIED, "bo": renamed(COPIED), "cy": RELEASED + OWN})
    assert pair.students == ("ann", "bo")
    assert min(pair.shares) > 0.7  # which windows are compared depends on Python's hashes of this run
    assert "while index < len(tokens)" in pair.piece
    assert "open(path)" not in pair.piece


def test_code_that_everybody_was_given_means_nothing() -> None:
    assert similar_pairs(RELEASED + COPIED, {"ann": RELEASED + COPIED, "bo": renamed(COPIED)}) == []


def test_code_that_many_wrote_means_nothing() -> None:
    assert similar_pairs("", {f"s{n}": COPIED for n in range(COMMON + 1)}) == []


@pytest.mark.parametrize("code", ["", "\0\0", "def (", "é" * 200, "'''", "x = 1\n" * 3])
def test_whatever_stands_in_a_notebook_is_compared(code: str) -> None:
    assert similar_pairs("", {"ann": code, "bo": COPIED, "cy": ""}) == []


def test_lines_of_nothing_keep_neither_a_copy_hidden_nor_the_report_waiting() -> None:
    hidden = COPIED.replace("\n", "\n" + " \n" * 1_500)
    (pair,) = similar_pairs(RELEASED, {"ann": COPIED, "bo": hidden})
    assert pair.students == ("ann", "bo")
    assert similar_pairs(RELEASED, {"ann": COPIED, "cy": " \n" * 60_000 + OWN}) == []
