"""Do two objects of the tester's look alike? Told from their types and plain contents, without running their code."""

from __future__ import annotations

import sys
from collections import deque
from typing import Any

LISTS = (list, tuple, deque)


def state_of(value: Any) -> dict[str, Any]:
    """The attributes of an instance, those in slots included."""
    state = object.__getstate__(value)
    parts = state if isinstance(state, tuple) else (state,)
    return {name: held for part in parts if isinstance(part, dict) for name, held in part.items()}


def is_same(one: Any, other: Any, seen: set[tuple[int, int]]) -> bool:
    """Does a copy still look like its original? Of what nothing is known but its type, the type decides."""
    if one is other or (id(one), id(other)) in seen:
        return True
    if type(one) is not type(other):
        return False
    seen.add((id(one), id(other)))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key], seen) for key in one)
    if isinstance(one, LISTS):
        return len(one) == len(other) and all(is_same(*pair, seen) for pair in zip(one, other, strict=True))
    if isinstance(one, set | frozenset):
        return len(one) == len(other)
    if isinstance(one, bool | int | float | complex | str | bytes | bytearray):
        return bool(one == other) or one != one
    if type(one).__module__ == "__main__":
        return is_same(state_of(one), state_of(other), seen)
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
