"""Whatever ends a grader, and whenever: grading again finishes the class with nothing lost, doubled or changed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grading_utils.course.course import Course
from grading_utils.reporting.differences import Kind, compare

from ..conftest import ASSIGNMENT, ROOT
from ..grading import postgres
from . import soak

PLACES = (
    ("grading_utils.patches:finish_new_gradebook", "before", 1),
    ("grading_utils.grading.gradebook:GradebookWriter._save_cells", "before", 1),
    ("grading_utils.grading.gradebook:GradebookWriter._save_cells", "after", 1),
    ("grading_utils.grading.pipeline:write_autograded", "after", 2),
    ("grading_utils.grading.gradebook:GradebookWriter.record", "before", 2),
    ("grading_utils.grading.gradebook:GradebookWriter.record", "after", 1),
    ("grading_utils.grading.autograded:Staged.put", "after", 2),
    ("grading_utils.reporting.recorder:Recorder.add", "after", 2),
    ("grading_utils.reporting.recorder:merge_json", "before", 1),
    ("grading_utils.reporting.recorder:remember", "before", 1),
    ("grading_utils.reporting.recorder:keep", "before", 1),
)


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class of which one was graded, by a person too, and has handed in again; the others were never graded."""
    return soak.make_class(tmp_path_factory.mktemp("class") / "course", 4)


@pytest.fixture(scope="module")
def undisturbed(disturbed: Course, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the class looks like when nothing happens."""
    twin = Course.open(shutil.copytree(disturbed.root, tmp_path_factory.mktemp("twin") / "course"))
    assert soak.grade(twin) == 1  # an answer that a person graded has changed
    state = soak.end_state(twin)
    assert next(row for row in state["gradebook"] if row[0] == "s0" and row[2] == "why")[4:] == (1.5, True)
    return state


@pytest.fixture
def course(disturbed: Course, tmp_path: Path) -> Course:
    return Course.open(shutil.copytree(disturbed.root, tmp_path / "course"))


@pytest.mark.parametrize(("place", "when", "count"), PLACES, ids=lambda value: str(value).rpartition(":")[2])
def test_killed_at_a_place_it_is_finished_by_grading_again(
    course: Course, undisturbed: dict[str, Any], place: str, when: str, count: int
) -> None:
    if place.endswith("gradebook"):
        (course.root / "gradebook.db").unlink()
    if "_save_cells" in place:  # what it saves is known already unless the assignment has changed
        source = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
        source.write_text(source.read_text().replace("count every word", "count each word"))
    command = [sys.executable, "-m", "tests.crashes.dies", place, when, str(count)]
    done = subprocess.run([*command, *soak.command(course)[1:]], capture_output=True, check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert soak.finish(course) == 1
    found = soak.end_state(course)
    if place.endswith("gradebook") or "_save_cells" in place:
        assert [row[:4] for row in found["gradebook"]] == [row[:4] for row in undisturbed["gradebook"]]
        assert found["left over"] == []
    else:
        assert found == undisturbed


def test_what_was_recorded_before_a_kill_is_not_graded_again(course: Course) -> None:
    place = ("grading_utils.reporting.recorder:Recorder.add", "after", "3")
    command = [sys.executable, "-m", "tests.crashes.dies", *place, *soak.command(course)[1:]]
    assert subprocess.run(command, capture_output=True, check=False, cwd=ROOT).returncode == -signal.SIGKILL
    done = subprocess.run(soak.command(course), capture_output=True, text=True, check=False)
    assert f"{ASSIGNMENT}: 3 unchanged since they were graded" in done.stderr


def test_killed_at_random_the_class_ends_as_if_nothing_had_happened(
    course: Course, undisturbed: dict[str, Any]
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(3):
        soak.kill_coordinator(course, chance, 5.0)
    soak.kill_workers(course, chance, 3, "--again")
    assert soak.finish(course) <= 2
    assert soak.end_state(course) == undisturbed


def _can_mount() -> bool:
    return (
        os.geteuid() == 0
        and subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not _can_mount(), reason="only root can make a small disk")
@pytest.mark.parametrize("blocks", [0, 2])
def test_a_full_disk_loses_nothing(disturbed: Course, undisturbed: dict[str, Any], blocks: int) -> None:
    command = ["unshare", "--mount", sys.executable, "-m", "tests.crashes.full_disk", str(disturbed.root), str(blocks)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    code, again, state = done.stdout.splitlines()
    assert (code, again) == ("3", "1")
    assert state == repr(undisturbed)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    where = postgres.programs()
    if where is None:
        pytest.skip("no PostgreSQL here: neither the system's nor the package pgserver")
    with postgres.server(where) as url:
        yield url


def _at_once(*commands: list[str]) -> list[tuple[int, str]]:
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for command in commands]
    outputs = [process.communicate()[0].decode() for process in running]
    return [(process.returncode, output) for process, output in zip(running, outputs, strict=True)]


def test_two_graders_of_one_folder_do_each_others_work_no_harm(course: Course, undisturbed: dict[str, Any]) -> None:
    for code, output in _at_once(soak.command(course), soak.command(course)):
        assert code == 1, output
    assert soak.end_state(course) == undisturbed


def test_two_machines_with_one_postgresql_gradebook_do_each_others_work_no_harm(
    course: Course, tmp_path: Path, database: str
) -> None:
    alone = Course.open(shutil.copytree(course.root, tmp_path / "alone"))
    (alone.root / "gradebook.db").unlink()
    assert soak.grade(alone, "--again") == 0
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write(f'\nc.CourseDirectory.db_url = "{database}"\n')
    machines = [Course.open(shutil.copytree(course.root, tmp_path / name)) for name in ("one", "two")]
    for code, output in _at_once(*(soak.command(machine, "--again") for machine in machines)):
        assert code == 0, output
    differences = compare(alone.root / "gradebook.db", database)
    assert {difference.kind for difference in differences} == {Kind.SAME}
    assert len(differences) == 4 * 3
    for machine in machines:
        assert soak.end_state(machine)["results"] == soak.end_state(alone)["results"]


def test_a_grader_killed_while_it_writes_to_postgresql_is_finished_by_grading_again(
    course: Course, undisturbed: dict[str, Any], database: str, tmp_path: Path
) -> None:
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write(f'\nc.CourseDirectory.db_url = "{database}"\n')
    course = Course.open(course.root)
    for count, place in enumerate(("record", "_penalize"), start=1):
        where = (f"grading_utils.grading.gradebook:GradebookWriter.{place}", "after", str(count))
        command = [sys.executable, "-m", "tests.crashes.dies", *where, *soak.command(course, "--again")[1:]]
        assert subprocess.run(command, capture_output=True, check=False, cwd=ROOT).returncode == -signal.SIGKILL
    assert soak.finish(course) == 1
    assert [row[:4] for row in soak.end_state(course)["gradebook"]] == [row[:4] for row in undisturbed["gradebook"]]
