"""Every step of every workflow file runs, in the bare environment of a runner."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, ROOT, hand_in
from .ci_runner import TOOLS, Runner, Step, step, steps

GRADE = step("grade.yml", "Grade")
TRIED_BELOW = {
    ("grade.yml", "Fetch what students handed in"),
    ("grade.yml", "Install the grader"),
    ("grade.yml", "Let the sandbox make user namespaces"),
    ("grade.yml", "Grade"),
    ("test.yml", "Let the sandbox make user namespaces"),
    ("test.yml", "Set up"),
    ("test.yml", "Check"),
    ("test.yml", "Test as an ordinary user"),
    ("test.yml", "Test as root"),
    (".gitlab-ci.yml", "test"),
    ("grade.gitlab-ci.yml", "grade"),
}
ONE_TEST = "-p no:cacheprovider -k test_harmless_html"
"""Of the whole suite, which this is a part of, the steps that run it run this much."""


@pytest.fixture
def runner() -> Iterator[Runner]:
    """A runner in a folder that an ordinary user may enter; pytest's own are root's alone."""
    folder = Path("/var/tmp") / f"runner-{os.getpid()}"
    yield Runner(folder)
    shutil.rmtree(folder)


@pytest.fixture
def course(runner: Runner, small_course: Course) -> Course:
    return Course.open(shutil.copytree(small_course.root, runner.folder / "course"))


def test_every_step_is_tried() -> None:
    assert {(one.file, one.name) for one in steps()} == TRIED_BELOW


def test_student_repositories_are_fetched_and_one_that_is_not_there_stops_nobody(runner: Runner) -> None:
    hub = runner.folder / "hub"
    for student in ("amara", "bo"):
        (hub / student / "work").mkdir(parents=True)
        (hub / student / "work" / f"{ASSIGNMENT}.ipynb").write_text(student)
        (hub / student / "work" / "diary.ipynb").write_text("private")
        git = ["git", "-C", hub / student, "-c", "user.name=a", "-c", "user.email=a@example.org"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "done"]):
            subprocess.run([*git, *words], check=True)
    runner.stand_in("gh", f'[ "$1 $2" = "repo clone" ] || exit 9; repo=$3; to=$4; shift 5\n'
                          f'exec git clone "$@" "file://{hub}/${{repo#class/}}" "$to"')  # fmt: skip
    (runner.folder / "work").mkdir()
    (runner.folder / "work" / "students.csv").write_text(
        "student,repository\r\namara,class/amara\r\nnobody,class/gone\r\nbo,class/bo\r\n"
    )
    done = runner.run(
        step("grade.yml", "Fetch what students handed in"), runner.folder / "work",
        GH_TOKEN="secret", REPOSITORIES="students.csv", ASSIGNMENT=ASSIGNMENT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    fetched = runner.folder / "work" / "fetched"
    found = {str(path.relative_to(fetched)): path.read_text() for path in fetched.rglob("*.ipynb")}
    assert found == {f"{name}/{ASSIGNMENT}.ipynb": name for name in ("amara", "bo")}
    assert "::warning::nobody: not fetched" in done.stdout
    assert "secret" not in done.stdout + done.stderr


def test_a_class_list_that_is_not_there_fails_the_fetching(runner: Runner) -> None:
    done = runner.run(
        step("grade.yml", "Fetch what students handed in"), runner.folder,
        GH_TOKEN="secret", REPOSITORIES="nowhere.csv", ASSIGNMENT=ASSIGNMENT,
    )  # fmt: skip
    assert done.returncode != 0


def test_the_grader_is_installed_from_what_the_caller_names(runner: Runner) -> None:
    pack, programs = runner.checkout(), runner.python()
    done = runner.run(step("grade.yml", "Install the grader"), runner.folder, programs, PACKAGE=f"file://{pack}")
    assert done.returncode == 0, done.stdout + done.stderr
    version = subprocess.run(
        [programs / "grading-utils", "--version"], cwd="/", capture_output=True, text=True, check=True
    )
    where = [programs / "python", "-c", "import grading_utils; print(grading_utils.__file__)"]
    assert str(runner.folder) in subprocess.run(where, cwd="/", capture_output=True, text=True, check=True).stdout
    assert "grading-utils" in version.stdout


@pytest.mark.parametrize(("restricted", "lifted"), [("0", False), ("1", True)])
@pytest.mark.parametrize("file", ["grade.yml", "test.yml"])
def test_a_runner_that_forbids_namespaces_is_told_to_allow_them(
    runner: Runner, file: str, restricted: str, lifted: bool
) -> None:
    said = runner.folder / "said"
    runner.stand_in("sysctl", f'case "$1" in -n) echo {restricted};; *) echo "$@" > {said};; esac')
    runner.stand_in("sudo", '[ "$1" = -n ] && shift; exec "$@"')
    done = runner.run(step(file, "Let the sandbox make user namespaces"), ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said.exists() is lifted
    assert not lifted or said.read_text() == "-w kernel.apparmor_restrict_unprivileged_userns=0\n"


def test_the_grading_step_grades_a_class_and_leaves_what_the_artifact_takes(
    runner: Runner, course: Course, solution: Any
) -> None:
    hand_in(course, "amara", solution)
    hand_in(course, "broken", b"{")
    summary = course.root / "summary.md"
    done = runner.run(GRADE, course.root, ASSIGNMENT=ASSIGNMENT, GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stdout + done.stderr
    assert_graded(course)


def test_the_grading_step_collects_what_was_fetched(runner: Runner, course: Course, solution: Any) -> None:
    fetched = course.root / "fetched" / "bo"
    fetched.mkdir(parents=True)
    shutil.move(hand_in(course, "amara", solution), fetched / f"{ASSIGNMENT}.ipynb")
    shutil.rmtree(course.root / "submitted")
    done = runner.run(GRADE, course.root, ASSIGNMENT=ASSIGNMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| counting | bo | graded |" in (course.root / "summary.md").read_text()


def test_a_machine_that_cannot_grade_fails_the_step(runner: Runner, course: Course, solution: Any) -> None:
    hand_in(course, "amara", solution)
    (course.root / "gradebook.db").write_bytes(b"no database" * 99)
    done = runner.run(GRADE, course.root, ASSIGNMENT=ASSIGNMENT)
    assert done.returncode != 0
    assert "the gradebook" in done.stderr.splitlines()[-1]


def test_the_job_on_gitlab_installs_the_grader_and_grades_a_class(
    runner: Runner, course: Course, solution: Any
) -> None:
    hand_in(course, "amara", solution)
    hand_in(course, "broken", b"{")
    pack, programs = runner.checkout(), runner.python()
    # What was installed has lent packages, which no sandbox shows to student code: this environment's program grades.
    runner.stand_in("grading-utils", f'exec "{TOOLS}/grading-utils" "$@"')
    job = step("grade.gitlab-ci.yml", "grade")
    done = runner.run(
        job, runner.folder, programs, COURSE="course", ASSIGNMENT=ASSIGNMENT, PACKAGE=f"file://{pack}"
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert_graded(course)
    assert (programs / "grading-utils").exists()


def assert_graded(course: Course) -> None:
    upload = [
        "results.xml", "grades.csv", "report.html", f"feedback/amara/{ASSIGNMENT}/{ASSIGNMENT}.html", "gradebook.db"
    ]  # fmt: skip
    assert [name for name in upload if not (course.root / name).exists()] == []
    table = (course.root / "summary.md").read_text()
    assert "| counting | amara | graded | 3 | 5 | 1 |" in table
    assert "| counting | broken | failed | 0 | 5 | 0 |" in table


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "what",
    [
        (step("test.yml", "Set up"), step("test.yml", "Check"), step("test.yml", "Test as an ordinary user")),
        (step("test.yml", "Set up"), step("test.yml", "Test as root")),
        (step(".gitlab-ci.yml", "test"),),
    ],
    ids=["ordinary", "root", "gitlab"],
)
def test_the_pack_sets_itself_up_checks_and_tests_itself(runner: Runner, what: tuple[Step, ...]) -> None:
    pack = runner.checkout()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", pack / ".venv"], check=True)
    runner.lend(pack / ".venv")
    for tool in ("ruff", "mypy", "lint-imports"):
        (pack / ".venv" / "bin" / tool).symlink_to(TOOLS / tool)
    runner.stand_in("sudo", 'exec env -i "PYTEST_ADDOPTS=$PYTEST_ADDOPTS" "$@"')  # or all of the suite would run
    for one in what:
        done = runner.run(one, pack, PYTEST_ADDOPTS=ONE_TEST)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout
