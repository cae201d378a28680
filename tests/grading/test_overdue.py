"""A tester that is not done in time is ended from outside: it costs the check that it was at."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from grading_utils.course.course import Course
from grading_utils.grading import sandbox_engine
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import make_job
from grading_utils.intake.restoring import restore
from grading_utils.jobs import CellStatus, Role
from grading_utils.sandbox.policy import Policy

from ..conftest import ASSIGNMENT


@pytest.mark.slow  # it waits for two testers to be late
def test_a_notebook_that_takes_ten_times_its_limits_costs_the_check_that_did(
    small_course: Course, small_bundle: Any, solution: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Policy().patience == 10
    notebook = small_bundle.notebooks[ASSIGNMENT]
    job = make_job(restore(solution, notebook).notebook, notebook)
    checks = [cell for cell in job.cells if cell.role is Role.TEST]
    slow = msgspec.structs.replace(checks[0], source=f"import time\ntime.sleep(1000)\n{checks[0].source}")
    cells = tuple(slow if cell is checks[0] else cell for cell in job.cells)
    seconds = job.seconds + sum(cell.time_limit for cell in job.cells if cell.role is not Role.STUDENT)
    monkeypatch.setattr(sandbox_engine, "_SLACK_SECONDS", 15 - 10 * seconds)
    engine = engine_factory(small_course, isolate=True)(small_bundle, notebook)
    try:
        run = engine.run(msgspec.structs.replace(job, cells=cells))
    finally:
        engine.close()
    ended = {cell.index: cell.status for cell in run.cells}
    assert [ended[cell.index] for cell in checks] == [CellStatus.STOPPED, *[CellStatus.OK] * (len(checks) - 1)]
