"""The tester's end: takes one notebook through the student's process and decides what its checks say.

First all of the student's cells run, and at each test cell the student's process is forked and the copy put aside.
Only then do the test cells run, each against its own copy. So nothing that student code learns from a hidden check can
reach a later cell's output, and what it does or stores during a check is gone with the copy.
"""

from __future__ import annotations

import builtins
import contextlib
import socket
import types
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.held import Held, defined_names, hold
from grading_utils.boundary.tester.leash import Student
from grading_utils.boundary.tester.namespace import TestNamespace
from grading_utils.boundary.tester.sanitizer import checked
from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.tester.testcell import run_in_tester
from grading_utils.boundary.tester.verdicts import endless, is_shown, lost, may_tell_hidden, muted, not_run, stopped
from grading_utils.boundary.warm.rehearsal import Rehearsed
from grading_utils.boundary.warm.warmup import current
from grading_utils.boundary.wire import frames
from grading_utils.boundary.wire.errors import BoundaryError
from grading_utils.boundary.wire.messages import MAX_SNAPSHOTS, JobDone
from grading_utils.checks.names import bound_names, free_names, mentioned_names, uses_unknown_names
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell, CellRun, CellStatus, Job

MAX_REPLACEMENTS = 4
"""How many times a student's process may be replaced in one notebook."""

MAX_FRESH_STARTS = 6
"""How many times a notebook may start again so that a failed visible check can be explained after a hidden one."""

_FORKING = 5.0
"""Seconds that a fork or a list of names may take."""

SpawnStudent = Callable[[], Student]
_RUNS = msgspec.msgpack.Decoder(CellRun | JobDone)


def send_job(sock: socket.socket, job: Job) -> None:
    """Hand a tester its job (the coordinator's end)."""
    frames.send(sock, job)


def read_runs(sock: socket.socket, wait: frames.Wait | None = None) -> Iterator[CellRun]:
    """The cells' results as they come, until the job is done (the coordinator's end).

    Raises:
        StudentDied: The tester ended before the job was done.
        BoundaryError: It sent something else.
    """
    while True:
        run, _ = frames.receive(sock, _RUNS, wait=wait)
        if isinstance(run, JobDone):
            return
        yield run


def without_culprit(job: Job, reported: int) -> Job | None:
    """The job to run again after a tester has died having reported some cells (the coordinator's end).

    A value of the student's can make a check compute without end inside one operation, which only ends with the
    tester. That costs the check, not the notebook.

    Args:
        job: What the tester was given.
        reported: How many results came from it.

    Returns:
        The job without the check that was running; None where none was, so that the fault is ours.
    """
    cells = job.cells[job.leading :]
    if reported >= len(cells) or cells[reported].role is Role.STUDENT:
        return None
    return msgspec.structs.replace(job, lost=(*job.lost, cells[reported].index))


def main(sock: socket.socket, spawn_student: SpawnStudent) -> None:
    """Entry point of a tester process: one job in, its results out."""
    job, _ = frames.receive(sock, msgspec.msgpack.Decoder(Job))
    tester = Tester(job, spawn_student)
    for run in tester.run():
        frames.send(sock, run)
    frames.send(sock, JobDone(replacements=tester.replacements))


def run(job: Job, spawn_student: SpawnStudent) -> Iterator[CellRun]:
    """Run a job in this process, which `warmup.warm` has prepared."""
    return Tester(job, spawn_student).run()


class Tester:
    """One notebook of one submission."""

    def __init__(self, job: Job, spawn_student: SpawnStudent) -> None:
        warm = current()
        self._cells = job.cells[job.leading :]
        self._leading = job.cells[: job.leading]
        self._lost = frozenset(job.lost)
        self._spawn = spawn_student
        self._warm = warm
        self._context = Context(warm.shared, self._source_of, earlier=self._earlier)
        self._namespace = _instructor_namespace()
        self._student: Student | None = None
        self._main: Session | None = None
        self._snapshots: dict[int, Session | Held] = {}
        self._holds = True
        self._numbers: dict[int, int] = {}
        self._culprits: dict[int, CellRun] = {}
        self._position = 0
        self._knows_hidden = False
        self._has_asked = False
        self._fresh_starts = 0
        self.replacements = -1

    def run(self) -> Iterator[CellRun]:
        """Run the student's cells, then the checks; yields the results in the job's order."""
        try:
            ran = self._collect()
            for position, cell in enumerate(self._cells):
                self._position = position
                if cell.index in self._lost:
                    ran[position] = endless(cell)
                elif cell.role is Role.TEST:
                    ran[position] = self._check(position, cell)
                elif cell.role is Role.INSTRUCTOR:
                    self._run_here(position, cell)
                elif cell.role is Role.STUDENT:
                    self._namespace.forget(bound_names(self._text(cell)))
                yield ran[position]
        finally:
            if self._student is not None:
                self._student.close()

    # --- first: the student's cells ---

    def _collect(self) -> dict[int, CellRun]:
        """Run everything that isn't a test in a student process, replaced as often as it must and may be."""
        while True:
            ran: dict[int, CellRun] = {}
            if not self._replace():
                return {p: self._culprits.get(p, not_run(cell)) for p, cell in enumerate(self._cells)}
            for position, cell in enumerate(self._cells):
                if not self._advance(position, cell, ran):
                    break
            else:
                return ran

    def _replace(self) -> bool:
        """A fresh student process; False where there have been too many."""
        if self._student is not None:
            self._student.close()
        for session in (self._main, *self._snapshots.values()):
            if session is not None:
                session.close()
        self._main, self._snapshots, self._numbers = None, {}, {}
        self._knows_hidden = False
        if self.replacements >= MAX_REPLACEMENTS:
            return False
        self.replacements += 1
        self._student = self._spawn()
        self._context.why_died = self._student.why
        self._main = Session(self._student, self._student.sock, self._context)
        return True

    def _advance(self, position: int, cell: Cell, ran: dict[int, CellRun]) -> bool:
        """Run one cell, or put a copy aside for a test; False where the process has to be replaced."""
        assert self._main is not None
        assert self._student is not None
        if position in self._culprits:
            ran[position] = self._culprits[position]
            return True
        if cell.role is Role.TEST or (cell.role is Role.INSTRUCTOR and self._needs_student(cell)):
            if position >= self._position:
                self._put_aside(position, cell)
            if cell.role is Role.TEST:
                return self._main.is_usable
        self._student.start(cell.time_limit)
        try:
            done = self._main.run_cell(
                cell.source, cell.index, instructor=cell.role is Role.INSTRUCTOR, draws=cell.draws
            )
            status = CellStatus.OK if done.ok else CellStatus.ERROR
            known = self._rehearsed(cell)
            shown = checked(known.outputs if known is not None else done.outputs)
            ran[position] = CellRun(index=cell.index, status=status, outputs=shown)
        except BoundaryError as error:
            ran[position] = stopped(cell, error, self._student.why())
            if not self._main.is_usable:
                self._culprits[position] = ran[position]
                return False
        return True

    def _put_aside(self, position: int, cell: Cell) -> None:
        """Keep what a check will need: the values that it reads, or the process as it is now."""
        assert self._main is not None
        assert self._student is not None
        if self._holds and cell.role is Role.TEST:
            self._student.start(cell.time_limit)
            try:
                held = self._hold(cell)
            except BoundaryError:  # its values take too long, or it lies: from now on every check gets a copy
                self._holds, held = False, None
            if held is not None:
                self._snapshots[position] = held
            if held is not None or not self._main.is_usable:
                return
        self._student.start(_FORKING)
        with contextlib.suppress(BoundaryError):  # no room for another copy, or it says so: only this check is lost
            if cell.role is Role.TEST and position + 1 == len(self._cells):
                self._snapshots[position] = self._main  # nothing comes after it
            elif len(self._numbers) < MAX_SNAPSHOTS:
                self._snapshots[position] = self._main.fork()
                self._numbers[position] = len(self._numbers)
                self._student.copies = len(self._numbers)

    def _hold(self, cell: Cell) -> Held | None:
        """The values that a check reads; None where it needs a copy of the process."""
        assert self._main is not None
        text = self._text
        earlier = [c for c in self._cells if c.index < cell.index]
        defined = [defined_names(text(c)) for c in earlier if c.role is Role.STUDENT]
        ours = [bound_names(text(c)) for c in earlier if c.role is Role.INSTRUCTOR]
        return hold(
            self._main,
            text(cell),
            cell.hidden_lines,
            frozenset[str]().union(*defined),
            self._namespace.instructor_names.union(*ours),
        )

    def _text(self, cell: Cell) -> str:
        return self._warm.shell.transform_cell(cell.source)

    def _needs_student(self, cell: Cell) -> bool:
        """Does an instructor's cell use names that only the student's process can know?"""
        if cell.role is Role.TEST:
            return True
        if self._rehearsed(cell) is not None or not self._is_used(cell):
            return False
        names = free_names(self._text(cell))
        known = self._namespace.instructor_names.union(
            *(bound_names(c.source) for c in self._cells if c.role is Role.INSTRUCTOR)
        )
        return any(name not in known and not hasattr(builtins, name) for name in names)

    def _is_used(self, cell: Cell) -> bool:
        """Does anything that runs in this process later use a name that this instructor's cell binds?

        Where nothing does, the cell need not run here as well: a picture of what the student's functions return, say.
        """
        bound = bound_names(self._text(cell))
        later = [c for c in self._cells if c.index > cell.index and c.role is not Role.STUDENT]
        return any(bound & self._uses(c) for c in later)

    def _uses(self, cell: Cell) -> frozenset[str]:
        """Names that a cell may take from earlier ones; what an instructor's cell binds itself it does not need."""
        text = self._text(cell)
        return mentioned_names(text) - (bound_names(text) if cell.role is Role.INSTRUCTOR else frozenset())

    def _rehearsed(self, cell: Cell) -> Rehearsed | None:
        return self._warm.rehearsed.get(cell.source) if cell.role is Role.INSTRUCTOR else None

    # --- then: the checks ---

    def _check(self, position: int, cell: Cell) -> CellRun:
        knew = self._knows_hidden
        run = self._attempt(position, cell)
        while run is None:
            if not self._rebuild():
                return lost(cell)
            knew = self._knows_hidden
            run = self._attempt(position, cell)
        self._knows_hidden = knew or (self._has_asked and may_tell_hidden(cell, run))
        # Copies can pass things on to each other: what is said after a hidden check may repeat its arguments.
        if not knew or not is_shown(cell, run):
            return run
        # What a check prints when it passes is not worth running the notebook again.
        return muted(run) if run.status is CellStatus.OK else self._without_echo(position, cell, run)

    def _without_echo(self, position: int, cell: Cell, run: CellRun) -> CellRun:
        """Have a visible check say what it has to say to a student's process that has seen no hidden one."""
        if run.status is not CellStatus.STOPPED and self._fresh_starts < MAX_FRESH_STARTS:
            self._fresh_starts += 1
            self.replacements -= 1  # nothing went wrong, so this one is not counted
            if self._rebuild() and (again := self._attempt(position, cell)) is not None:
                self._knows_hidden = self._has_asked and may_tell_hidden(cell, again)
                return again
        return muted(run)

    def _attempt(self, position: int, cell: Cell) -> CellRun | None:
        """Run a test cell; None where its copy of the student's process is gone before it began."""
        session = self._snapshots.get(position)
        if session is None or self._student is None:
            return None
        self._has_asked = not isinstance(session, Held)
        self._student.start(_FORKING)
        try:
            connection = self._namespace.connected(session, is_test=cell.role is Role.TEST)
            connection.__enter__()
        except BoundaryError:
            return None
        try:
            self._student.start(cell.time_limit)
            run = run_in_tester(cell, self._namespace, self._context, self._warm.shell)
        finally:
            connection.__exit__(None, None, None)
            if cell.role is Role.TEST:
                self._dismiss(position)
        if isinstance(session, Held) and session.is_short:
            self._holds = False  # it reads more than its text says, so from now on every check gets a copy
            self.replacements -= 1
            return None
        return run

    def _dismiss(self, position: int) -> None:
        """End a copy that has been used; one that doesn't answer any more is killed."""
        session = self._snapshots.pop(position)
        answers = session.is_usable
        session.close()
        if position not in self._numbers or self._main is None or self._student is None:
            return
        number = self._numbers[position]
        self._student.copies = sum(p in self._snapshots for p in self._numbers)
        if not answers:
            self._student.start(_FORKING)
            try:
                self._main.end_child(number)
            except BoundaryError:  # it says what it likes; what counts is that the copy ends
                self._student.kill()

    def _rebuild(self) -> bool:
        """Run the notebook again up to the checks that are left; for when an earlier check took all copies with it."""
        remaining = any(cell.role is Role.TEST for cell in self._cells[self._position :])
        if not remaining:
            return False
        self._collect()
        return self._main is not None

    def _run_here(self, position: int, cell: Cell) -> None:
        """Run an instructor's cell in the tester too, for the names that it binds; an error there isn't fatal."""
        if (done := self._warm.adopt(cell.source)) is not None:
            for name, value in _rebased(self._namespace, done.bindings).items():
                self._namespace[name] = value
                self._context.shared.register(name, value)
            return
        if not self._is_used(cell):
            return
        session = self._snapshots.get(position)
        if session is not None and self._student is not None:
            self._student.start(cell.time_limit)
        try:
            with self._namespace.connected(session, is_test=False):
                run_in_tester(cell, self._namespace, self._context, self._warm.shell)
        except BoundaryError:
            pass
        for name in bound_names(self._text(cell)):
            if dict.__contains__(self._namespace, name):
                self._context.shared.register(name, self._namespace[name])

    def _earlier(self) -> list[Cell]:
        return [*self._leading, *self._cells[: self._position]]

    def _source_of(self, qualname: str) -> Any:
        from grading_utils.checks.source import StudentSource

        texts = [cell.source for cell in self._earlier() if cell.role is not Role.TEST]
        names = set(self._namespace.instructor_names).union(
            *(bound_names(self._warm.shell.transform_cell(text)) for text in texts)
        )
        return StudentSource.from_cells(texts, qualname, "<notebook>", names)


def _instructor_namespace() -> TestNamespace:
    """The tester's own copies of what the leading instructor cells bound."""
    warm = current()
    user_names = warm.shell.user_ns
    names = {name: user_names[name] for name in warm.instructor_names if name in user_names}
    namespace = TestNamespace(names)
    for name in ("get_ipython", "display"):
        if name in user_names:
            dict.__setitem__(namespace, name, user_names[name])
    for name, value in _rebased(namespace, names).items():
        if value is not names[name]:
            dict.__setitem__(namespace, name, value)
            warm.shared.register(name, value)
    return namespace


def _rebased(namespace: TestNamespace, names: dict[str, Any]) -> dict[str, Any]:
    """The same names, with instructor's functions that use a student's names looking these up in the test's."""
    user_names = current().shell.user_ns
    return {
        name: namespace.rebase(value)
        if type(value) is types.FunctionType
        and value.__globals__ is user_names
        and uses_unknown_names(value.__code__, {**user_names, **names})
        else value
        for name, value in names.items()
    }
