"""A warm process that something outside ends is started again, and the class is graded to its end."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from grading_utils.course.course import Course
from grading_utils.errors import SandboxError
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import NotebookRun, make_job
from grading_utils.grading.lasting import LastingEngine
from grading_utils.grading.pipeline import grade
from grading_utils.intake.restoring import restore
from grading_utils.jobs import CellStatus
from grading_utils.results import Status

from ..conftest import ASSIGNMENT, cell_named, hand_in
from ..sandbox.conftest import end_jails, jails


def test_a_warm_process_that_is_killed_in_the_middle_of_a_class_costs_nobody_anything(
    small_course: Course, small_bundle: Any, solution: Any
) -> None:
    for student in "abcdef":
        hand_in(small_course, student, solution)
    others, results = jails(), {}
    for result in grade(small_course, small_bundle, list("abcdef"), engine_factory(small_course, isolate=True)):
        if len(results) in (1, 3):
            end_jails(others)
        results[result.student] = (result.status, result.score)
    assert results == dict.fromkeys("abcdef", (Status.GRADED, 3.0))


def test_it_is_started_again_in_the_middle_of_a_notebook(
    small_course: Course, small_bundle: Any, solution: Any
) -> None:
    cell_named(solution, "commonest").source += "\nimport time; time.sleep(1)"
    notebook = small_bundle.notebooks[ASSIGNMENT]
    others = jails()
    engine = engine_factory(small_course, isolate=True)(small_bundle, notebook)
    killing = threading.Timer(0.7, lambda: end_jails(others))
    try:
        killing.start()
        run = engine.run(make_job(restore(solution, notebook).notebook, notebook))
    finally:
        killing.join()
        engine.close()
    assert {cell.status for cell in run.cells} == {CellStatus.OK}


class Dying:
    """An engine whose processes end whenever it is used."""

    isolated = True
    device = "cpu"
    started = 0

    def __init__(self) -> None:
        Dying.started += 1
        self.is_closed = False

    def run(self, job: Any) -> NotebookRun:
        raise SandboxError("ended")

    def is_gone(self) -> bool:
        return True

    def close(self) -> None:
        self.is_closed = True


def test_who_ends_two_in_a_row_is_given_up_and_each_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "started", 0)
    engine = LastingEngine(Dying)
    first = engine._engine
    with pytest.raises(SandboxError, match="ended"):
        engine.run(None)  # type: ignore[arg-type]
    assert (Dying.started, first.is_closed) == (2, True)
    engine.close()
    with pytest.raises(SandboxError):
        engine.run(None)  # type: ignore[arg-type]
    assert Dying.started == 2


def test_an_engine_that_breaks_but_lives_is_not_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Dying, "started", 0)
    monkeypatch.setattr(Dying, "is_gone", lambda self: False)
    engine = LastingEngine(Dying)
    with pytest.raises(SandboxError):
        engine.run(None)  # type: ignore[arg-type]
    assert Dying.started == 1
