"""Objects of the student's that an earlier test made and a later one uses: the earlier test is run again first.

Each check has its own copy of the student's process, and what one made is gone with its copy. In a notebook it would
still be there. So where a check says a name whose value is, or holds, such an object, the tests that bound the names
it needs run once more against the check's own copy, quietly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from grading_utils.boundary.tester.likenesses import ExceptionKind
from grading_utils.boundary.tester.standins import is_stand_in
from grading_utils.jobs import Cell

_DEEPEST = 3
_MOST_PARTS = 1000
_EVERYTHING = ((1, 1 << 30),)


def is_lost(names: dict[str, Any], mentioned: Iterable[str]) -> bool:
    """Does one of these names hold an object of a conversation that has ended?"""
    return any(_holds(dict.get(names, name), _DEEPEST) for name in mentioned)


def told_apart(cell: Cell, earlier: Iterable[Cell]) -> Cell:
    """The check, as a hidden one where a hidden one is run again before it: what it says could repeat that one's."""
    hidden = any(test.hidden_lines for test in earlier)
    return msgspec.structs.replace(cell, hidden_lines=_EVERYTHING) if hidden else cell


def _holds(value: Any, deepest: int) -> bool:
    if is_stand_in(value):
        return not value._boundary_link.is_usable
    if isinstance(type(value), ExceptionKind):
        return not type(value)._boundary_link.is_usable
    if deepest == 0:
        return False
    if isinstance(value, dict):
        parts: Iterable[Any] = list(value.values())
    elif isinstance(value, list | tuple | set | frozenset | deque):
        parts = value
    elif type(value).__module__ == "__main__":
        parts = list(getattr(value, "__dict__", {}).values())
    else:
        return False
    return any(_holds(part, deepest - 1) for part, _ in zip(parts, range(_MOST_PARTS), strict=False))
