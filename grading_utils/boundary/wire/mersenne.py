"""The state of Python's own generators, read and written as one block of memory.

`getstate` and `setstate` make and take a tuple of 625 numbers, which takes longer than most calls of a student's
function. Where this CPython keeps the state as it always has, right behind the object's head, the block is copied as
it is; elsewhere the same bytes are made from that tuple.

A state that comes in is hostile: its position must lie inside of it.
"""

from __future__ import annotations

import array
import ctypes
import random
import sys
from typing import Any, Final

State = tuple[bytes, float | None]
"""The position and 624 words as unsigned 32-bit numbers of this machine, and what `gauss` has kept for next time."""

_LENGTH: Final = 624
_BYTES: Final = 4 * (1 + _LENGTH)
_VERSION: Final = 3


def read(generator: random.Random) -> State:
    """The state of a generator."""
    if _KNOWS_LAYOUT:
        return _block(generator), generator.gauss_next  # type: ignore[attr-defined]
    _, words, gauss = generator.getstate()
    return _packed(words), gauss


def write(generator: random.Random, state: Any) -> None:
    """Give a generator a state that may come from the other side.

    Raises:
        ValueError: It is none.
    """
    if type(state) is not tuple or len(state) != 2 or type(state[0]) is not bytes or len(state[0]) != _BYTES:
        raise ValueError("not the state of a generator")
    block, gauss = state
    if not (gauss is None or type(gauss) is float):
        raise ValueError("not the state of a generator")
    position = int.from_bytes(block[:4], sys.byteorder)
    if position > _LENGTH:
        raise ValueError("a generator's position lies outside its state")
    if _KNOWS_LAYOUT:
        ctypes.memmove(_address(generator), block, _BYTES)
        generator.gauss_next = gauss  # type: ignore[attr-defined]
    else:
        generator.setstate((_VERSION, (*array.array("I", block[4:]), position), gauss))


def _packed(words: tuple[int, ...]) -> bytes:
    return array.array("I", (words[-1], *words[:-1])).tobytes()


def _address(generator: random.Random) -> int:
    return id(generator) + object.__basicsize__


def _block(generator: random.Random) -> bytes:
    return ctypes.string_at(_address(generator), _BYTES)


def _knows_layout() -> bool:
    """Is the state where CPython has kept it so far?"""
    if sys.implementation.name != "cpython" or random.Random().__sizeof__() < object.__basicsize__ + _BYTES:
        return False
    one = random.Random(1)
    for _ in range(3):
        one.random()
        if _block(one) != _packed(one.getstate()[1]):
            return False
    return True


_KNOWS_LAYOUT: Final = _knows_layout()
