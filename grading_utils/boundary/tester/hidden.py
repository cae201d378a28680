"""What is said about a hidden check that failed: to the student only what is safe, to the instructor everything.

Student code sees the arguments of a hidden check, so its values, its exceptions' texts and its exit code could carry
them. `wording` says what of a check's own message stays; here is the rest: exceptions, limits, and the one line on
what the check is about where no message is left.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Callable
from dataclasses import dataclass

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.namespace import TestNamespace, undefined
from grading_utils.boundary.tester.origins import Follower, Names
from grading_utils.boundary.tester.stack import scopes
from grading_utils.boundary.tester.wording import explain
from grading_utils.boundary.wire.errors import BoundaryError
from grading_utils.checks.source import parse, plain_python
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell

_LEAD = "A hidden check did not pass"
_FRAME = re.compile(r"line (\d+), in [^:]*: (.*)", re.DOTALL)
_EXCEPTION_KINDS = 70  # builtin classes that an exception can be reported as
_LONGEST_SUBJECT = 200
_LONGEST_LINE = 120
_LONGEST_DETAILS = 4000


@dataclass(frozen=True)
class Check:
    """A test cell whose hidden part failed, or has begun to run."""

    cell: Cell
    filename: str
    tree: ast.Module | None
    namespace: TestNamespace
    context: Context
    failed_line: int | None


def message(error: BaseException, check: Check) -> str:
    """What the student reads.

    Args:
        error: Why the cell ended; no `BoundaryError`.
        check: The cell.
    """
    frames = check.context.received.frames_of(error)
    if frames is not None:
        return f"{_LEAD}: {_raised_by_student(error, frames, check)}"
    if isinstance(error, NameError) and error.name and str(error) == undefined(error.name):
        return f"{_LEAD}: {error}"
    is_instructors = _is_instructors(check.filename)
    trees = {check.filename: check.tree} if check.tree is not None else {}
    stack = scopes(error, is_instructors, trees, _known(check), check.context.received.changed_kinds)
    told = explain(error, stack, check.context.allowance)
    if not told and not isinstance(error, AssertionError):
        told = f"it could not go on with what your code gave it ({_kind(error)})"
    return f"{_LEAD}: {told or _subject(check)}"


def details(error: BaseException, frames: list[str]) -> str:
    """What the instructor reads: everything, the student's own words included."""
    name = "" if isinstance(error, AssertionError | BoundaryError) else f"{type(error).__name__}: "
    lines = [f"{name}{error}", *(f"in the student's cell, {frame}" for frame in frames)]
    return "\n".join(lines)[:_LONGEST_DETAILS]


def _known(check: Check) -> Names:
    """The names of the notebook before the cell ran."""
    follower = Follower(Names(spoiled=set(check.namespace.fetched)))
    for cell in check.context.earlier():
        if cell.role is Role.STUDENT:
            follower.names.ours -= check.context.binds(cell) - check.namespace.instructor_names
        elif (tree := parse(plain_python(cell.source))) is not None:
            follower.follow(tree.body)
    return follower.names


def _is_instructors(filename: str) -> Callable[[str], bool]:
    """Tells files with instructor's code from those of libraries; no student code runs in this process."""

    def is_instructors(name: str) -> bool:
        return name == filename or (name.startswith("<") and name in linecache.cache)

    return is_instructors


def _raised_by_student(error: BaseException, frames: list[str], check: Check) -> str:
    """Which exception student code raised, and where.

    The text of the exception stays out. The line is one of the submission's own; which one is the student's choice.
    """
    if not check.context.allowance.grant(_EXCEPTION_KINDS):
        return "your code raised an exception in it"
    said = f"your code raised {_kind(error)} in it"
    cells = [cell for cell in check.context.earlier() if cell.role is Role.STUDENT]
    choices = sum(bool(line.strip()) for cell in cells for line in cell.source.split("\n"))
    for frame in reversed(frames):  # the innermost may lie in a function of the instructor's
        match = _FRAME.fullmatch(frame)
        cell = _cell_with(int(match[1]), match[2].strip(), cells) if match is not None else None
        if match is not None and cell is not None and check.context.allowance.grant(choices):
            where = f"of `{cell.grade_id}`" if cell.grade_id else "of a cell that you added"
            line = match[2].strip()
            line = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
            return f"{said}, in line {match[1]} {where}: `{line}`"
    return said


def _cell_with(number: int, line: str, cells: list[Cell]) -> Cell | None:
    """The last cell that has this line at this place."""
    for cell in reversed(cells):
        lines = cell.source.split("\n")
        if line and number <= len(lines) and lines[number - 1].strip() == line:
            return cell
    return None


def _kind(error: BaseException) -> str:
    return next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins")


def _subject(check: Check) -> str:
    """What a check is about, in one line: the text that stands alone in the hidden part, or at the cell's beginning."""
    texts = []
    for node in check.tree.body if check.tree is not None else ():
        text = node.value.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else None
        if isinstance(text, str) and node.lineno <= (check.failed_line or node.lineno):
            texts.append(text.strip())
    subject = next((text.split("\n")[0] for text in reversed(texts) if text), f"`{check.cell.grade_id}`")
    return subject[:_LONGEST_SUBJECT]
