"""Tokens as people read them: a visible sign for a line break, lyrics laid out in lines.

Text only. Nothing here draws, opens a widget, or counts anything.
"""

from __future__ import annotations

from collections.abc import Iterable

NEWLINE_SIGN = "↵"


def token_label(token: object) -> str:
    """Return how a token, or a context (a tuple of tokens), is written in a picture.

    >>> token_label("\\n"), token_label(("on", "the"))
    ('↵', 'on the')
    """
    if isinstance(token, tuple | list):
        return " ".join(token_label(part) for part in token)
    return str(token).replace("\n", NEWLINE_SIGN)


def lyrics_text(tokens: Iterable[object]) -> str:
    """Join tokens with spaces, one line of text per line of the song, without blank lines at the ends.

    >>> print(lyrics_text(["\\n", "Rain", "again", "\\n", "Sun"]))
    Rain again
    Sun
    """
    lines = " ".join(str(token) for token in tokens).split("\n")
    return "\n".join(line.strip() for line in lines).strip("\n")
