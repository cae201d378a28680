"""Do submissions and collected answers get the same points on two devices? Grades both on each, and compares.

What is graded is what lies in `submitted/` (the sample class, say) and the answers in `tests/answers/`. Nothing is
written but what calibration learns; the gradebook is not opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec

from grading_utils.authoring.answers import read_answers
from grading_utils.authoring.trials import Trials
from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.course import Course
from grading_utils.errors import SubmissionError
from grading_utils.grading.jobs import Engine, make_job
from grading_utils.grading.pipeline import EngineFactory
from grading_utils.grading.scoring import insert_outputs, score_cells
from grading_utils.grading.terms import Terms, terms
from grading_utils.intake.beside import files_beside
from grading_utils.intake.reading import read_notebook
from grading_utils.intake.restoring import restore
from grading_utils.intake.submission import open_submission

Points = dict[tuple[str, str], float | None]
"""By whose work it is (a student, or an answer cell and an answer) and the check; None waits for a person."""

HEADER = (
    "| assignment | submissions and answers | checks | same points | open on one of them | other points |\n"
    "|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Agreement:
    """Two devices on the same work of one assignment."""

    assignment: str
    first: Points
    second: Points

    @property
    def differing(self) -> list[str]:
        """The checks that did not come out the same, in words."""
        pairs = {key: (self.first.get(key), self.second.get(key)) for key in self.first.keys() | self.second.keys()}
        return [
            f"{whose}: {check}: {_number(one)} and {_number(other)}"
            for (whose, check), (one, other) in sorted(pairs.items(), key=lambda pair: pair[0])
            if one != other
        ]

    @property
    def row(self) -> str:
        """The assignment's row under `HEADER`."""
        keys = self.first.keys() | self.second.keys()
        pairs = [(self.first.get(key), self.second.get(key)) for key in keys]
        same = sum(one == other for one, other in pairs)
        opened = sum(one != other and None in (one, other) for one, other in pairs)
        work = len({whose for whose, _ in keys})
        return f"| {self.assignment} | {work} | {len(keys)} | {same} | {opened} | {len(keys) - same - opened} |"


def measure(
    course: Course, bundle: Bundle, first: EngineFactory, second: EngineFactory, *, workers: int = 1
) -> Agreement:
    """Grade everything that there is of an assignment with two kinds of engine.

    Raises:
        SandboxError: An engine cannot start on this machine.
        MachineError: It has no such device.
    """
    points = [dict(_points(course, bundle, make_engine, workers)) for make_engine in (first, second)]
    return Agreement(bundle.assignment, *points)


def _points(
    course: Course, bundle: Bundle, make_engine: EngineFactory, workers: int
) -> Iterator[tuple[tuple[str, str], float | None]]:
    answers = read_answers(course, bundle.assignment)
    engines: dict[str, Engine] = {}
    try:
        for name, notebook in bundle.notebooks.items():
            engines[name] = make_engine(bundle, notebook)
        known = terms(course, bundle, engines, tell=lambda _: None)
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for name, notebook in bundle.notebooks.items():

                def of_student(student: str, notebook: NotebookBundle = notebook) -> Points:
                    engine, its_terms = engines[notebook.name], known[notebook.name]
                    return _of_submission(course, bundle, notebook, student, engine, its_terms)

                for points in pool.map(of_student, course.students(bundle.assignment)):
                    yield from points.items()
                trials = Trials(course.source(bundle.assignment) / f"{name}.ipynb", notebook, engines[name])
                work = [(cell, answer) for cell in trials.checks for answer in answers.get(cell, [])]
                for points in pool.map(lambda one, trials=trials: _of_answer(trials, *one), work):
                    yield from points.items()
    finally:
        for engine in engines.values():
            engine.close()


def _of_submission(
    course: Course, bundle: Bundle, notebook: NotebookBundle, student: str, engine: Engine, terms: Terms
) -> Points:
    """One notebook of one student; nothing where it can't be read, which no device changes."""
    try:
        with open_submission(course.submitted(bundle.assignment, student), set(bundle.notebooks)) as submission:
            path = submission.notebooks.get(notebook.name)
            if path is None:
                return {}
            restored = restore(read_notebook(path)[0], notebook).notebook
            files = files_beside(submission)
    except SubmissionError:
        return {}
    job = make_job(restored, notebook, rights=terms.rights, solution=terms.solution, everything=False)
    run = engine.run(msgspec.structs.replace(job, files=files))
    insert_outputs(restored, run)
    automatic = {cell.grade_id for cell in job.cells}
    return {(student, r.grade_id): r.score for r in score_cells(restored, run) if r.grade_id in automatic}


def _of_answer(trials: Trials, cell: str, answer: dict[str, str]) -> Points:
    whose = f"{cell}: {answer['name']}"
    return {(whose, name): check.result.score for name, check in trials.grade(cell, answer["source"]).items()}


def _number(points: float | None) -> str:
    return "open" if points is None else f"{points:g}"
