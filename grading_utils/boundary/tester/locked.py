"""Is an object part of what the instructor's locked cells have bound? Student code changes none of that, ever.

A test may hand a row of a locked table to a student's function. Even where the check lets the function change its
arguments, the table is the next check's, too.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

_MOST_PARTS = 200_000
_CONTAINERS = (list, tuple, set, frozenset, deque)


def belongs_to(value: object, bound: Iterable[object]) -> bool:
    """Can `value`, or memory that it shares, be reached from one of the objects `bound`?

    What lies deeper than some hundred thousand parts is taken to be reachable.
    """
    seen: set[int] = set()
    waiting = list(bound)
    while waiting:
        found = waiting.pop()
        if found is value or _shares_memory(found, value):
            return True
        if id(found) in seen:
            continue
        if len(seen) > _MOST_PARTS:
            return True
        seen.add(id(found))
        waiting.extend(_parts(found))
    return False


def _parts(value: Any) -> Iterator[object]:
    """What a container or an instance of a class of the notebook's holds."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, _CONTAINERS):
        yield from value
    elif type(value).__module__ == "__main__":
        yield from vars(value).values() if hasattr(value, "__dict__") else ()


def _shares_memory(one: Any, other: Any) -> bool:
    """Are these two arrays, or two tensors, on the same memory?"""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and isinstance(one, numpy.ndarray) and isinstance(other, numpy.ndarray):
        return bool(numpy.may_share_memory(one, other))
    if torch is not None and isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return bool(one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr() != 0)
    return False
