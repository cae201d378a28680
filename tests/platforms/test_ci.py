"""CI files are valid, leak nothing, and their steps run in the bare environment of a runner."""

from __future__ import annotations

import errno
import os
import pwd
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from grading_utils.course.course import Course
from grading_utils.platforms.summary import MOST_BYTES, summary
from grading_utils.reporting.standings import Standing
from grading_utils.results import Status
from grading_utils.sandbox import refusals

from ..conftest import ASSIGNMENT, ROOT, hand_in

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB = [ROOT / ".gitlab-ci.yml", ROOT / "ci" / "grade.gitlab-ci.yml"]
TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-workflows", WORKFLOWS), ("vendor.gitlab-ci", GITLAB)],
    ids=["github", "gitlab"],
)
def test_files_follow_the_platforms_own_schema(schema: str, files: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_workflows_give_away_no_token_and_run_nothing_that_an_input_says() -> None:
    command = [TOOLS / "zizmor", "--offline", "--no-progress", *WORKFLOWS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_job_that_grades_holds_no_secret() -> None:
    grade = yaml.safe_load((ROOT / ".github" / "workflows" / "grade.yml").read_text())["jobs"]["grade"]
    assert "secrets." not in yaml.safe_dump(grade)
    assert grade["steps"][0]["with"]["persist-credentials"] is False


def step(name: str) -> str:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "grade.yml").read_text())["jobs"]
    found: str = next(step["run"] for step in jobs["grade"]["steps"] if step.get("name") == name)
    return found


def run_as_a_runner_does(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Without a terminal, HOME or anything else that is ours, as an ordinary user where one can run this Python."""
    identity: dict[str, Any] = {}
    nobody = pwd.getpwnam("nobody")
    if os.geteuid() == 0 and _can_run_this_python(nobody.pw_uid):
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        for path in (folder, *folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    bare = {"PATH": f"{TOOLS}:{os.defpath}", "CI": "true", "GITHUB_ACTIONS": "true", **environment}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder, env=bare, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **identity,
    )  # fmt: skip


def _can_run_this_python(user: int) -> bool:
    try:
        return subprocess.run([sys.executable, "-c", ""], user=user, cwd="/", check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def reachable(small_course: Course) -> Course:
    """The small course in a folder that an ordinary user may enter; pytest's own are root's alone."""
    folder = Path("/var/tmp") / f"course-of-{os.getpid()}"
    shutil.copytree(small_course.root, folder)
    yield Course.open(folder)
    shutil.rmtree(folder)


def test_the_grading_step_grades_a_class_and_leaves_what_the_artifact_takes(reachable: Course, solution: Any) -> None:
    hand_in(reachable, "amara", solution)
    hand_in(reachable, "broken", b"{")
    done = run_as_a_runner_does(
        step("Grade"), reachable.root, ASSIGNMENT=ASSIGNMENT, GITHUB_STEP_SUMMARY=str(reachable.root / "summary.md")
    )
    assert done.returncode == 0, done.stderr
    upload = [
        "results.xml", "grades.csv", "report.html", f"feedback/amara/{ASSIGNMENT}/{ASSIGNMENT}.html", "gradebook.db"
    ]  # fmt: skip
    assert [name for name in upload if not (reachable.root / name).exists()] == []
    table = (reachable.root / "summary.md").read_text()
    assert "| counting | amara | graded | 3 | 5 | 1 |" in table
    assert "| counting | broken | failed | 0 | 5 | 0 |" in table


def test_the_grading_step_collects_what_was_fetched(reachable: Course, solution: Any) -> None:
    fetched = reachable.root / "fetched" / "bo"
    fetched.mkdir(parents=True)
    shutil.move(hand_in(reachable, "amara", solution), fetched / f"{ASSIGNMENT}.ipynb")
    shutil.rmtree(reachable.root / "submitted")
    done = run_as_a_runner_does(step("Grade"), reachable.root, ASSIGNMENT=ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    assert "| counting | bo | graded |" in (reachable.root / "summary.md").read_text()


def test_a_machine_that_cannot_grade_fails_the_step(reachable: Course, solution: Any) -> None:
    hand_in(reachable, "amara", solution)
    (reachable.root / "gradebook.db").write_bytes(b"no database" * 99)
    done = run_as_a_runner_does(step("Grade"), reachable.root, ASSIGNMENT=ASSIGNMENT)
    assert done.returncode != 0
    assert "the gradebook" in done.stderr.splitlines()[-1]


def test_nothing_that_a_student_names_becomes_markup_in_the_summary() -> None:
    evil = Standing(student="|x|\n# [a](http://b) <img>::error::`", assignment="a", status=Status.GRADED)
    row = summary([evil]).splitlines()[2]
    assert row.replace("\\|", "").count("|") == 7
    assert "](" not in row.replace("\\]\\(", "")
    assert "<img>" not in row


def test_a_summary_stays_within_what_the_platform_takes_and_says_what_is_left_out() -> None:
    many = [Standing(student=f"s{n:05d}" * 20, assignment="a" * 100, status=Status.GRADED) for n in range(9_000)]
    text = summary(many)
    assert len(text.encode()) <= MOST_BYTES + 1_000
    assert "more rows are left out" in text


def test_the_container_is_started_with_the_options_that_the_sandbox_asks_for() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    options = set(re.findall(r"--security-opt (\S+)", dockerfile.partition("Podman")[0]))
    assert options == set(re.findall(r"--security-opt ([\w=]+)", refusals.explain(PermissionError(errno.EPERM, "no"))))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = re.search(r"ARG PYTHON=([\d.]+)", dockerfile)
    assert version is not None
    assert SpecifierSet(project["requires-python"]).contains(version[1])


def test_everything_that_the_container_copies_is_sent_to_its_build() -> None:
    copied = {
        word.removeprefix("./")
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY")
        for word in line.split()[1:-1]
    }
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)
