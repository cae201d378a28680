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
_LEAVES = frozenset({str, int, float, bool, bytes, complex, type(None)})


class Parts:
    """All that can be reached from some objects at one moment; it keeps alive what it found.

    Args:
        bound: The objects.
    """

    def __init__(self, bound: Iterable[object]) -> None:
        self._found: dict[int, object] = {}
        self._memory: list[Any] = []
        self._is_endless = False
        count = 0
        waiting = list(bound)
        while waiting:
            part = waiting.pop()
            count += 1
            if count > _MOST_PARTS:
                self._is_endless = True
                return
            if type(part) in _LEAVES or id(part) in self._found:
                continue
            self._found[id(part)] = part
            if _is_array(part) or _is_tensor(part):
                self._memory.append(part)
            waiting.extend(_parts(part))

    def have(self, value: object) -> bool:
        """Is `value`, or memory that it shares, among them?

        What lies deeper than some hundred thousand parts is taken to be.
        """
        if self._is_endless or id(value) in self._found:
            return True
        is_block = _is_array(value) or _is_tensor(value)
        return is_block and any(_shares_memory(part, value) for part in self._memory)


def _parts(value: Any) -> Iterator[object]:
    """What a container or an instance of a class of the notebook's holds."""
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, _CONTAINERS):
        yield from value
    elif type(value).__module__ == "__main__":
        yield from vars(value).values() if hasattr(value, "__dict__") else ()


def _is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _is_tensor(value: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _shares_memory(one: Any, other: Any) -> bool:
    """Are these two arrays, or two tensors, on the same memory?"""
    if _is_array(one) and _is_array(other):
        return bool(sys.modules["numpy"].may_share_memory(one, other))
    if _is_tensor(one) and _is_tensor(other):
        return bool(one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr() != 0)
    return False
