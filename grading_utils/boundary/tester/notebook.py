"""Takes one notebook through the student's process, cell by cell in the right order, and says what its checks say.

First all of the student's cells run, and at each test cell the student's process is forked and the copy put aside.
Only then do the test cells run, each against its own copy. So nothing that student code learns from a hidden check can
reach a later cell's output, and what it does or stores during a check is gone with the copy. Checks that run inside
come after all others.

`plan` says what each cell needs, `copies` has the processes, `testcell` and `inside` run one check.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import msgspec

from grading_utils.boundary.tester import earlier, verdicts
from grading_utils.boundary.tester.budget import Budget
from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.copies import FORKING, Copies, SpawnStudent
from grading_utils.boundary.tester.figures import students_figures
from grading_utils.boundary.tester.folder import Folder, share_files
from grading_utils.boundary.tester.handover import with_files
from grading_utils.boundary.tester.held import Held, hold
from grading_utils.boundary.tester.inside import run_inside
from grading_utils.boundary.tester.made import Made
from grading_utils.boundary.tester.namespace import instructor_namespace, rebased
from grading_utils.boundary.tester.plan import Plan
from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.tester.testcell import run_in_tester
from grading_utils.boundary.warm import gpu
from grading_utils.boundary.warm.warmup import current
from grading_utils.boundary.wire import frames
from grading_utils.boundary.wire.errors import BoundaryError, Refused, StudentOverran
from grading_utils.boundary.wire.messages import JobDone
from grading_utils.checks.names import bound_names
from grading_utils.course.cells import Role
from grading_utils.errors import SandboxError
from grading_utils.jobs import Cell, CellRun, CellStatus, Job

MAX_FRESH_STARTS = 6
"""How many times a notebook may start again so that a failed visible check can be explained after a hidden one."""

_CHANGED = "it passes only if what the student's function does to its argument is done to the test's object, too"

MAX_MACHINE_TRIES = 1
"""How many times a student's cell that the machine ended is tried again."""


def main(sock: socket.socket, spawn_student: SpawnStudent) -> None:
    """Entry point of a tester process: one job in, its results out."""
    gpu.in_tester()
    job, _ = frames.receive(sock, msgspec.msgpack.Decoder(Job))
    notebook = Notebook(with_files(sock, job), spawn_student)
    for run in notebook.run():
        frames.send(sock, run)
    frames.send(sock, JobDone())


def run(job: Job, spawn_student: SpawnStudent) -> Iterator[CellRun]:
    """Run a job in this process, which `warmup.warm` has prepared; results come in `handover.order`."""
    return Notebook(job, spawn_student).run()


class Notebook:
    """One notebook of one submission."""

    def __init__(self, job: Job, spawn_student: SpawnStudent) -> None:
        self._warm = warm = current()
        self._namespace = instructor_namespace(job.solution.imports if job.solution is not None else {})
        self._plan = Plan(job, warm.shell.transform_cell, self._namespace.instructor_names, warm.rehearsed)
        self._context = Context(
            warm.shared,
            lambda qualname: self._plan.source_of(qualname, self._position),
            earlier=lambda: self._plan.earlier(self._position),
            binds=self._plan.binds,
            has_gpu=warm.has_gpu,
            made=Made(job.solution, self._namespace.own),
        )
        if any(cell.rights.files for cell in job.cells):
            self._context.folder = Folder(self._context)
        self._copies = Copies(spawn_student, self._context, job.files)
        self._budget = Budget(job.seconds)
        self._lost = frozenset(job.lost)
        self._done: set[int] = set()
        self._position = 0
        self._holds = True
        self._culprits: dict[int, CellRun] = {}
        self._machine_tries = 0
        self._machine = ""
        self._knows_hidden = False
        self._has_asked = False
        self._fresh_starts = 0

    def run(self) -> Iterator[CellRun]:
        """Run the student's cells, then the checks; yields each result as it is known.

        Raises:
            SandboxError: The machine gives no process for a student.
        """
        try:
            ran = self._collected()
            for position in self._plan.turns:
                self._position = position
                began = time.monotonic()
                run = self._budget.keep(self._turn(self._plan.cells[position], ran))
                yield msgspec.structs.replace(run, seconds=run.seconds + time.monotonic() - began)
                self._done.add(position)
        finally:
            self._copies.close()

    def _turn(self, cell: Cell, ran: dict[int, CellRun]) -> CellRun:
        position = self._position
        known = ran.get(position)
        if known is not None and known.status is CellStatus.FAULT:
            return known
        try:
            if cell.index in self._lost:
                return verdicts.endless(cell)
            if cell.role is Role.TEST:
                run = self._check_inside(position, cell) if cell.rights.inside else self._check(position, cell)
                # What the machine kept from running may be just what this check is about.
                failed = run.status in (CellStatus.ERROR, CellStatus.STOPPED)
                return verdicts.left_open(cell, self._machine) if self._machine and failed else run
            if cell.role is Role.INSTRUCTOR:
                self._run_here(position, cell)
            else:
                self._namespace.forget(self._plan.taken_over(cell))
        except SandboxError:
            raise
        except Exception as error:
            return verdicts.fault(cell, error)
        return ran[position]

    # --- first: the student's cells ---

    def _collected(self) -> dict[int, CellRun]:
        """What `_collect` gives; where our own machinery breaks in it, that fault for every cell."""
        try:
            return self._collect()
        except SandboxError:
            raise
        except Exception as error:
            return {position: verdicts.fault(cell, error) for position, cell in enumerate(self._plan.cells)}

    def _collect(self) -> dict[int, CellRun]:
        """Run everything that isn't a test in a student process, replaced as often as it must and may be."""
        while True:
            ran: dict[int, CellRun] = {}
            self._knows_hidden = False
            if not self._copies.replace():
                return {p: self._culprits.get(p, verdicts.not_run(cell)) for p, cell in enumerate(self._plan.cells)}
            for position, cell in enumerate(self._plan.cells):
                if not self._advance(position, cell, ran):
                    break
            else:
                self._budget.has_run_once()
                return ran

    def _advance(self, position: int, cell: Cell, ran: dict[int, CellRun], *, puts_aside: bool = True) -> bool:
        """Run one cell, or put a copy aside for a test; False where the process has to be replaced."""
        main = self._copies.main
        if position in self._culprits:
            ran[position] = self._culprits[position]
            return True
        if puts_aside and self._plan.needs_copy(cell) and position not in self._done:
            self._put_aside(position, cell)
        if cell.role is Role.TEST:
            return main.is_usable
        if cell.role is Role.STUDENT:
            return self._run_students(position, cell, ran)
        self._copies.give(cell.time_limit)
        try:
            done = main.run_cell(cell.source, cell.index, instructor=True, draws=cell.draws)
        except BoundaryError as error:
            ran[position] = verdicts.stopped(cell, error, self._copies.why())
            return main.is_usable or self._blame(position, ran[position])
        known = self._warm.rehearsed.get(cell.source)
        ran[position] = verdicts.ran(cell, done.ok, known.outputs if known is not None else done.outputs)
        return True

    def _run_students(self, position: int, cell: Cell, ran: dict[int, CellRun]) -> bool:
        """Run a student's cell, as far as the notebook has time left; False where the process has to be replaced."""
        main, seconds = self._copies.main, self._budget.seconds(cell)
        if not seconds:
            ran[position] = self._budget.refused(cell)
            return True
        self._copies.give(seconds)
        before = self._copies.used()
        try:
            earlier = self._plan.visible_before(cell)
            done = main.run_cell(cell.source, cell.index, instructor=False, draws=cell.draws, earlier=earlier)
        except BoundaryError as error:
            is_late = isinstance(error, StudentOverran) and self._budget.is_over(cell)
            self._budget.spend(self._copies.used() - before)
            if is_late:
                ran[position] = self._end_of_time(position)
                return main.is_usable
            ran[position] = verdicts.stopped(cell, error, self._copies.why())
            return main.is_usable or self._blame(position, ran[position])
        used = self._copies.used() - before
        if self._warm.has_gpu and gpu.met_by(done.outputs):
            self._machine = gpu.FULL
        self._budget.spend(used)
        self._plan.learn(cell, done.binds, done.defines)
        ran[position] = msgspec.structs.replace(verdicts.ran(cell, done.ok, done.outputs), seconds=used)
        return True

    def _end_of_time(self, position: int) -> CellRun:
        """Refuse this cell of the student's and all later ones; those before get the time to run once more.

        The process may be lost with the cell that was stopped, and the checks of earlier answers need one.
        """
        for later, cell in enumerate(self._plan.cells):
            if later >= position and cell.role is Role.STUDENT:
                self._culprits.setdefault(later, self._budget.refused(cell))
        self._budget.begin_again()
        return self._culprits[position]

    def _blame(self, position: int, run: CellRun) -> bool:
        """Remember a cell that ended the process, unless the machine did; then the cell gets another try."""
        machine = self._context.machine()
        if machine and self._machine_tries < MAX_MACHINE_TRIES:
            self._machine_tries += 1
            return False
        self._machine = self._machine or machine
        self._culprits[position] = run
        return False

    def _put_aside(self, position: int, cell: Cell) -> None:
        """Keep what a check will need: the values that it reads, or the process as it is now."""
        if self._holds and cell.role is Role.TEST and not cell.rights.needs_process:
            self._copies.give(cell.time_limit)
            try:
                held = self._hold(cell)
            except BoundaryError:  # its values take too long, or it lies: from now on every check gets a copy
                self._holds, held = False, None
            if held is not None:
                self._copies.keep(position, held)
            if held is not None or not self._copies.main.is_usable:
                return
        is_last = position == self._plan.last and position + 1 == len(self._plan.cells)
        self._copies.put_aside(position, is_last=cell.role is Role.TEST and is_last)

    def _hold(self, cell: Cell) -> Held | None:
        """The values that a check reads; None where it needs a copy of the process."""
        return hold(
            self._copies.main,
            self._plan.text(cell),
            cell.hidden_lines,
            self._plan.defined_before(cell),
            self._plan.ours_before(cell) | self._namespace.instructor_names,
        )

    # --- then: the checks ---

    def _copy_at(self, position: int) -> Session | Held | None:
        """What was kept for a position; where nothing could be, because CUDA had started, a process that is made now.

        It is a fresh one, in which the cells before the position run again. What another check has handed over it
        can't know.
        """
        if not self._warm.has_gpu or self._copies.at(position) is not None:
            return self._copies.at(position)
        self._copies.replacements -= 1  # nothing went wrong, so this one is not counted
        if not self._copies.replace(keeps_values=True):
            return None
        self._budget.lend()
        self._knows_hidden = False
        cells = enumerate(self._plan.cells[:position])
        if all(self._advance(p, cell, {}, puts_aside=False) for p, cell in cells):
            self._copies.keep(position, self._copies.main)
        return self._copies.at(position)

    def _check(self, position: int, cell: Cell) -> CellRun:
        self._copy_at(position)
        knew = self._knows_hidden
        run = self._attempt(position, cell)
        while run is None:
            if not self._rebuild():
                return verdicts.lost(cell)
            knew = self._knows_hidden
            run = self._attempt(position, cell)
        if self._context.withheld and run.status in (CellStatus.OK, CellStatus.ERROR):
            run = self._with_changes(position, cell, run)
        self._knows_hidden = knew or (self._has_asked and verdicts.may_tell_hidden(cell, run))
        # Copies can pass things on to each other: what is said after a hidden check may repeat its arguments.
        if not knew or not verdicts.is_shown(cell, run):
            return run
        # What a check prints when it passes is not worth running the notebook again.
        return verdicts.muted(run) if run.status is CellStatus.OK else self._without_echo(position, cell, run)

    def _with_changes(self, position: int, cell: Cell, run: CellRun) -> CellRun:
        """What a check comes to whose function has changed an argument, which the solution doesn't need to do.

        It has to pass both ways: without, because a student could make the expected value fit his own; with, because
        a test may well ask whether its argument was left alone.
        """
        if self._fresh_starts >= MAX_FRESH_STARTS:
            return verdicts.left_open(cell, _CHANGED)
        self._fresh_starts += 1
        self._copies.replacements -= 1  # nothing went wrong, so this one is not counted
        allowed = msgspec.structs.replace(cell, rights=msgspec.structs.replace(cell.rights, changes=True))
        if not self._rebuild() or (changed := self._attempt(position, allowed)) is None:
            return verdicts.left_open(cell, _CHANGED)
        if run.status is CellStatus.OK:
            return changed
        return verdicts.left_open(cell, _CHANGED) if changed.status is CellStatus.OK else run

    def _without_echo(self, position: int, cell: Cell, run: CellRun) -> CellRun:
        """Have a visible check say what it has to say to a student's process that has seen no hidden one."""
        if run.status is CellStatus.ERROR and self._fresh_starts < MAX_FRESH_STARTS:
            self._fresh_starts += 1
            self._copies.replacements -= 1  # nothing went wrong, so this one is not counted
            if self._rebuild() and (again := self._attempt(position, cell)) is not None:
                self._knows_hidden = self._has_asked and verdicts.may_tell_hidden(cell, again)
                return again
        return verdicts.muted(run)

    def _attempt(self, position: int, cell: Cell) -> CellRun | None:
        """Run a test cell; None where its copy of the student's process is gone before it began."""
        session = self._copy_at(position)
        if session is None:
            return None
        self._has_asked = not isinstance(session, Held)
        self._copies.give(FORKING)
        try:
            connection = self._namespace.connected(session, is_test=cell.role is Role.TEST)
            connection.__enter__()
        except Refused as error:
            self._copies.dismiss(position)
            return verdicts.left_open(cell, verdicts.refused(error))
        except BoundaryError:
            return None
        try:
            self._copies.give(cell.time_limit)
            ours = (c for c in self._plan.cells[:position] if c.role is Role.INSTRUCTOR)
            with share_files(self._context, session, position, cell, ours), students_figures(session, cell):
                run = earlier.run(cell, session, self._plan, self._namespace, self._context, self._copies.give)
        except Refused as error:
            run = verdicts.left_open(cell, verdicts.refused(error))
        finally:
            connection.__exit__(None, None, None)
            if cell.role is Role.TEST:
                self._copies.dismiss(position)
        if isinstance(session, Held) and session.is_short:
            self._holds = False  # it reads more than its text says, so from now on every check gets a copy
            self._copies.replacements -= 1
            return None
        return run

    def _check_inside(self, position: int, cell: Cell) -> CellRun:
        """Run a test cell in the copy of the student's process that was made at its place."""
        session = self._copy_at(position)
        if not isinstance(session, Session) and self._rebuild():
            session = self._copy_at(position)
        if not isinstance(session, Session):
            return verdicts.lost(cell)
        try:
            return run_inside(cell, self._plan.prelude(cell), session, self._copies.give, self._context)
        finally:
            self._copies.dismiss(position)

    def _rebuild(self) -> bool:
        """Run the notebook again up to the checks that are left; for when an earlier check took all copies with it."""
        if all(cell.role is not Role.TEST or p in self._done for p, cell in enumerate(self._plan.cells)):
            return False
        if not self._budget.lets_run_again():
            return False
        self._collect()
        return self._copies.is_alive

    def _run_here(self, position: int, cell: Cell) -> None:
        """Run an instructor's cell in the tester too, for the names that it binds; an error there isn't fatal."""
        if (done := self._warm.adopt(cell.source)) is not None:
            for name, value in rebased(self._namespace, done.bindings).items():
                self._namespace[name] = value
                self._context.shared.register(name, value)
            return
        if not self._plan.is_used(cell):
            return
        session = self._copy_at(position) if self._plan.needs_copy(cell) else None
        if session is not None:
            self._copies.give(cell.time_limit)
        try:
            with self._namespace.connected(session, is_test=False):
                run_in_tester(cell, self._namespace, self._context, self._warm.shell)
        except BoundaryError:
            pass
        for name in bound_names(self._plan.text(cell)):
            if dict.__contains__(self._namespace, name):
                self._context.shared.register(name, self._namespace[name])
