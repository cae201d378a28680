"""Do the tests of an assignment know right answers from wrong ones, and say so where a student can see it?

Authors collect answers as data, `tests/answers/<assignment>/<answer cell>.yaml`: right ones in many styles, wrong ones
that students really write, each with the points that it should earn and words that the messages should contain. Every
answer is graded once, like a submission, and everything that one wants to know is read from that: points, words, which
mistakes the visible checks notice, and how much of a hidden check's message reaches the student.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from grading_utils.authoring.trials import CheckResult, Trials
from grading_utils.boundary.tester.wording import GAP
from grading_utils.course.bundle import Bundle
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.pipeline import EngineFactory
from grading_utils.jobs import CellStatus

FOLDER = Path("tests", "answers")
READABLE_GAPS = 1
"""A message with more gaps than this can't be read."""


@dataclass(frozen=True)
class Tried:
    """What grading one answer showed."""

    cell: str
    name: str
    right: bool
    """Should it earn everything?"""
    lost: bool
    """Did it lose points?"""
    visible: bool
    """Did a visible check notice?"""
    surprises: tuple[str, ...] = ()
    """Points or words that are not as the author wrote them down."""
    messages: tuple[str, ...] = ()
    """Messages of hidden checks, as the student reads them."""


@dataclass(frozen=True)
class Summary:
    """All answers of one assignment, counted."""

    right: int
    right_kept: int
    wrong: int
    wrong_caught: int
    caught_visibly: int
    messages: int
    """Messages of hidden checks that students read."""
    messages_readable: int

    @classmethod
    def of(cls, tried: Iterable[Tried]) -> Summary:
        """Count what came of the answers."""
        everything = list(tried)
        right = [answer for answer in everything if answer.right]
        wrong = [answer for answer in everything if not answer.right]
        messages = [message for answer in everything for message in answer.messages]
        return cls(
            right=len(right),
            right_kept=sum(not answer.lost for answer in right),
            wrong=len(wrong),
            wrong_caught=sum(answer.lost for answer in wrong),
            caught_visibly=sum(answer.visible for answer in wrong),
            messages=len(messages),
            messages_readable=sum(gaps(message) <= READABLE_GAPS for message in messages),
        )

    def row(self, assignment: str) -> str:
        """The assignment's row of the table in docs/course.md."""
        visibly = f"{self.caught_visibly} of {self.wrong} ({self.caught_visibly / max(1, self.wrong):.0%})"
        return (
            f"| {assignment} | {self.right_kept} of {self.right} | {self.wrong_caught} of {self.wrong} | {visibly} "
            f"| {self.messages_readable} of {self.messages} |"
        )


HEADER = "| assignment | right kept | wrong caught | caught visibly | hidden messages readable |\n|---|---|---|---|---|"


def gaps(message: str) -> int:
    """How many parts of a message were taken out."""
    return message.count(GAP)


def read_answers(course: Course, assignment: str) -> dict[str, list[dict[str, Any]]]:
    """The collected answers of an assignment, by answer cell.

    Raises:
        CourseError: A file is no list of answers.
    """
    found = {}
    for path in sorted((course.root / FOLDER / assignment).glob("*.yaml")):
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
            found[path.stem] = [{**entry, "expect": dict(entry["expect"])} for entry in entries]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise CourseError(f"is no list of answers: {error!r}", where=str(path)) from error
    return found


def try_answers(course: Course, bundle: Bundle, make_engine: EngineFactory, *, workers: int = 1) -> Iterator[Tried]:
    """Grade every collected answer of an assignment, yielding what came of each.

    Raises:
        CourseError: A file of answers is not as it should be, or belongs to no answer cell.
        SandboxError: The engine cannot start on this machine.
    """
    collected = read_answers(course, bundle.assignment)
    for name, notebook in bundle.notebooks.items():
        engine = make_engine(bundle, notebook)
        try:
            trials = Trials(course.source(bundle.assignment) / f"{name}.ipynb", notebook, engine)
            if len(bundle.notebooks) == 1 and (unknown := sorted(collected.keys() - trials.checks.keys())):
                raise CourseError(f"answers to cells that do not exist: {unknown}", where=bundle.assignment)
            work = [(cell, answer) for cell in trials.checks for answer in collected.get(cell, [])]
            with ThreadPoolExecutor(max_workers=workers) as pool:
                yield from pool.map(partial(_try, trials), work)
        finally:
            engine.close()


def _try(trials: Trials, work: tuple[str, dict[str, Any]]) -> Tried:
    cell, answer = work
    checks = trials.grade(cell, answer["source"])
    points = {name: check.result.score for name, check in checks.items()}
    said = "\n".join(map(_everything_said, checks.values()))
    surprises = [
        f"{name} gave {_number(points[name])}, not {_number(answer['expect'].get(name))}. "
        f"{_everything_said(check)[-300:]}"
        for name, check in checks.items()
        if points[name] != answer["expect"].get(name)
    ]
    surprises += [
        f"no message says {word!r}: {said[-600:]}" for word in answer.get("message_contains", []) if word not in said
    ]
    failed = [check for check in checks.values() if check.result.score != check.result.max_score]
    hidden = [check for check in failed if check.run is not None and check.run.hidden]
    full = {name: check.result.max_score for name, check in checks.items()}
    return Tried(
        cell=cell,
        name=answer["name"],
        right=all(answer["expect"].get(name) == points for name, points in full.items()),
        lost=bool(failed),
        visible=len(failed) > len(hidden),
        surprises=tuple(surprises),
        messages=tuple(check.result.message for check in hidden),
    )


def _everything_said(check: CheckResult) -> str:
    """What the student reads, and what only the instructor does."""
    if check.run is None or check.run.status is CellStatus.OK:
        return ""
    errors = [output for output in check.run.outputs if output["output_type"] == "error"]
    return "\n".join([check.result.message, *(f"{error['ename']}: {error['evalue']}" for error in errors)])


def _number(points: float | None) -> str:
    return "an open score" if points is None else f"{points:g}"
