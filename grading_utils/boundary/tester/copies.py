"""The student's process and its copies: made, kept for the checks that need them, ended, replaced.

Knows nothing of what is asked of them. Everything that can go wrong with a process ends here or as `BoundaryError`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.held import Held
from grading_utils.boundary.tester.leash import Student
from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.wire.errors import BoundaryError
from grading_utils.boundary.wire.messages import MAX_SNAPSHOTS

MAX_REPLACEMENTS = 4
"""How many times a student's process may be replaced in one notebook."""

FORKING = 5.0
"""Seconds that a fork or a list of names may take."""

SpawnStudent = Callable[[], Student]


class Copies:
    """The processes of one submission.

    Args:
        spawn: Starts a student's process.
        context: What their conversations have in common.
        files: What lies beside the notebook, by relative path.
    """

    def __init__(self, spawn: SpawnStudent, context: Context, files: Sequence[tuple[str, bytes]] = ()) -> None:
        self._files = files
        self._spawn = spawn
        self._context = context
        self._student: Student | None = None
        self._main: Session | None = None
        self._kept: dict[int, Session | Held] = {}
        self._numbers: dict[int, int] = {}
        self.replacements = -1

    @property
    def main(self) -> Session:
        """The conversation with the process in which the student's cells run."""
        assert self._main is not None, "no process has been started"
        return self._main

    @property
    def is_alive(self) -> bool:
        """Is there a process that can be asked?"""
        return self._main is not None

    def give(self, seconds: float) -> None:
        """Begin a new budget of time."""
        if self._student is not None:
            self._student.start(seconds)

    def used(self) -> float:
        """Seconds that the present process and its copies have used."""
        return self._student.used() if self._student is not None else 0.0

    def why(self) -> str:
        """Why the student's process has ended, in words."""
        return self._student.why() if self._student is not None else ""

    def replace(self, *, keeps_values: bool = False) -> bool:
        """A fresh student process; False where there have been too many.

        Args:
            keeps_values: Whether what is kept in place of copies stays.
        """
        self.close()
        held = {position: kept for position, kept in self._kept.items() if keeps_values and isinstance(kept, Held)}
        for session in (self._main, *self._kept.values()):
            if session is not None:
                session.close()
        self._main, self._kept, self._numbers = None, dict(held), {}
        if self.replacements >= MAX_REPLACEMENTS:
            return False
        self.replacements += 1
        self._student = self._spawn()
        self._context.why_died, self._context.machine = self._student.why, self._student.machine
        self._main = Session(self._student, self._student.sock, self._context)
        with contextlib.suppress(BoundaryError):  # what is wrong with it shows when its first cell is to run
            if self._context.folder is not None:
                self.give(FORKING)
                self._main.watch_files()
            for name, content in self._files:
                self.give(FORKING)
                self._main.place({name: content})
        return True

    def keep(self, position: int, held: Held | Session) -> None:
        """Keep values, or the process as it is now, in place of a copy."""
        self._kept[position] = held

    def put_aside(self, position: int, *, is_last: bool) -> None:
        """Keep a copy of the process as it is now; where there is no room for one, only that check is lost."""
        assert self._student is not None
        self.give(FORKING)
        with contextlib.suppress(BoundaryError):
            if is_last:
                self._kept[position] = self.main  # nothing comes after it
            elif len(self._numbers) < MAX_SNAPSHOTS:
                self._kept[position] = self.main.fork()
                self._numbers[position] = len(self._numbers)
                self._student.copies = len(self._numbers)

    def at(self, position: int) -> Session | Held | None:
        """What is kept for a position."""
        return self._kept.get(position)

    def dismiss(self, position: int) -> None:
        """End a copy that has been used; one that doesn't answer any more is killed."""
        session = self._kept.pop(position)
        answers = session.is_usable
        session.close()
        if position not in self._numbers or self._main is None or self._student is None:
            return
        number = self._numbers[position]
        self._student.copies = sum(p in self._kept for p in self._numbers)
        if not answers:
            self.give(FORKING)
            try:
                self.main.end_child(number)
            except BoundaryError:  # it says what it likes; what counts is that the copy ends
                self._student.kill()

    def close(self) -> None:
        """End all processes."""
        if self._student is not None:
            self._student.close()
