"""What a check reads of the student's, fetched when its turn comes, in place of a copy of the whole process.

Many checks only look at data: a number, a tensor, a table. Which names such a check will read stands in its text, so
their values can be asked for at the moment at which the process would otherwise be copied. Only names that the visible
part of a check mentions are ever asked for like this: student code still has cells to run and must not learn which
others a hidden part reads. Whether a check can do with this is decided here; `tester` falls back to a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.wire.errors import BoundaryError
from grading_utils.checks.names import mentioned_names

MOST_BYTES = 4 << 20
"""Bulk of one value that is kept for a check whose turn comes later; a larger one stays in a copy of the process."""
MOST_PARTS = 10_000
"""Parts of one such value; 64 characters of text count as one."""
MOST_NAMES = 16
"""A check that mentions more of the student's names gets a copy."""

_REACHES_EVERYTHING = frozenset({"globals", "locals", "vars", "eval", "exec", "dir", "get_ipython", "__main__"})


class Held:
    """Answers what a `Session` answers to a check that reads these names, and no others.

    Args:
        names: All names that are bound in the student's notebook.
        values: What reads the value of a name.
    """

    is_usable = True

    def __init__(self, names: set[str], values: dict[str, Callable[[], Any]]) -> None:
        self._names = names
        self._values = values
        self._read: dict[str, Any] = {}
        self.is_short = False
        """Has the check asked for something that is not held?"""

    def names(self) -> set[str]:
        """Names bound in the student's notebook."""
        return set(self._names)

    def lookup(self, name: str) -> Any:
        """The value of a global name of the student's, or `NameError`."""
        if name not in self._names:
            raise NameError(f"name {name!r} is not defined")
        if name not in self._values:
            self.is_short = True
            raise BoundaryError(f"the value of {name!r} was not fetched")
        if name not in self._read:
            self._read[name] = self._values[name]()
        return self._read[name]

    def bind(self, name: str, value: object) -> None:
        """Assigning concerns nobody: none of the student's code runs during this check."""

    def offer(self, name: str, value: object) -> None:
        """See `bind`."""

    def unbind(self, name: str) -> None:
        """Delete a global name of the student's, or raise `NameError`."""
        if name not in self._names:
            raise NameError(f"name {name!r} is not defined")
        self._names.discard(name)

    def close(self) -> None:
        """Nothing is open."""


def hold(
    session: Session,
    check: str,
    hidden_lines: Iterable[tuple[int, int]],
    defined: frozenset[str],
    known: frozenset[str],
) -> Held | None:
    """Fetch what a check reads; None where it needs a copy of the process.

    Args:
        session: With the student's process, as it is when the check's turn comes.
        check: The check's text, as Python.
        hidden_lines: Which of its lines are hidden, as `(first, last)` from 1.
        defined: Names of functions and classes that the student's cells define.
        known: Names for which the check does not ask the student's process.
    """
    visible = mentioned_names(visible_part(check, hidden_lines)) - known
    all_of_it = mentioned_names(check) - known
    if all_of_it & (defined | _REACHES_EVERYTHING):
        return None
    names = session.names()
    if (all_of_it - visible) & names or len(visible & names) > MOST_NAMES:
        return None
    values = {}
    for name in sorted(visible & names):
        read = session.fetch(name, MOST_BYTES, MOST_PARTS)
        if read is None:
            return None
        values[name] = read
    return Held(names, values)


def visible_part(source: str, hidden_lines: Iterable[tuple[int, int]]) -> str:
    """A cell's text with its hidden lines empty."""
    lines = source.split("\n")
    for first, last in hidden_lines:
        lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines)
