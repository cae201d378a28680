"""CI files are valid and leak nothing; the summary of a class is harmless; the image gets what it needs."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from grading_utils.platforms.summary import MOST_BYTES, summary
from grading_utils.reporting.standings import Standing
from grading_utils.results import Status
from grading_utils.sandbox import refusals

from ..conftest import ROOT
from .ci_runner import GITLAB, TOOLS, WORKFLOWS, steps


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


@pytest.mark.skipif(
    shutil.which("actionlint") is None, reason="actionlint is not here; it comes from no Python package"
)
def test_workflows_pass_actionlint() -> None:
    done = subprocess.run(["actionlint", *WORKFLOWS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


SCRIPTS = [ROOT / "ci" / "allow-user-namespaces", *(ROOT / "grading_utils" / "platforms" / "templates").iterdir()]


@pytest.mark.parametrize("text", [*(one.script for one in steps()), *(path.read_text() for path in SCRIPTS)])
def test_shell_scripts_pass_shellcheck(text: str) -> None:
    command = [TOOLS / "shellcheck", "--shell", "bash", "-"]
    done = subprocess.run(command, input=f"set -e\n{text}", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_dockerfile_passes_hadolint() -> None:
    done = subprocess.run([TOOLS / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_job_that_grades_holds_no_secret() -> None:
    grade = yaml.safe_load((ROOT / ".github" / "workflows" / "grade.yml").read_text())["jobs"]["grade"]
    assert "secrets." not in yaml.safe_dump(grade)
    assert grade["steps"][0]["with"]["persist-credentials"] is False


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
