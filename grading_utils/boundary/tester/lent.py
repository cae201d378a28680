"""Objects of a test's own classes that student code is lent: copies, wherever it has to leave the originals alone.

Data travels as a copy anyway. An instance of a class of the notebook's stays in the tester, and student code uses its
attributes, items and methods from afar; without a copy it could empty the object from which the test then works out
what is right. What comes back is the original again, so `f(node) is node` holds.
"""

from __future__ import annotations

import copy
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from grading_utils.boundary.tester.standins import is_stand_in

_LISTS = (list, tuple, deque)
_MOST_PARTS = 100_000


class Uncopyable(Exception):
    """There is no copy of an object to be had."""


class Lent:
    """What is lent in one conversation, by the number of the original."""

    def __init__(self) -> None:
        self._copies: dict[int, object] = {}
        self._memo: dict[int, Any] = {}
        self._originals: dict[int, object] = {}

    def begin(self) -> None:
        """What is lent from now on is copied as it is now."""
        self._memo = {}

    def lend(self, number: int, original: object) -> None:
        """Have student code use a copy of object `number`.

        Raises:
            Uncopyable: There is none.
        """
        if id(original) not in self._memo:
            _leave_out_stand_ins(original, self._memo)
            try:
                copy.deepcopy(original, self._memo)
            except Exception as error:
                raise Uncopyable(f"{type(error).__name__}: {error}") from error
            kept = {id(part): part for part in self._memo.get(id(self._memo), ())}
            self._originals |= {id(self._memo[known]): part for known, part in kept.items() if known in self._memo}
        self._copies[number] = self._memo.get(id(original), original)

    def instead_of(self, number: int, original: object) -> object:
        """What student code uses when it says that number."""
        return self._copies.get(number, original)

    def original(self, value: object) -> object:
        """The original of a copy, or of a part of one; anything else as it is."""
        return self._originals.get(id(value), value)

    def were_changed(self, originals: Mapping[int, object]) -> bool:
        """Does any copy differ from its original?

        Args:
            originals: What was lent since `begin`, by number.
        """
        return not all(_is_same(one, self._copies.get(number, one), set()) for number, one in originals.items())


def _leave_out_stand_ins(root: object, memo: dict[int, Any]) -> None:
    """Objects of the student's that hang on an object of the test's are not copied with it."""
    waiting, seen = [root], set[int]()
    while waiting and len(seen) < _MOST_PARTS:
        part = waiting.pop()
        if is_stand_in(part):
            memo[id(part)] = part
        elif id(part) not in seen:
            seen.add(id(part))
            waiting.extend(_parts(part))


def _parts(value: Any) -> Iterable[object]:
    if isinstance(value, dict):
        yield from dict.values(value)
    elif isinstance(value, (*_LISTS, set, frozenset)):
        yield from value
    if type(value).__module__ == "__main__":
        yield from _state(value).values()


def _state(value: Any) -> dict[str, Any]:
    """The attributes of an instance, those in slots included."""
    state = object.__getstate__(value)
    parts = state if isinstance(state, tuple) else (state,)
    return {name: held for part in parts if isinstance(part, dict) for name, held in part.items()}


def _is_same(one: Any, other: Any, seen: set[tuple[int, int]]) -> bool:
    """Does a copy still look like its original? Of what nothing is known but its type, the type decides."""
    if one is other or (id(one), id(other)) in seen:
        return True
    if type(one) is not type(other):
        return False
    seen.add((id(one), id(other)))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key], seen) for key in one)
    if isinstance(one, _LISTS):
        return len(one) == len(other) and all(_is_same(*pair, seen) for pair in zip(one, other, strict=True))
    if isinstance(one, set | frozenset):
        return len(one) == len(other)
    if isinstance(one, bool | int | float | complex | str | bytes | bytearray):
        return bool(one == other) or one != one
    if type(one).__module__ == "__main__":
        return _is_same(_state(one), _state(other), seen)
    return _is_same_data(one, other)


def _is_same_data(one: Any, other: Any) -> bool:
    numpy, torch, pandas = (sys.modules.get(name) for name in ("numpy", "torch", "pandas"))
    if numpy is not None and isinstance(one, numpy.ndarray):
        return one.shape == other.shape and bool(numpy.array_equal(one, other))
    if torch is not None and isinstance(one, torch.Tensor):
        return bool(torch.equal(one, other))
    if pandas is not None and isinstance(one, pandas.DataFrame | pandas.Series):
        return bool(one.equals(other))
    return True
