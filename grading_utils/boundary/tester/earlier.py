"""Objects of the student's that an earlier test made and a later one uses: the earlier test is run again first.

Each check has its own copy of the student's process, and what one made is gone with its copy. In a notebook it would
still be there. So where a check says a name whose value is, or holds, such an object, the tests that made or used
it run once more against the check's own copy, quietly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from grading_utils.boundary.tester import verdicts
from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.held import Held
from grading_utils.boundary.tester.likenesses import ExceptionKind
from grading_utils.boundary.tester.namespace import TestNamespace
from grading_utils.boundary.tester.plan import Plan
from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.tester.standins import is_stand_in
from grading_utils.boundary.tester.testcell import run_in_tester
from grading_utils.boundary.warm.warmup import current
from grading_utils.checks.names import needed_names
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell, CellRun

_DEEPEST = 3
_MOST_PARTS = 1000
_EVERYTHING = ((1, 1 << 30),)


def run(
    cell: Cell,
    session: Session | Held,
    plan: Plan,
    namespace: TestNamespace,
    context: Context,
    give: Callable[[float], None],
) -> CellRun:
    """Run a cell in the tester; after the tests that made what it uses of the student's, where that is gone.

    Args:
        cell: A check, or an instructor's cell.
        session: The conversation with the student's process, or the values that were kept of it.
        plan: Knows the tests that are needed.
        namespace: The tester's names, connected to the session.
        context: Knows what comes from the student's process.
        give: Gives that process so many seconds from now on.
    """
    shell = current().shell
    gone = lost(namespace, needed_names(plan.text(cell)) if cell.role is Role.TEST else ())
    if not gone:
        return run_in_tester(cell, namespace, context, shell)
    if isinstance(session, Held):
        session.is_short = True  # there is no process to run them against
        return verdicts.lost(cell)
    prelude = plan.again(cell, gone)
    for test in prelude:
        give(test.time_limit)
        run_in_tester(test, namespace, context, shell)
    give(cell.time_limit)
    return run_in_tester(told_apart(cell, prelude), namespace, context, shell)


def lost(names: dict[str, Any], needed: Iterable[str]) -> frozenset[str]:
    """Which of these names hold an object of a conversation that has ended."""
    return frozenset(name for name in needed if _holds(dict.get(names, name), _DEEPEST))


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
