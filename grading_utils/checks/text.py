"""`check_text`: compare two strings and point at the first difference, invisible characters included.

It compares text only; it has no opinion on wording or spelling.
"""

from __future__ import annotations

import unicodedata
from typing import Any

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
        AssertionError: Says in what the texts differ, and shows the first difference.
    """
    if is_plain(actual, bytes):
        raise AssertionError(f"{name} is bytes, not text: decode it with .decode('utf-8').")
    if is_plain(actual, list, tuple) and len(actual) == 1 and is_plain(actual[0], str):
        raise AssertionError(f"{name} is a list with one string in it; take the string itself, with [0].")
    if not is_plain(actual, str):
        raise AssertionError(f"{name} should be a string, but it is {describe(actual)}.")
    mine, right = str.__str__(actual), expected
    if ignore_whitespace:
        mine, right = " ".join(mine.split()), " ".join(right.split())
    if ignore_case:
        mine, right = mine.casefold(), right.casefold()
    if mine != right:
        raise AssertionError(f"{name} {_reason(mine, right)}")


def _reason(mine: str, right: str) -> str:
    if not mine:
        return f"is empty, but should be {_short(right)}."
    if mine.replace("\r\n", "\n") == right.replace("\r\n", "\n"):
        return r"differs only in its line endings: use '\n', not '\r\n'."
    if mine.strip() == right.strip():
        return f"differs only at its ends, in spaces or line breaks: {_ends(mine)} instead of {_ends(right)}."
    if "".join(mine.split()) == "".join(right.split()):
        return f"differs only in spaces or line breaks. {_first_difference(mine, right)}"
    if unicodedata.normalize("NFKC", mine) == unicodedata.normalize("NFKC", right):
        return f"differs only in how the same characters are encoded. {_first_difference(mine, right)}"
    if mine.casefold() == right.casefold():
        return f"differs only in upper and lower case. {_first_difference(mine, right)}"
    if mine.startswith(right):
        return f"is right at first, but goes on with {_short(mine[len(right) :])}."
    if right.startswith(mine):
        return f"is right as far as it goes, but stops before {_short(right[len(mine) :])}."
    if "Ġ" in mine and "Ġ" not in right:
        return "shows the tokenizer's own spelling, with 'Ġ' for a space: use tokenizer.decode on the ids."
    return f"is not the expected text. {_first_difference(mine, right)}"


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
