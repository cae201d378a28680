"""The documents are true: every command in them runs, every file they point to exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from grading_utils.authoring.release import release
from grading_utils.boundary.tester.budget import MAX_NOTEBOOK
from grading_utils.boundary.warm.outputs import MAX_IMAGES, MAX_OUTPUTS, MAX_TEXT
from grading_utils.cli import COMMANDS as LISTED
from grading_utils.cli import main
from grading_utils.course.cells import TIME_LIMIT_SECONDS
from grading_utils.course.course import Course
from grading_utils.grading.jobs import SHARES
from grading_utils.lms.archives import write_zip
from grading_utils.sandbox.policy import Policy

from .conftest import ASSIGNMENT, ROOT, hand_in

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
COMMANDS = [
    (page.name, line)
    for page in PAGES
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.strip().splitlines()
    if line.strip() and not line.startswith("#")
]


FILES_OF_AN_LMS = {
    "roster.csv": "id,first_name,last_name,email,lms_user_id\namara,Amara,Okafor,amara@example.org,7\n",
    "canvas.csv": f'Student,ID,Section,{ASSIGNMENT} (12)\n    Points Possible,,,5\n"Okafor, Amara",7,One,\n',
    "worksheet.csv": "Identifier,Email address,Grade,Maximum grade\nParticipant 9,amara@example.org,,5.00\n",
}


def commands(program: str) -> list[Any]:
    return [pytest.param(line, id=f"{page}: {line}") for page, line in COMMANDS if line.split()[0] == program]


def test_documents_use_only_programs_that_a_test_runs() -> None:
    known = {"make", "grading-utils", "jupyter", "nbgrader"}
    assert [f"{page}: {line}" for page, line in COMMANDS if line.split()[0] not in known] == []


@pytest.mark.parametrize("line", commands("make"))
def test_every_make_command_has_its_target(line: str) -> None:
    done = subprocess.run(["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", commands("grading-utils"))
def test_every_grading_utils_command_runs_on_a_course(
    line: str, small_course: Course, solution: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(small_course, ASSIGNMENT)
    hand_in(small_course, "amara", solution)
    monkeypatch.chdir(small_course.root)
    arguments = [re.sub(r"^\d\d-[\w-]+$", ASSIGNMENT, word) for word in shlex.split(line)[1:]]
    runner = CliRunner()
    for name, content in FILES_OF_AN_LMS.items():
        Path(name).write_text(content)
    write_zip({f"okaforamara_7_8_{ASSIGNMENT}.ipynb": b"{}"}, Path("submissions.zip"))
    prepare = [["students", "import", "roster.csv"], ["due", ASSIGNMENT, "2030-12-01"]]
    if arguments[0] in ("report", "feedback", "export", "hand-back", "diff", "answers", "mark", "mark-alike"):
        prepare.append(["grade", ASSIGNMENT])
    if arguments[0] == "mark":
        prepare.append(["answers", ASSIGNMENT, "--to", "answers.csv"])
    if arguments[0] == "hand-back":
        prepare.append(["feedback"])
    if len(prepare) > 2 or arguments[0] in ("collect", "extend"):
        assert [runner.invoke(main, line).exit_code for line in prepare] == [0] * len(prepare)
    if arguments[0] in ("model", "sample-class", "init"):
        arguments = [arguments[0], "--help"]  # minutes of computing, or a pack that this course is not
    result = runner.invoke(main, arguments, catch_exceptions=False)
    # 1: somebody is listed, here for a written answer that waits for a person, or because Moodle doesn't know her
    assert result.exit_code in ((0, 1) if arguments[0] in ("export", "collect") else (0,)), result.output


@pytest.mark.parametrize("line", commands("jupyter"))
def test_every_jupyter_command_runs(line: str) -> None:
    command = [sys.executable, "-m", *shlex.split(line)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_every_nbgrader_command_runs_in_the_order_of_its_page(
    small_course: Course, solution: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(small_course, ASSIGNMENT)
    hand_in(small_course, "amara", solution)
    monkeypatch.chdir(small_course.root)
    runner = CliRunner()
    assert [runner.invoke(main, line).exit_code for line in (["grade", ASSIGNMENT], ["feedback"])] == [0, 0]
    (exchange := tmp_path / "exchange").mkdir()
    exchange.chmod(0o777)
    for param in commands("nbgrader"):
        words = [re.sub(r"^\d\d-[\w-]+$", ASSIGNMENT, word) for word in shlex.split(param.values[0])]
        command = [sys.executable, "-m", *words, "--course=c", f"--Exchange.root={exchange}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
    assert {path.name for path in (exchange / "c").iterdir()} == {"inbound", "outbound", "feedback"}
    assert list((exchange / "c" / "feedback").iterdir()) != []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    written = {f"commands/{name}.rst" for name in ["index", *LISTED]}  # when the site is built: tests/test_site.py
    assert [link for link in links if not (page.parent / link).exists() and link not in written] == []


def test_every_command_is_documented() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in LISTED if f"grading-utils {name}" not in text] == []


def test_conda_builds_the_same_environment_as_make() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    makefile = (ROOT / "Makefile").read_text()
    extras = re.search(r"^EXTRAS := (.+)$", makefile, re.MULTILINE)
    assert extras is not None
    assert pip == ["--constraint constraints.txt", f"--editable .[{extras.group(1)}]"]
    assert "--constraint constraints.txt" in makefile
    python = next(entry for entry in environment["dependencies"] if str(entry).startswith("python"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert python == f"python{project['requires-python']}"
    (torch,) = re.findall(r"^torch==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert f"pytorch-cpu={torch}" in environment["dependencies"], "pip would put the CUDA build in its place"


def test_every_place_names_the_same_pythons() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [words[-1] for words in (line.split(" :: ") for line in project["classifiers"]) if "." in words[-1]]
    first, last = (int(version.partition(".")[2]) for version in (named[0], named[-1]))
    assert named == [f"3.{minor}" for minor in range(first, last + 1)]
    wanted = f">=3.{first},<3.{last + 1}"
    assert project["requires-python"] == wanted
    assert f"--python '{wanted}'" in (ROOT / "grading_utils/platforms/templates/setup.sh").read_text()
    github = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["test"]["strategy"]["matrix"]
    gitlab = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())["test"]["parallel"]["matrix"]
    assert (github["python"], [row["PYTHON"] for row in gitlab]) == (named, [named])
    words = f"Python {', '.join(named[:-1])} or {named[-1]}"
    assert words in (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert f"(3, {first}) <= sys.version_info[:2] < (3, {last + 1})" in makefile
    assert words in makefile
    tried = (ROOT / "docs" / "ci.md").read_text().partition("## Pythons")[2]
    assert re.findall(r"^\| (3\.\d+)", tried, re.MULTILINE) == named


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for group in project["optional-dependencies"].values() for d in group)]
    names = {re.split(r"[\[<>=]", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in pins if "==" in line}
    assert names - pinned == set()


def test_the_limits_on_the_security_page_are_those_that_hold() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    limits = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", page, re.MULTILINE))
    policy = Policy()
    mib = 1 << 20
    for what, limit in {
        "time of a cell or a check": f"{TIME_LIMIT_SECONDS:g} s,",
        "time of all of a student's cells": f"{SHARES} times",
        "memory of a student": f"{policy.memory_bytes // mib} MiB",
        "processes and threads": f"{policy.processes}",
        "scratch folder": f"{policy.scratch_bytes // mib} MiB in {policy.scratch_files} files; "
        f"{policy.file_bytes // mib} MiB",
        "open descriptors": f"{policy.open_files}",
        "processor time of one process": f"{policy.life_cpu_seconds} s",
        "outputs of a cell": f"{MAX_OUTPUTS}, with {MAX_TEXT >> 10} KiB of text and {MAX_IMAGES // mib} MiB of",
        "outputs of a notebook": f"{MAX_NOTEBOOK // mib} MiB",
    }.items():
        [stated] = [value for name, value in limits.items() if name.startswith(what)]
        assert stated.startswith(limit), what
    assert policy.cell_seconds == TIME_LIMIT_SECONDS
