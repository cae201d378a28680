"""Grade a class: every submission from its untrusted bytes to its scores.

For each submission: read → restore → run → score → write `autograded/` → record. Reading and running happen for
several submissions at once; the gradebook has one writer. One bad submission never stops another, nothing in
`submitted/` is ever changed, and a fault of ours is reported as that instead of as a wrong answer.
"""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from nbgrader.utils import compute_checksum

from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import nbgrader_metadata
from grading_utils.course.course import Course
from grading_utils.errors import GradingError, MachineError, SandboxError, SubmissionError
from grading_utils.grading.autograded import Staged, write_autograded
from grading_utils.grading.changed_answers import CHANGED, changed_answers
from grading_utils.grading.decisions import Decisions
from grading_utils.grading.gradebook import GradebookWriter
from grading_utils.grading.jobs import Engine, make_job
from grading_utils.grading.scoring import insert_outputs, leave_open, score_cells
from grading_utils.grading.terms import Terms, terms
from grading_utils.intake.beside import files_beside
from grading_utils.intake.reading import read_notebook
from grading_utils.intake.restoring import restore
from grading_utils.intake.submission import Submission, open_submission
from grading_utils.results import CellResult, Status, SubmissionResult

_CONCERNS_EVERYBODY = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EIO)
"""Errors of the machine that the next submission would meet as well; what was graded before is kept."""

_EARLIER = "; the points are those of an earlier hand-in, which was graded"

EngineFactory = Callable[[Bundle, NotebookBundle], Engine]


@dataclass
class _Outcome:
    """One submission after everything that can run beside others: all but the gradebook."""

    student: str
    seconds: float = 0.0
    failure: str = ""
    timestamp: datetime | None = None
    attention: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    scores: dict[str, list[CellResult]] = field(default_factory=dict)
    unanswered: dict[str, frozenset[str]] = field(default_factory=dict)
    changed: dict[str, frozenset[str]] = field(default_factory=dict)
    staged: Staged | None = None
    """What is to stand in `autograded/` once the gradebook has it."""


def grade(
    course: Course,
    bundle: Bundle,
    students: Sequence[str],
    make_engine: EngineFactory,
    *,
    workers: int = 1,
    ahead: Callable[[], int] | None = None,
    everything: bool = False,
    inside: Collection[str] = (),
    apart_only: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[SubmissionResult]:
    """Grade one assignment for some students, yielding each result as it is recorded.

    Args:
        course: The course; results go to its `autograded/` folder and gradebook.
        bundle: The assignment.
        students: Ids of the students whose submissions to grade.
        make_engine: Starts the engine for one notebook of the bundle.
        workers: How many submissions to run at the same time at most.
        ahead: Says how many to have begun, asked again whenever one is done; without it, two for each worker.
        everything: Whether to do what no score needs as well; see `jobs.make_job`.
        inside: Checks (by `grade_id`) that a person wants to run inside for these students; remembered for as long as
            what they have handed in stays the same.
        apart_only: Refuse an assignment that has checks which run inside, and run none inside that a person asked for.
        tell: Takes what concerns the whole class, one line for each thing.

    Raises:
        AuthoringError: There is no such check, or one runs inside that may not.
        CourseError: The gradebook cannot be used.
        SandboxError: The engine cannot start on this machine.
    """
    engines: dict[str, Engine] = {}
    with GradebookWriter(course) as gradebook:
        bundle = gradebook.sync(bundle, tell)
        try:
            for name, notebook in bundle.notebooks.items():
                engines[name] = make_engine(bundle, notebook)
            known = terms(course, bundle, engines, inside=inside, apart_only=apart_only, tell=tell)
            decisions = Decisions(course, bundle.assignment)
            if inside:
                decisions.add(students, inside)

            def terms_of(name: str) -> dict[str, Terms]:
                asked = frozenset[str]() if apart_only else decisions.of(name)
                return {notebook: there.with_inside(asked) for notebook, there in known.items()}

            with ThreadPoolExecutor(max_workers=workers) as pool:

                def begin(name: str) -> Future[_Outcome]:
                    return pool.submit(_grade_one, course, bundle, name, engines, terms_of, everything)

                for outcome in _in_turn(begin, students, ahead or (lambda: 2 * workers)):
                    yield _record(gradebook, bundle, outcome)
        finally:
            for engine in engines.values():
                engine.close()


def _in_turn(
    begin: Callable[[str], Future[_Outcome]], students: Iterable[str], ahead: Callable[[], int]
) -> Iterator[_Outcome]:
    """Outcomes as they come, with only as much begun as the workers need: a large class takes no more memory."""
    names = iter(students)
    waiting = {begin(name) for name in islice(names, ahead())}
    try:
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            waiting |= {begin(name) for name in islice(names, max(0, ahead() - len(waiting)))}
            whole = [future for future in done if future.exception() is None]
            yield from sorted((future.result() for future in whole), key=lambda outcome: outcome.student)
            for future in done.difference(whole):
                future.result()  # raises: the machine is in trouble
    finally:
        for future in waiting:
            future.cancel()


def _grade_one(
    course: Course,
    bundle: Bundle,
    student: str,
    engines: dict[str, Engine],
    terms_of: Callable[[str], dict[str, Terms]],
    everything: bool,
) -> _Outcome:
    """Everything about one submission that needs no gradebook; raises for a machine in trouble only."""
    outcome = _Outcome(student)
    started = time.monotonic()
    try:
        with open_submission(course.submitted(bundle.assignment, student), set(bundle.notebooks)) as submission:
            files, known = files_beside(submission), terms_of(student)
            outcome.timestamp = submission.timestamp
            outcome.attention += submission.attention
            outcome.repairs += submission.repairs
            graded = {
                name: _grade_notebook(submission, files, notebook, engines[name], known[name], outcome, everything)
                for name, notebook in bundle.notebooks.items()
            }
            outcome.changed = changed_answers(course.autograded(bundle.assignment, student), graded)
            outcome.staged = write_autograded(course, bundle, student, submission, graded)
    except SubmissionError as error:
        outcome.failure = str(error)
    except MachineError:
        raise  # the next submission would meet it as well
    except SandboxError as error:
        outcome.failure = f"the grading machinery failed, not the student: {error}"
    except GradingError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _CONCERNS_EVERYBODY:
            raise error.__cause__ from error
        outcome.failure = str(error)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _CONCERNS_EVERYBODY:
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome.failure = (
            f"an error in grading-utils, not the student's: {type(error).__name__}: {error} "
            f"({where.name}, line {where.lineno}); please report it"
        )
    outcome.seconds = time.monotonic() - started
    return outcome


def _grade_notebook(
    submission: Submission,
    files: tuple[tuple[str, bytes], ...],
    bundle: NotebookBundle,
    engine: Engine,
    terms: Terms,
    outcome: _Outcome,
    everything: bool,
) -> Any:
    """Run and score one notebook; returns it with outputs, or None where the student handed in none."""
    path = submission.notebooks.get(bundle.name)
    if path is None:
        outcome.attention.append(f"there is no notebook {bundle.name}.ipynb")
        outcome.scores[bundle.name] = [
            CellResult(grade_id=name, score=0.0, max_score=float(entry["points"]), message="the notebook is missing")
            for name, cell in bundle.managed.items()
            if (entry := nbgrader_metadata(cell)).get("grade") or entry.get("task")
        ]
        return None
    submitted, notes = read_notebook(path)
    restored = restore(submitted, bundle)
    outcome.attention += notes + restored.attention
    outcome.repairs += restored.repairs
    notebook = restored.notebook
    job = make_job(notebook, bundle, rights=terms.rights, solution=terms.solution, everything=everything)
    run = engine.run(msgspec.structs.replace(job, files=files))
    insert_outputs(notebook, run)
    leave_open(notebook, terms.open)
    results = [
        msgspec.structs.replace(result, inside=terms.inside.get(result.grade_id, ""))
        for result in score_cells(notebook, run)
    ]
    outcome.scores[bundle.name] = results
    outcome.attention += [f"{result.grade_id} is open: {result.open}" for result in results if result.open]
    outcome.unanswered[bundle.name] = frozenset(
        entry["grade_id"]
        for cell in notebook.cells
        if (entry := nbgrader_metadata(cell)).get("solution") and entry.get("checksum") == compute_checksum(cell)
    )
    return notebook


def _record(gradebook: GradebookWriter, bundle: Bundle, outcome: _Outcome) -> SubmissionResult:
    worth = sum(
        float(entry["points"])
        for notebook in bundle.notebooks.values()
        for cell in notebook.managed.values()
        if (entry := nbgrader_metadata(cell)).get("grade") or entry.get("task")
    )
    if outcome.failure:
        before = gradebook.earlier(outcome.student, bundle.assignment)
        return SubmissionResult(
            student=outcome.student,
            assignment=bundle.assignment,
            status=Status.FAILED,
            score=sum(cell.score or 0.0 for cell in before),
            max_score=worth,
            message=_in_one_line(outcome.failure + (_EARLIER if before else "")),
            seconds=round(outcome.seconds, 3),
            cells=tuple(before),
        )
    counted = gradebook.record(
        outcome.student, bundle.assignment, outcome.scores, outcome.unanswered, outcome.timestamp, outcome.changed
    )
    if outcome.staged is not None:
        outcome.staged.put()
    cells = tuple(result for name in bundle.notebooks for result in counted.get(name, ()))
    outcome.attention += [f"{cell.grade_id} {CHANGED}" for cell in cells if cell.open == CHANGED]
    return SubmissionResult(
        student=outcome.student,
        assignment=bundle.assignment,
        status=Status.NEEDS_ATTENTION if outcome.attention else Status.GRADED,
        score=sum(cell.score or 0.0 for cell in cells),
        max_score=worth,
        message=_in_one_line("; ".join(outcome.attention + outcome.repairs)),
        seconds=round(outcome.seconds, 3),
        penalty=gradebook.penalty(outcome.student, bundle.assignment),
        cells=cells,
    )


def _in_one_line(text: str) -> str:
    """The text without line breaks and control characters, which the names of a student's files may hold."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
