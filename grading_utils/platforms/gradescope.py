"""Grading one submission inside a Gradescope autograder: from its folders to its `results.json`.

`run_autograder` of the bundle calls `main`. Whatever goes wrong, results are written: students then read that grading
did not work and that it is not their fault, instructors read why. Making the bundle is in `bundle`.
"""

from __future__ import annotations

import shutil
import sys
import time
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import SandboxError
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.pipeline import grade
from grading_utils.results import CellResult, Status, SubmissionResult

SETTINGS = "gradescope.json"


class Settings(msgspec.Struct, frozen=True):
    """What the instructor chose when the bundle was made.

    Attributes:
        visibility: Of each question: `visible`, `after_due_date`, `after_published` or `hidden`.
        without_isolation: Grade without a sandbox where the platform does not let us build one.
    """

    assignment: str
    visibility: str = "visible"
    without_isolation: bool = False


class _User(msgspec.Struct):
    id: int | str = ""
    email: str = ""


class _Metadata(msgspec.Struct):
    """The part of `submission_metadata.json` that grading uses."""

    users: list[_User] = []
    created_at: str = ""


def main(root: str = "/autograder") -> None:
    """Grade what lies in `<root>/submission` and write `<root>/results/results.json`."""
    started = time.monotonic()
    base = Path(root)
    try:
        results = _autograde(base)
    except Exception as error:
        results = _trouble(str(error) or type(error).__name__, traceback.format_exc())
    results["execution_time"] = round(time.monotonic() - started, 2)
    target = base / "results" / "results.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))


def _autograde(base: Path) -> dict[str, Any]:
    course_folder = base / "source" / "course"
    settings = msgspec.json.decode((course_folder / SETTINGS).read_bytes(), type=Settings)
    told = base / "submission_metadata.json"
    metadata = msgspec.json.decode(told.read_bytes(), type=_Metadata) if told.exists() else _Metadata()
    student = str(metadata.users[0].id) if metadata.users else "student"
    course = Course.open(course_folder)
    target = course.submitted(settings.assignment, student)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(base / "submission", target, symlinks=True)
    if metadata.created_at:
        when = datetime.fromisoformat(metadata.created_at).astimezone(UTC)
        (target / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S} UTC\n")
    try:
        (result,) = _graded(course, settings, student, isolate=True)
    except SandboxError:
        if not settings.without_isolation:
            raise
        print("graded without isolation: this platform does not allow a sandbox", file=sys.stderr)
        (result,) = _graded(course, settings, student, isolate=False)
    return as_results(result, settings.visibility)


def _graded(course: Course, settings: Settings, student: str, *, isolate: bool) -> list[SubmissionResult]:
    bundle = build_bundle(course, settings.assignment)
    return list(grade(course, bundle, [student], engine_factory(course, isolate=isolate)))


def as_results(result: SubmissionResult, visibility: str) -> dict[str, Any]:
    """Gradescope's `results.json` for what grading produced.

    Args:
        result: One submission's.
        visibility: Of each question.

    Returns:
        A score that counts what was graded by machine; messages are those that students may read.
    """
    if result.status is Status.FAILED:
        return {
            "score": 0,
            "output": f"Not graded: {result.message}",
            "output_format": "text",
            "visibility": "visible",
            "stdout_visibility": "hidden",
        }
    waiting = [cell.grade_id for cell in result.cells if cell.score is None]
    notes = [f"A person grades: {', '.join(waiting)}."] if waiting else []
    return {
        "score": round(sum(cell.score or 0.0 for cell in result.cells), 5),
        "output": "\n".join(notes),
        "output_format": "text",
        "test_output_format": "text",
        "stdout_visibility": "hidden",
        "tests": [_test(cell, visibility) for cell in _by_machine(result.cells)],
        "extra_data": {"status": str(result.status), "message": result.message},
    }


def _by_machine(cells: Iterable[CellResult]) -> list[CellResult]:
    return [cell for cell in cells if cell.score is not None]


def _test(cell: CellResult, visibility: str) -> dict[str, Any]:
    assert cell.score is not None
    return {
        "name": cell.grade_id,
        "score": round(cell.score, 5),
        "max_score": cell.max_score,
        "status": "passed" if cell.score >= cell.max_score else "failed",
        "output": cell.message,
        "visibility": visibility,
    }


def _trouble(message: str, trace: str) -> dict[str, Any]:
    return {
        "score": 0,
        "output": "Grading did not work. This is not your fault; your instructor can see the reason.",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {"name": "grading itself", "status": "failed", "output": f"{message}\n\n{trace}", "visibility": "hidden"}
        ],
    }


if __name__ == "__main__":
    main(*sys.argv[1:2])
