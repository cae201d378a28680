"""What a test finds as an attribute of a student's object, and whether it may be given values there.

A method that is given what the test expects could say that all is well (`df.equals(expected)`), so that takes a right.
An attribute that is a class or a function which the tester has as well (`equals = str`) is no better. Methods of an
object that the solution makes of constants (`check = unittest.TestCase()`) are the tester's own where they can be.
"""

from __future__ import annotations

import contextlib
from typing import Any

from grading_utils.boundary.tester.likenesses import Likenesses
from grading_utils.boundary.tester.standins import Link, is_stand_in

BELIEVED = "a method of a class of the student's was to be given values, and to be believed"


class Members:
    """The attributes that tests have found in one conversation.

    Args:
        link: The conversation.
        likenesses: What stands for the student's objects in it.
    """

    def __init__(self, link: Link, likenesses: Likenesses) -> None:
        self._link, self._likenesses = link, likenesses
        self._numbers: set[int] = set()
        self._of_made: set[int] = set()

    def found(self, value: Any) -> Any:
        """Note that the test has found this as an attribute; returns it."""
        if is_stand_in(value):
            self._numbers.add(value._boundary_remote.id)
        elif callable(value) and not self._link.context.rights.methods:
            self._link.limit(BELIEVED)
        return value

    def found_at(self, number: int, attribute: str, path: str | None, value: Any) -> Any:
        """The same for an attribute of a certain object; returns what the test gets for it.

        Args:
            number: The number of the student's object.
            attribute: The attribute's name.
            path: How the test found it.
            value: What the student's process has there.
        """
        context = self._link.context
        name = (path or "").rpartition(".")[0]
        if name not in context.made or not callable(value) or context.rights.methods:
            return self.found(value)
        state = None
        with contextlib.suppress(AttributeError):  # it has no attributes of its own, only slots
            state = self._link.operate(number, "getattr", ("__dict__",), {})
        own = context.made.like(name, self._likenesses.kinds_of(number), state)
        if own is not None and hasattr(own, attribute):
            return getattr(own, attribute)
        if is_stand_in(value):
            self._of_made.add(value._boundary_remote.id)
        return self.found(value)

    def may_call(self, number: int, given: bool) -> bool:
        """May the test call this object of the student's, with values or without?"""
        needs = number in self._of_made or (given and number in self._numbers)
        return self._link.context.rights.methods or not needs
