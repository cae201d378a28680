"""Exceptions across the boundary: the same builtin type with the same arguments, never code.

A class of the student's own arrives as its nearest builtin base, with its name before the message. What would end
the tester (`SystemExit`, `KeyboardInterrupt`) arrives as `StudentError`.
"""

from __future__ import annotations

import builtins
from typing import Annotated, Any

import msgspec

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.codec import Decoder, Encoder
from grading_utils.boundary.wire.errors import StudentError
from grading_utils.boundary.wire.references import TooLarge

_BUILTIN: dict[str, type[BaseException]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, BaseException) and kind.__name__ == name
}
_LONGEST = 4000
_MOST_LINES = 1 << 30
ENDS_OF_ITERATION = (StopIteration, StopAsyncIteration)
"""Where a loop, `map` or `zip` of a test's own runs into one of these, it ends as if all had been well."""


class Raised(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An exception, as data."""

    name: nodes.Name
    """Name of its class."""
    base: nodes.Name
    """Nearest builtin class that it derives from."""
    arguments: list[nodes.Value] | None
    """`args`, where the class is builtin and they are plain data."""
    text: Annotated[str, msgspec.Meta(max_length=_LONGEST)]
    """`str()` of it."""
    frames: Annotated[list[Annotated[str, msgspec.Meta(max_length=400)]], msgspec.Meta(max_length=20)] = []
    """Where in the student's cells it was raised, for people to read."""
    object: nodes.Value = None
    """A reference to it, where its class is not builtin and it lives in the sender's process."""
    cause: Raised | None = None
    """What it was raised from, where the code says so."""


def describe(
    error: BaseException, encoder: Encoder, frames: list[str] | None = None, *, refers: bool = False
) -> Raised:
    """An exception as data; with `refers` also a reference to it where its class is not builtin."""
    kind = type(error)
    base = next((b for b in kind.__mro__ if _BUILTIN.get(b.__name__) is b), Exception)
    arguments = None
    try:
        arguments = [encoder.value(argument) for argument in _arguments(error)[:20]]
    except TooLarge:
        arguments = None
    if arguments and any(isinstance(argument, nodes.Remote) for argument in arguments):
        arguments = None
    itself = encoder.refer(error) if refers and base is not kind else None
    name, text = _plain(kind.__name__)[:200], _plain(_text(error))[:_LONGEST]
    return Raised(name, base.__name__, arguments, text, frames or [], itself)


def rebuild(raised: Raised, decoder: Decoder) -> Exception:
    """The exception to raise on this side."""
    error = _rebuilt(raised, decoder)
    if raised.cause is not None and not isinstance(raised.object, nodes.Own):
        error.__cause__ = _rebuilt(raised.cause, decoder)
    return error


def _rebuilt(raised: Raised, decoder: Decoder) -> Exception:
    if raised.object is not None and isinstance(known := decoder.value(raised.object), Exception):
        if not isinstance(raised.object, nodes.Own):
            known.args = tuple(decoder.value(argument) for argument in raised.arguments or [raised.text])
            vars(known)["_boundary_text"] = raised.text
        return known
    base = _BUILTIN.get(raised.base, Exception)
    text = raised.text if raised.name == raised.base else f"{raised.name}: {raised.text}"
    if not issubclass(base, Exception) or issubclass(base, BaseExceptionGroup):
        return StudentError(text if raised.name != raised.base else f"{raised.name}: {text}")
    if raised.arguments is not None and raised.name == raised.base:
        arguments = [decoder.value(argument) for argument in raised.arguments]
        if issubclass(base, SyntaxError) and not _is_place(arguments[1:]):
            return base(text)
        try:
            return base(*arguments)
        except Exception:
            return StudentError(text)
    try:
        return base(text)
    except Exception:  # UnicodeDecodeError and the like can't be made from a text
        nearest = next(kind for kind in base.__mro__[1:] if kind in (ValueError, OSError, Exception))
        return nearest(text)


def _is_place(details: list[Any]) -> bool:
    """Can Python's own machinery show a syntax error with these details? File, line, column, text and so on."""
    kinds = (str, int, int, str, int, int)
    given: Any = details[0] if len(details) == 1 and type(details[0]) is tuple else details and (...,)
    return len(given) <= len(kinds) and all(
        value is None or (type(value) is kind and (type(value) is not int or 0 <= value < _MOST_LINES))
        for value, kind in zip(given, kinds, strict=False)
    )


def _arguments(error: BaseException) -> tuple[object, ...]:
    """What its class needs to make it again: an OSError keeps the file's name outside `args`."""
    if isinstance(error, OSError) and len(error.args) == 2 and error.filename is not None:
        return (*error.args, error.filename)
    return error.args


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "its text could not be made"


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
