"""Runs one instructor-owned cell in the tester and says how it ended.

Statement by statement, so that it is known which hidden lines have run: from the first of them on, what student code
says is kept out of every message, and what hidden statements print is kept out of the outputs. Standard error is
dropped: a warning never costs a point.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import linecache
import signal
import sys
import traceback
import types
from collections.abc import Iterator
from dataclasses import dataclass, field

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.faults import is_ours
from grading_utils.boundary.tester.hidden import Check, details
from grading_utils.boundary.tester.hidden import message as hidden_message
from grading_utils.boundary.tester.loops import batched
from grading_utils.boundary.tester.namespace import MainModule, TestNamespace
from grading_utils.boundary.tester.sanitizer import checked
from grading_utils.boundary.tester.verdicts import NO_POINTS, fault, left_open, points_in, refused, why_stopped
from grading_utils.boundary.warm import outputs
from grading_utils.boundary.warm.shell import NotebookShell, Recorder
from grading_utils.boundary.wire import randomness
from grading_utils.boundary.wire.errors import BoundaryError, Refused, StudentOverran
from grading_utils.checks.source import parse
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell, CellRun, CellStatus

_SEED = 20_240_229
_LAST_RESORT = 5.0
_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_PATIENCE = 15.0
"""Times a cell's seconds on the wall clock; more than a student's process gets, so that this one gives up first."""
_HIDDEN = "A hidden check did not pass"


@dataclass
class _Running:
    """The cell being run."""

    cell: Cell
    filename: str
    context: Context
    recorder: Recorder = field(default_factory=Recorder)
    is_tainted: bool = False
    """Has a hidden line run?"""
    tree: ast.Module | None = None

    def is_hidden(self, first: int, last: int | None = None) -> bool:
        return any(first <= end and (last or first) >= start for start, end in self.cell.hidden_lines)


class _Stdout(io.TextIOBase):
    """`sys.stdout` of a test cell; what hidden statements print goes nowhere."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.is_muted = False

    def write(self, text: str) -> int:
        if not self.is_muted:
            self._recorder.print("stdout", text)
        return len(text)

    def writable(self) -> bool:
        return True


class _Dropped(io.TextIOBase):
    """`sys.stderr` of a test cell."""

    drops_student_text = True

    def write(self, text: str) -> int:
        return len(text)

    def writable(self) -> bool:
        return True


def run_in_tester(cell: Cell, namespace: TestNamespace, context: Context, shell: NotebookShell) -> CellRun:
    """Execute a cell with `namespace` as its globals.

    Args:
        cell: A test cell, or an instructor's cell for what it binds.
        namespace: Connected to the student's process where there is one.
        context: Knows what comes from there.
        shell: For magics and for `display`.
    """
    run = _Running(cell, f"<{cell.grade_id or f'cell {cell.index}'}>", context)
    context.begin(cell)
    if cell.role is Role.TEST:
        randomness.seed(_SEED + cell.index)
    number: object = None
    stdout = _Stdout(run.recorder)
    try:
        at_home = _at_home(shell, run.recorder, namespace)
        with _streams(stdout, context), at_home, _cpu_limit(cell.time_limit):
            number = _execute(run, namespace, shell, stdout)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _undecided(run, error) or _failed(run, error, namespace)
    if undecided := _undecided(run, None):
        return undecided
    if cell.returns_points and (number := points_in(number)) is None:
        return left_open(cell, NO_POINTS)
    collected = run.recorder.finish()
    if type(number) in (int, float):
        collected.append(outputs.result({"text/plain": repr(number)}))
    return CellRun(index=cell.index, status=CellStatus.OK, outputs=checked(collected))


def _execute(run: _Running, namespace: TestNamespace, shell: NotebookShell, stdout: _Stdout) -> object:
    """Run all statements; returns the value of the last one where it is an expression."""
    source = shell.transform_cell(run.cell.source)
    lines = source.splitlines(keepends=True)
    linecache.cache[run.filename] = (len(source), None, lines, run.filename)
    run.tree = tree = parse(source) or ast.parse(source, run.filename)  # which says what is wrong
    namespace.prefetch(source, run.filename)
    value: object = None
    for statement in tree.body:
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        hidden = run.is_hidden(first, statement.end_lineno)
        run.is_tainted = run.is_tainted or hidden
        stdout.is_muted = hidden
        value = None
        statement = statement if "warn" in source else batched(statement, lines)  # each call tells its own warnings
        if isinstance(statement, ast.Expr):
            value = _run(compile(ast.Expression(statement.value), run.filename, "eval", _AWAIT), namespace)
        else:
            _run(compile(ast.Module([statement], []), run.filename, "exec", _AWAIT), namespace)
        if shell.failure is not None:  # in the body of a cell magic, which shows it and goes on
            raise shell.failure
    return None if source.rstrip().endswith(";") else value


def _run(code: types.CodeType, namespace: TestNamespace) -> object:
    value = eval(code, namespace)  # noqa: S307 - the instructor's own cell
    return asyncio.run(value) if code.co_flags & inspect.CO_COROUTINE else value


@contextlib.contextmanager
def _streams(stdout: _Stdout, context: Context) -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = stdout, _Dropped()
    context.cell_stdout = stdout
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        context.cell_stdout = None


@contextlib.contextmanager
def _at_home(shell: NotebookShell, recorder: Recorder, namespace: TestNamespace) -> Iterator[None]:
    """Let `display`, magics and `__main__` mean this cell and its names."""
    before = shell.recorder, shell.user_ns, shell.user_module, sys.modules["__main__"]
    main = MainModule(namespace)
    shell.recorder, shell.user_ns, shell.user_module, shell.failure = recorder, namespace, main, None
    sys.modules["__main__"] = main
    try:
        yield
    finally:
        shell.recorder, shell.user_ns, shell.user_module, sys.modules["__main__"] = before


@contextlib.contextmanager
def _cpu_limit(seconds: float) -> Iterator[None]:
    """Stop the tester's own computing, which a value of the student's can make long; waiting for answers isn't counted.

    There is an end to waiting, too: a test may sleep for as long as a value says. One long operation without any
    bytecode (`sum(range(n))`) can't be stopped like that: then the second timer ends the process, and
    `handover.without_culprit` says what to do next.
    """

    def stop(*_: object) -> None:
        raise StudentOverran(f"checking took more than {seconds:g} s of computing")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 1.0))
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * max(seconds, 1.0) + _LAST_RESORT)
    waited = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE * max(seconds, 1.0) + _LAST_RESORT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, waited)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGPROF, before)


def _undecided(run: _Running, error: BaseException | None) -> CellRun | None:
    """The report of a check in which our machinery broke or met a limit, whatever the test made of that."""
    context = run.context
    if context.faults:
        return fault(run.cell, context.faults[0])
    if error is not None and is_ours(error, run.filename) and context.received.frames_of(error) is None:
        return fault(run.cell, error)
    if context.limits:
        return left_open(run.cell, context.limits[0])
    if isinstance(error, BoundaryError) and (machine := context.machine()):
        return left_open(run.cell, machine)
    if isinstance(error, Refused):
        return left_open(run.cell, refused(error))
    if error is not None and not isinstance(error, BoundaryError) and context.hindrances:
        return left_open(run.cell, context.hindrances[0])
    return None


def _failed(run: _Running, error: BaseException, namespace: TestNamespace) -> CellRun:
    stack = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in stack if frame.filename == run.filename and frame.lineno]
    is_students = run.context.received.frames_of(error) is not None
    if isinstance(error, SyntaxError) and error.filename == run.filename and not is_students:
        lines = [error.lineno or 1]
    # A check that is hidden may have been called from a visible line, and the other way round.
    hidden = any(run.is_hidden(line) for line in lines)
    is_kept_back = hidden or run.is_tainted
    failed_line = lines[-1] if lines else None
    if not is_kept_back:
        message = _message(run, error, lines)
    elif isinstance(error, BoundaryError):
        message = f"{_HIDDEN}: {why_stopped(error, run.cell.time_limit, '')}"  # the code chooses its exit code
    else:
        check = Check(run.cell, run.filename, run.tree, namespace, run.context, failed_line)
        message = hidden_message(error, check)
    message = message.encode("utf-8", "replace").decode()  # a lone surrogate could not be reported
    stopped = isinstance(error, BoundaryError)
    name = "Stopped" if stopped else type(error).__name__
    frames = run.context.received.frames_of(error) or []
    trace = [*_trace(run, error), *(f"  in the student's cell: {frame}" for frame in frames)]
    collected = [*run.recorder.finish(), outputs.error(name, str(error), trace)]
    return CellRun(
        index=run.cell.index,
        status=CellStatus.STOPPED if stopped else CellStatus.ERROR,
        outputs=checked(collected),
        message=message,
        details=details(error, frames).encode("utf-8", "replace").decode() if is_kept_back else "",
        hidden=hidden,
        failed_line=failed_line,
    )


def _trace(run: _Running, error: BaseException) -> list[str]:
    """The traceback's lines, the test cell's own frames only."""
    summary = traceback.TracebackException(type(error), error, error.__traceback__, limit=-100)
    summary.stack[:] = [frame for frame in summary.stack if frame.filename == run.filename]
    summary.__cause__ = summary.__context__ = None
    return [line.rstrip("\n") for line in summary.format()]


def _message(run: _Running, error: BaseException, lines: list[int]) -> str:
    if isinstance(error, BoundaryError):
        return why_stopped(error, run.cell.time_limit, run.context.why_died())
    text = str(error).strip()
    if isinstance(error, AssertionError) and not text and lines:
        source = linecache.getline(run.filename, lines[-1]).strip()
        return f"This check did not pass: {source}"[:500]
    return (text if isinstance(error, AssertionError) else f"{type(error).__name__}: {text}")[:500]
