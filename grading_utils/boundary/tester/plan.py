"""What every cell of a notebook needs, worked out from the instructor's texts before anything has run.

It asks no process. A student's text is never parsed here, since a text can be made so that this takes the process with
it: the student's own process reads it and says which names it binds. It can only say what it could have written.
`notebook` acts on the plan.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection
from functools import cached_property

from grading_utils.boundary.tester.handover import order
from grading_utils.boundary.tester.held import visible_part
from grading_utils.checks.names import bound_names, free_names, mentioned_names
from grading_utils.checks.source import StudentSource, parse
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell, Job


class Plan:
    """The plan for one job.

    Args:
        job: What is to be run.
        text: A cell's source as plain Python.
        known: Names that the leading instructor cells bound.
        rehearsed: Sources of instructor cells whose effects are known already.
    """

    def __init__(
        self, job: Job, text: Callable[[str], str], known: Collection[str], rehearsed: Collection[str]
    ) -> None:
        self.cells = job.cells[job.leading :]
        self._job = job
        self._transform = text
        self._known = frozenset(known)
        self._rehearsed = rehearsed
        self._binds: dict[int, frozenset[str]] = {}
        self._defines: dict[int, frozenset[str]] = {}

    @cached_property
    def turns(self) -> list[int]:
        """Positions of all cells in the order in which they are dealt with."""
        positions = {cell.index: position for position, cell in enumerate(self.cells)}
        return [positions[cell.index] for cell in order(self._job)]

    @property
    def last(self) -> int:
        """The position whose turn comes last."""
        return self.turns[-1]

    def text(self, cell: Cell) -> str:
        """The cell's source as plain Python."""
        return self._transform(cell.source)

    # --- which copies of the student's process are needed ---

    def needs_copy(self, cell: Cell) -> bool:
        """Will a copy of the student's process, as it is at this cell, be asked for names that only it can know?"""
        if cell.role is Role.TEST:
            return True
        if cell.role is Role.STUDENT or cell.source in self._rehearsed or not self.is_used(cell):
            return False
        known = self._known.union(*(bound_names(c.source) for c in self.cells if c.role is Role.INSTRUCTOR))
        return any(name not in known and not hasattr(builtins, name) for name in free_names(self.text(cell)))

    def is_used(self, cell: Cell) -> bool:
        """Does anything that runs in the tester later use a name that this instructor's cell binds?

        Where nothing does, the cell need not run there as well: a picture of what the student's functions return, say.
        """
        bound = bound_names(self.text(cell))
        later = (c for c in self.cells if c.index > cell.index and c.role is not Role.STUDENT)
        return any(bound & self._uses(c) for c in later)

    def _uses(self, cell: Cell) -> frozenset[str]:
        """Names that a cell may take from earlier ones; what an instructor's cell binds itself it does not need."""
        text = self.text(cell)
        return mentioned_names(text) - (bound_names(text) if cell.role is Role.INSTRUCTOR else frozenset())

    # --- what is known about names ---

    def learn(self, cell: Cell, binds: Collection[str], defines: Collection[str]) -> None:
        """Note which names a student's cell binds, and which of them are functions and classes."""
        self._binds[cell.index], self._defines[cell.index] = frozenset(binds), frozenset(defines)

    def binds(self, cell: Cell) -> frozenset[str]:
        """Names that a student's cell binds; none where it has not come to its end."""
        return self._binds.get(cell.index, frozenset())

    def defined_before(self, cell: Cell) -> frozenset[str]:
        """Names of functions and classes that student cells before this one define."""
        return frozenset[str]().union(*(names for index, names in self._defines.items() if index < cell.index))

    def ours_before(self, cell: Cell) -> frozenset[str]:
        """Names that instructor cells before this one bind."""
        earlier = (c for c in self.cells if c.index < cell.index and c.role is Role.INSTRUCTOR)
        imports = self._job.solution.imports if self._job.solution is not None else {}
        return self._known.union(imports, *(bound_names(self.text(c)) for c in earlier))

    def taken_over(self, cell: Cell) -> frozenset[str]:
        """Names which a student's cell binds and may take from the tests that bound them before.

        Those are the names that the instructor's own answers bind. Any other name that a test has bound stays the
        test's, or a student could empty the list of cases that a later test goes through.
        """
        bound = self.binds(cell)
        return bound if self._job.solution is None else bound & self._job.solution.answers

    def visible_before(self, cell: Cell) -> tuple[str, ...]:
        """What students can read of the test cells before this one."""
        tests = (c for c in self.cells if c.index < cell.index and c.role is Role.TEST)
        return tuple(visible_part(self.text(c), c.hidden_lines) for c in tests)

    def prelude(self, cell: Cell) -> list[Cell]:
        """The earlier tests that a test which runs inside needs: all, or those that bind names that it mentions."""
        tests = [c for c in self.cells if c.index < cell.index and c.role is Role.TEST]
        if cell.rights.history:
            return tests
        return self._with_what_they_need(tests, set(mentioned_names(self.text(cell))), frozenset())

    def again(self, cell: Cell, lost: frozenset[str]) -> list[Cell]:
        """The earlier tests that made or used objects which are to be as they were, and the tests that these need."""
        tests = [c for c in self.cells if c.index < cell.index and c.role is Role.TEST]
        return self._with_what_they_need(tests, set(lost), lost)

    def _with_what_they_need(self, tests: list[Cell], names: set[str], used: frozenset[str]) -> list[Cell]:
        """Of some tests those that bind one of these names, or say one of those in `used`, back to the first."""
        needed: list[Cell] = []
        for earlier in reversed(tests):
            # A magic can bind any word that it has.
            is_python = parse(earlier.source) is not None
            mentioned = mentioned_names(self.text(earlier))
            bound = bound_names(self.text(earlier)) if is_python else mentioned_names(earlier.source)
            if bound & names or mentioned & used:
                needed.append(earlier)
                names |= mentioned
        return needed[::-1]

    def earlier(self, position: int) -> list[Cell]:
        """All cells before a position, those that ran while the warm process started included."""
        return [*self._job.cells[: self._job.leading], *self.cells[:position]]

    def source_of(self, qualname: str, position: int) -> StudentSource:
        """The text of all cells before a position that student code can know, for `check_global_vars`."""
        earlier = self.earlier(position)
        texts = [cell.source for cell in earlier if cell.role is not Role.TEST]
        ours = (bound_names(self._transform(c.source)) for c in earlier if c.role is Role.INSTRUCTOR)
        theirs = (self.binds(c) for c in earlier if c.role is Role.STUDENT)
        names = self._known.union(*ours, *theirs)
        return StudentSource.from_cells(texts, qualname, "<notebook>", names)
