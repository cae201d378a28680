"""`CheckFailed`: what a checker has to say, its own words and the values in it apart.

Students read the text. A grader that may not show everything, because a hidden check is concerned, reads the pieces:
which of them are the checker's words, which the caller's, and which came out of the student's value.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

_ASIDE = re.compile("«(.*?)»", re.DOTALL)


class Origin(StrEnum):
    """Where a piece of a message comes from."""

    WORDS = "words"
    """The checker's own text."""
    NAME = "name"
    """What the caller calls the value: the checker's argument `name`."""
    RIGHT = "right"
    """The caller's other arguments: the expected value, the number of rows."""
    MINE = "mine"
    """The value being checked, and everything that was computed from it."""


@dataclass(frozen=True)
class Piece:
    """A part of a message."""

    text: str
    origin: Origin
    argument: str = ""
    """Which argument of the checker a piece from the caller was made of; empty where it may be any."""
    aside: tuple[int, ...] = ()
    """Numbers of the asides that it stands in, the outermost first; an aside is shown whole or not at all."""


class Phrase(str):
    """A part of a message that is made of pieces itself: `column 'tokens' of your table`; see `CheckFailed`."""

    __slots__ = ("pieces",)
    pieces: tuple[Piece, ...]

    def __new__(
        cls,
        template: str,
        *,
        name: str = "",
        mine: Mapping[str, object] | None = None,
        right: Mapping[str, object] | None = None,
        of: str = "",
    ) -> Phrase:
        """Fill a template."""
        pieces = tuple(_fill(template, name, mine or {}, right or {}, of))
        phrase = super().__new__(cls, "".join(piece.text for piece in pieces))
        phrase.pieces = pieces
        return phrase


class CheckFailed(AssertionError):
    """A check did not pass.

    Args:
        template: The message with `{placeholders}`; a part in «guillemets» is an aside, which the message can do
            without where one of its values may not be shown.
        name: What `{name}` stands for.
        mine: Values of the other placeholders that come from what is checked.
        right: Values that come from the caller.
        of: Which of the checker's arguments `right` was made of, where it is one.
    """

    def __init__(
        self,
        template: str,
        *,
        name: str = "",
        mine: Mapping[str, object] | None = None,
        right: Mapping[str, object] | None = None,
        of: str = "",
    ) -> None:
        self.pieces = tuple(_fill(template, name, mine or {}, right or {}, of))
        super().__init__("".join(piece.text for piece in self.pieces))


def _fill(
    template: str, name: str, mine: Mapping[str, object], right: Mapping[str, object], of: str
) -> Iterator[Piece]:
    for number, part in enumerate(_ASIDE.split(template)):
        aside = (number,) if number % 2 else ()
        for words, field, _, _ in string.Formatter().parse(part):
            if words:
                yield Piece(words, Origin.WORDS, aside=aside)
            if field == "name":
                yield from _pieces(name, Piece("", Origin.NAME, aside=aside))
            elif field is not None and field in mine:
                yield from _pieces(mine[field], Piece("", Origin.MINE, aside=aside))
            elif field is not None:
                yield from _pieces(right[field], Piece("", Origin.RIGHT, of, aside))


def _pieces(value: object, piece: Piece) -> Iterator[Piece]:
    if isinstance(value, Phrase):
        yield from (replace(inner, aside=(*piece.aside, *inner.aside)) for inner in value.pieces)
    else:
        yield replace(piece, text=str(value))
