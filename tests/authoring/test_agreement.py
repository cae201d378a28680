"""Two devices on the same work: what agrees, what doesn't, and what is said where there is only one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from grading_utils.authoring.agreement import measure
from grading_utils.cli import main
from grading_utils.course.bundle import Bundle, NotebookBundle, build_bundle
from grading_utils.course.course import Course
from grading_utils.devices import nvidia
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import Engine, NotebookRun
from grading_utils.jobs import Job

from ..conftest import ASSIGNMENT, cell_named, hand_in

ANSWERS = """
- name: keeps the case
  expect: {commonest-test: 1}
  source: commonest = 'la'
- name: the second most frequent
  expect: {commonest-test: 0}
  source: commonest = 'di'
"""


@pytest.fixture
def course(small_course: Course, solution: Any) -> Course:
    hand_in(small_course, "amara", solution)
    cell_named(solution, "commonest").source = "commonest = 'da'"
    hand_in(small_course, "bo", solution)
    hand_in(small_course, "cleo", b"no notebook")
    folder = small_course.root / "tests" / "answers" / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / "commonest.yaml").write_text(ANSWERS)
    return small_course


def test_a_device_agrees_with_itself(course: Course) -> None:
    result = CliRunner().invoke(main, ["agreement", "--device", "cpu", "--course", str(course.root)])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == f"| {ASSIGNMENT} | 4 | 6 | 6 | 0 | 0 |"
    assert not course.has_gradebook
    assert not course.autograded(ASSIGNMENT, "amara").exists()


class Disturbed:
    """An engine of a device that computes something else in one answer of everybody's."""

    isolated = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.device = engine.device

    def run(self, job: Job) -> NotebookRun:
        cells = [
            msgspec.structs.replace(cell, source=f"{cell.source}\ncommonest = commonest.replace('la', 'al')")
            if cell.grade_id == "commonest"
            else cell
            for cell in job.cells
        ]
        return self._engine.run(msgspec.structs.replace(job, cells=tuple(cells)))

    def close(self) -> None:
        self._engine.close()


def test_what_another_device_grades_differently_is_listed(course: Course) -> None:
    undisturbed = engine_factory(course, isolate=True)
    bundle = build_bundle(course, ASSIGNMENT)

    def disturbed(bundle: Bundle, notebook: NotebookBundle) -> Engine:
        return Disturbed(undisturbed(bundle, notebook))

    agreement = measure(course, bundle, undisturbed, disturbed, workers=2)
    assert agreement.row == f"| {ASSIGNMENT} | 4 | 6 | 4 | 0 | 2 |"
    assert agreement.differing == [
        "amara: commonest-test: 1 and 0",
        "commonest: keeps the case: commonest-test: 1 and 0",
    ]


def test_without_a_gpu_it_is_one_line(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvidia, "ROOT", tmp_path)
    result = CliRunner().invoke(main, ["agreement", "--course", str(course.root)])
    assert result.exit_code == 3
    assert result.output.startswith("grading-utils: cuda can't be used: there is no such GPU")
    assert result.output.count("\n") == 1


def test_a_device_that_there_is_not_is_wrong_use(course: Course) -> None:
    for option in ("--device", "--against"):
        result = CliRunner().invoke(main, ["agreement", option, "gpu", "--course", str(course.root)])
        assert result.exit_code == 2, result.output
