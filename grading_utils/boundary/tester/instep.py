"""Keeps lists, dicts and sets that a test changes in step with the student's object that they came from.

An attribute or a global name that holds plain data arrives as a copy. Where a test changes it in place
(`shelf.books.append("x")`), the student's process is told before it is asked anything else. Only what was fetched
since the last call counts: student code may have changed it since.
"""

from __future__ import annotations

from typing import Any

from grading_utils.boundary.wire.operations import IN_PLACE

_MOST_PARTS = 1000
_FLAT = frozenset({int, float, str, bool, bytes, type(None)})


class InStep:
    """What was fetched in one conversation since its last call, by where it came from."""

    def __init__(self) -> None:
        self._fetched: dict[tuple[int | None, str], tuple[Any, Any]] = {}

    def note(self, owner: int | None, name: str, value: Any) -> None:
        """Remember a value as it was sent.

        Args:
            owner: Number of the object whose attribute it is; None for a global name.
            name: Of the attribute, or the global name.
            value: What the test was given.
        """
        if type(value) in IN_PLACE and len(value) <= _MOST_PARTS and _is_flat(value):
            self._fetched[owner, name] = value, value.copy()
        else:
            self._fetched.pop((owner, name), None)

    def changed(self) -> list[tuple[int | None, str, Any]]:
        """What the test has changed since: owner, name and value."""
        if not self._fetched:
            return []
        pairs = self._fetched.items()
        found = [(*place, value) for place, (value, before) in pairs if not _is_flat(value) or value != before]
        for owner, name, value in found:
            self._fetched[owner, name] = value, value.copy()
        return found

    def forget(self) -> None:
        """Student code runs, and may change all of it."""
        self._fetched.clear()


def _is_flat(value: Any) -> bool:
    parts = (*value, *value.values()) if type(value) is dict else value
    return all(type(part) in _FLAT for part in parts)
