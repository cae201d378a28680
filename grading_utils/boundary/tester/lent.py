"""Objects of a test's own classes that student code is lent: copies, wherever it has to leave the originals alone.

Data travels as a copy anyway. An instance of a class of the notebook's stays in the tester, and student code uses its
attributes, items and methods from afar; without a copy it could empty the object from which the test then works out
what is right. What comes back is the original again, so `f(node) is node` holds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.permits import is_written_here, permit, permit_result
from grading_utils.boundary.tester.sameness import LISTS, is_same, state_of
from grading_utils.boundary.tester.standins import is_stand_in
from grading_utils.boundary.wire import nodes, references
from grading_utils.boundary.wire.messages import CallBack
from grading_utils.boundary.wire.operations import perform

_MOST_PARTS = 100_000


class Lent:
    """What is lent in one conversation, by the number of the original.

    Args:
        objects: The tester's objects that the student's process has numbers of.
        context: Takes note of limits that are met.
    """

    def __init__(self, objects: references.Objects, context: Context) -> None:
        self._objects, self._context = objects, context
        self._copies: dict[int, object] = {}
        self._memo: dict[int, Any] = {}
        self._originals: dict[int, object] = {}
        self._now: dict[int, object] = {}

    def begin(self) -> None:
        """What is lent from now on is copied as it is now."""
        self._memo, self._now = {}, {}

    def refer(self, value: object, shared: references.SharedNames, *, may_change: bool) -> nodes.Remote:
        """The node for an instance of a class of the notebook's, which student code uses itself or a copy of.

        Args:
            value: The instance, or a copy that was lent.
            shared: What instructor cells bound.
            may_change: Whether student code may change it.

        Raises:
            Limit: There is no copy.
        """
        value = self.original(value)
        remote = references.remote(self._objects, value, shared)
        if remote.id not in self._now and not may_change:
            self._lend(remote.id, value)
        return remote

    def original(self, value: object) -> object:
        """The original of a copy, or of a part of one; anything else as it is."""
        return self._originals.get(id(value), value)

    def perform(self, ask: CallBack, arguments: list[Any]) -> Any:
        """Do what student code asks of an object of the tester's, or of the copy that it was lent.

        Raises:
            AttributeError: Student code may not do this; `TypeError` as well; the object's own exceptions as they are.
        """
        target = self._target(ask.id)
        meant: list[Any] = [
            self._target(self._objects.add(one)) if is_written_here(type(one)) else one for one in arguments
        ]
        positional = meant[: len(meant) - len(ask.keywords)]
        permit(target, ask.op, positional)
        result = perform(target, ask.op, positional, dict(zip(ask.keywords, meant[len(positional) :], strict=False)))
        if ask.op == "getattr":
            try:
                may_change = self._context.rights.changes and not self._context.locked.have(target)
                permit_result(target, positional[0], result, may_change=may_change)
            except AttributeError as error:
                self._context.hinder(f"the student's code used what it can't reach: {error}")
                raise
        return result

    def _target(self, number: int) -> object:
        return self._copies.get(number, self._objects[number])

    def changed(self) -> list[object]:
        """The originals that were lent since `begin` and whose copies don't look like them any more."""
        return [one for number, one in self._now.items() if not is_same(one, self._copies[number], set())]

    def _lend(self, number: int, original: object) -> None:
        if id(original) not in self._memo:
            _leave_out_stand_ins(original, self._memo)
            try:
                copy.deepcopy(original, self._memo)
            except Exception as error:
                raise self._context.limit(
                    f"a {type(original).__name__} of the test's can't be copied: {type(error).__name__}: {error}"
                ) from error
            kept = self._memo.get(id(self._memo), ())  # where deepcopy keeps what it has copied
            self._originals |= {id(self._memo[id(part)]): part for part in kept if id(part) in self._memo}
        self._copies[number] = self._memo.get(id(original), original)
        self._now[number] = original


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
    elif isinstance(value, (*LISTS, set, frozenset)):
        yield from value
    if type(value).__module__ == "__main__":
        yield from state_of(value).values()
