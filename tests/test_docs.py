"""The documents are true: every command in them runs, every file they point to exists."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner
from nbgrader.apps.nbgraderapp import NbGraderApp

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
    (page.name, line.split(" # ")[0].strip().removeprefix(".venv/bin/"))
    for page in PAGES
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.strip().splitlines()
    if line.strip() and not line.startswith("#")
]


BLOCK = re.DOTALL | re.MULTILINE
START = ROOT / "grading_utils" / "reporting" / "templates" / "start-here.html"


def mentioned(page: Path) -> list[str]:
    """Commands that stand in a sentence of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=BLOCK)
    found = re.finditer(r"`([^`]+)`|<code>(.+?)</code>", text)
    spans = [" ".join((one[1] or one[2]).split()) for one in found]
    return [span for span in spans if re.match(r"(grading-utils|make|python|nbgrader|pip) \S", span)]


FILES_OF_AN_LMS = {
    "roster.csv": "id,first_name,last_name,email,lms_user_id\namara,Amara,Okafor,amara@example.org,7\n",
    "canvas.csv": f'Student,ID,Section,{ASSIGNMENT} (12)\n    Points Possible,,,5\n"Okafor, Amara",7,One,\n',
    "worksheet.csv": "Identifier,Email address,Grade,Maximum grade\nParticipant 9,amara@example.org,,5.00\n",
}


def commands(program: str) -> list[Any]:
    return [pytest.param(line, id=f"{page}: {line}") for page, line in COMMANDS if line.split()[0] == program]


def test_documents_use_only_programs_that_a_test_runs() -> None:
    known = {"make", "grading-utils", "jupyter", "nbgrader", "source", "cd", "python", "pytest"}
    assert [f"{page}: {line}" for page, line in COMMANDS if line.split()[0] not in known] == []


@pytest.mark.parametrize("line", commands("make"))
def test_every_make_command_has_its_target(line: str) -> None:
    done = subprocess.run(["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_sourced_is_what_make_makes() -> None:
    (folder,) = re.findall(r"^BIN := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {line for _, line in COMMANDS if line.startswith("source ")} == {f"source {folder}/activate"}


def test_a_folder_that_is_gone_into_is_the_one_just_made() -> None:
    for (_, before), (_, line) in itertools.pairwise(COMMANDS):
        assert not line.startswith("cd ") or before.startswith(line.replace("cd ", "grading-utils init "))


def test_no_shell_command_hides_in_a_block_of_another_kind() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    blocks = re.findall(r"^```(\S*)\n(.*?)^```", text, BLOCK)
    assert {kind for kind, _ in blocks} <= {"sh", "yaml", "python", "{toctree}", "text", ""}
    others = [line for kind, block in blocks if kind != "sh" for line in block.splitlines()]
    program = re.compile(r"\$|(grading-utils|make|nbgrader|jupyter|pip|python|source) ")
    assert [line for line in others if program.match(line)] == []
    for words in (line.split() for kind, block in blocks if kind == "text" for line in block.splitlines()):
        assert words[0] == "dask"
        options = {word for word in words if word.startswith("--")}
        command = [sys.executable, "-m", "dask", words[1], "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert options - set(re.findall(r"--[\w-]+", done.stdout)) == set()


@pytest.mark.parametrize("line", sorted({line for page in [*PAGES, START] for line in mentioned(page)}))
def test_a_command_in_a_sentence_is_one_that_there_is(line: str) -> None:
    """With the options that it has; blocks are run whole, see below."""
    program, *words = shlex.split(line)
    if program == "make":
        done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    elif program == "grading-utils":
        command: click.Command | None = main
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} - known - {"--help"} == set()
    elif program == "python":
        assert words[0] in ("-m", "install.py")
        assert words[0] == "install.py" or (ROOT / f"{words[1].replace('.', '/')}.py").exists()
    elif program == "nbgrader":
        assert words[0].replace("-", "_") in {name.replace("-", "_") for name in NbGraderApp.subcommands}
    elif program == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        for wanted in re.findall(r"\[(.+)\]", line):
            assert set(wanted.split(",")) <= set(extras)


@pytest.mark.parametrize("line", commands("python"))
def test_every_module_that_is_run_has_its_options(line: str) -> None:
    _, dash, module, *words = shlex.split(line)
    command = [sys.executable, dash, module, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    if module == "pytest":
        assert [word for word in words if not (ROOT / word).is_dir()] == []
    else:
        assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[\w-]+", done.stdout))


@pytest.mark.parametrize("line", commands("pytest"))
def test_every_selection_of_tests_names_some(line: str) -> None:
    _, folder, option, names = shlex.split(line)
    assert option == "-k"
    modules = [path.name for path in (ROOT / folder).glob("test_*.py")]
    assert [name for name in names.split(" or ") if not any(name in module for module in modules)] == []


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
