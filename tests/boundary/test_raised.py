"""Exceptions on the wire: each arrives as one that can be caught as what it is."""

from __future__ import annotations

import builtins
import traceback

import pytest

from grading_utils.boundary.wire import codec
from grading_utils.boundary.wire.errors import StudentError
from grading_utils.boundary.wire.raised import describe, rebuild

from .stand import Stand


def sent_and_raised(error):
    stand = Stand()
    encoder = codec.Encoder(stand)
    got = rebuild(describe(error, encoder), codec.Decoder(stand, b"".join(encoder.bulk)))
    assert isinstance(got, Exception)
    return got


BUILTIN_EXCEPTIONS = [
    kind
    for kind in vars(builtins).values()
    if isinstance(kind, type)
    and issubclass(kind, BaseException)
    and not issubclass(kind, UnicodeEncodeError | UnicodeDecodeError | UnicodeTranslateError | BaseExceptionGroup)
]


@pytest.mark.parametrize("kind", BUILTIN_EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_builtin_exception_arrives_as_an_exception(kind):
    error = kind("text")
    got = sent_and_raised(error)
    if issubclass(kind, Exception):
        assert type(got) is kind
        assert str(got) == str(error)
    else:
        assert type(got) is StudentError
        assert "text" in str(got)


def test_unicode_errors_keep_their_parts():
    got = sent_and_raised(UnicodeDecodeError("utf-8", b"x", 0, 1, "why"))
    assert (type(got), got.object, got.reason) == (UnicodeDecodeError, b"x", "why")


def test_an_exception_whose_text_cannot_be_made_arrives():
    class Broken(ValueError):
        def __str__(self):
            raise RuntimeError

    got = sent_and_raised(Broken())
    assert type(got) is ValueError
    assert str(got).startswith("Broken: ")


@pytest.mark.parametrize(
    "place", [("f", "x", 1, "t"), ("f", 10**400, 1, "t"), ("f", -1, 1, "t"), ("f", 1, [], b"t"), (1,) * 9, 7]
)
def test_a_syntax_error_at_an_impossible_place_arrives_without_it(place):
    error = SyntaxError("odd", ("<file>", 3, 1, "text"))
    assert sent_and_raised(error).lineno == 3
    error.args = ("odd", place)
    got = sent_and_raised(error)
    assert type(got) is SyntaxError
    assert got.lineno is None
    assert str(got).startswith("odd")
    assert traceback.format_exception(got)
