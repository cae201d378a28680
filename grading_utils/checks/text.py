"""`check_text`: compare two strings and point at the first difference, invisible characters included.

It compares text only; it has no opinion on wording or spelling.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from grading_utils.checks.failure import CheckFailed, Phrase
from grading_utils.checks.values import describe, is_plain

_CONTEXT = 15
_SHORT = 40


def check_text(
    actual: Any,
    expected: str,
    *,
    ignore_case: bool = False,
    ignore_whitespace: bool = False,
    name: str = "your text",
) -> None:
    """Check that a string is the expected one.

    Args:
        actual: The student's value.
        expected: The right text.
        ignore_case: Take upper and lower case for equal.
        ignore_whitespace: Take any run of spaces and line breaks for one space, and drop it at both ends.
        name: What the message calls the value.

    Raises:
        CheckFailed: An AssertionError that says in what the texts differ, and shows the first difference.
    """
    if is_plain(actual, bytes):
        raise CheckFailed("{name} is bytes, not text: decode it with .decode('utf-8').", name=name)
    if is_plain(actual, list, tuple) and len(actual) == 1 and is_plain(actual[0], str):
        raise CheckFailed("{name} is a list with one string in it; take the string itself, with [0].", name=name)
    if not is_plain(actual, str):
        raise CheckFailed("{name} should be a string, but it is {found}.", name=name, mine={"found": describe(actual)})
    mine, right = str.__str__(actual), expected
    if ignore_whitespace:
        mine, right = " ".join(mine.split()), " ".join(right.split())
    if ignore_case:
        mine, right = mine.casefold(), right.casefold()
    if mine != right:
        raise CheckFailed("{name} {reason}", name=name, mine={"reason": _reason(mine, right)})


def _reason(mine: str, right: str) -> Phrase:
    where = {"where": _first_difference(mine, right)}
    if not mine:
        return Phrase("is empty, but should be {right}.", right={"right": _short(right)})
    if mine.replace("\r\n", "\n") == right.replace("\r\n", "\n"):
        return Phrase(r"differs only in its line endings: use '\n', not '\r\n'.")
    if mine.strip() == right.strip():
        ends = {"mine": _ends(mine), "right": _ends(right)}
        return Phrase("differs only at its ends, in spaces or line breaks«: {mine} instead of {right}».", mine=ends)
    if "".join(mine.split()) == "".join(right.split()):
        return Phrase("differs only in spaces or line breaks.« {where}»", mine=where)
    if unicodedata.normalize("NFKC", mine) == unicodedata.normalize("NFKC", right):
        return Phrase("differs only in how the same characters are encoded.« {where}»", mine=where)
    if mine.casefold() == right.casefold():
        return Phrase("differs only in upper and lower case.« {where}»", mine=where)
    if mine.startswith(right):
        return Phrase("is right at first, but goes on« with {rest}».", mine={"rest": _short(mine[len(right) :])})
    if right.startswith(mine):
        rest = {"rest": _short(right[len(mine) :])}  # how much of it is left is the student's doing
        return Phrase("is right as far as it goes, but stops too early«, it stops before {rest}».", mine=rest)
    if "Ġ" in mine and "Ġ" not in right:
        return Phrase("shows the tokenizer's own spelling, with 'Ġ' for a space: use tokenizer.decode on the ids.")
    return Phrase("is not the expected text.« {where}»", mine=where)


def _first_difference(mine: str, right: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(mine, right, strict=False)) if a != b), min(len(mine), len(right)))
    start = max(0, at - _CONTEXT)
    line = mine.count("\n", 0, at) + 1
    place = f"character {at + 1}" + (f" (line {line})" if "\n" in mine or "\n" in right else "")
    return f"First difference at {place}: {mine[start : at + _CONTEXT]!r} instead of {right[start : at + _CONTEXT]!r}."


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHORT else text[:_SHORT] + "…")


def _ends(text: str) -> str:
    return repr(text if len(text) <= _SHORT else f"{text[:_CONTEXT]}…{text[-_CONTEXT:]}")
