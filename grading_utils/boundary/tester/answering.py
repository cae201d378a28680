"""What a stand-in asks of its conversation that is answered here, from the check that is running.

The student's process is not asked: where code is defined, what may decide something, and which limits were met.
"""

from __future__ import annotations

import socket
import types
from typing import Any

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.conversation import Conversation
from grading_utils.boundary.tester.faults import guarded
from grading_utils.boundary.tester.leash import Student
from grading_utils.boundary.tester.students_code import code_of
from grading_utils.boundary.wire import messages as m
from grading_utils.boundary.wire import references
from grading_utils.boundary.wire.errors import Limit


class Answering(Conversation):
    """A conversation that knows the check that is running."""

    def __init__(self, student: Student, sock: socket.socket, context: Context) -> None:
        super().__init__(student, sock)
        self._context = context

    @property
    def context(self) -> Context:
        """What it has in common with the other conversations of its tester."""
        return self._context

    @guarded
    def source(self, path: str) -> Any:
        """Where the function of that qualified name is defined."""
        return self._context.source(path)

    def code(self, path: str) -> types.CodeType | None:
        """See `standins.Link`."""
        code, other = code_of(self._context.source(path))
        if other:
            raise self._context.limit(f"`{other}` may give `{path}` to something else than the cells' text shows")
        return code

    def may_decide(self, what: str) -> bool:
        """See `standins.Link`."""
        if not self._context.rights.comparisons:
            self._context.limit(f"`{what}` of the student's class would have decided something in this check")
        return self._context.rights.comparisons

    def limit(self, sentence: str) -> Limit:
        """See `standins.Link`."""
        return self._context.limit(sentence)

    def hinder(self, name: str, sentence: str) -> None:
        """See `standins.Link`."""
        if name in self._context.source_text:
            self._context.hinder(sentence)

    @property
    def shared(self) -> references.SharedNames:
        """What instructor cells bound in both processes."""
        return self._context.shared

    def _too_deep(self) -> RecursionError:
        self._context.hinder(f"the test and the student's code call each other more than {m.MAX_NESTING} times deep")
        return super()._too_deep()
