"""The command line: documented exit codes, plain messages, and files that other tools read."""

from __future__ import annotations

import json
import os
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from grading_utils.cli import COMMANDS, main
from grading_utils.course.course import Course
from grading_utils.language_model import SHIPPED

from ..conftest import ASSIGNMENT, hand_in


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = call(name, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


def test_help_lists_every_command() -> None:
    assert all(name in call("--help").output for name in COMMANDS)


def test_grading_everybody_exits_with_0_and_writes_json_junit_and_csv(
    small_course: Course, solution: Any, tmp_path: Path
) -> None:
    hand_in(small_course, "right", solution)
    files = [tmp_path / name for name in ("r.json", "r.xml", "r.csv")]
    result = call(
        "grade", ASSIGNMENT, "--course", str(small_course.root),
        "--json", str(files[0]), "--junit", str(files[1]), "--csv", str(files[2]),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "[1/1] right counting: graded 3/5" in result.output
    [entry] = json.loads(files[0].read_text())
    assert (entry["student"], entry["status"], entry["score"]) == ("right", "graded", 3)
    assert ET.parse(files[1]).getroot().tag == "testsuites"
    assert files[2].read_text().splitlines()[0].startswith("assignment,duedate,timestamp,student_id")
    page = call("feedback", "--course", str(small_course.root))
    assert page.exit_code == 0
    assert (small_course.root / "feedback" / "right" / ASSIGNMENT / f"{ASSIGNMENT}.html").exists()
    assert call("report", "--course", str(small_course.root)).exit_code == 0
    assert "right" in (small_course.root / "report.html").read_text()


def test_a_submission_that_needs_a_person_exits_with_1(small_course: Course) -> None:
    hand_in(small_course, "broken", b"")
    result = call("grade", "--course", str(small_course.root))
    assert result.exit_code == 1
    assert "is empty" in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("grade", "homework-9"), "no assignment 'homework-9'"),
        (("grade", ASSIGNMENT, "--student", "nobody"), "nothing was handed in from nobody"),
        (("release", "homework-9"), "there is: counting"),
        (("report",), "grade"),
        (("feedback",), "grade"),
    ],
)
def test_wrong_use_exits_with_2_and_one_sentence(
    arguments: tuple[str, ...], sentence: str, small_course: Course
) -> None:
    result = call(*arguments, "--course", str(small_course.root))
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_folder_that_is_no_course_is_named(tmp_path: Path) -> None:
    result = call("grade", "--course", str(tmp_path))
    assert result.exit_code == 2
    assert f"{tmp_path} is no nbgrader course" in result.output


def test_release_says_what_it_proved(small_course: Course) -> None:
    result = call("release", "--course", str(small_course.root))
    assert result.exit_code == 0, result.output
    assert "solution full marks, untouched release none" in result.output


def test_release_warns_where_the_configuration_loses_scaffolds(small_course: Course) -> None:
    course = str(small_course.root)
    assert "scaffolds" not in call("release", "--no-proof", "--course", course).output
    (small_course.root / "nbgrader_config.py").unlink()
    result = call("release", "--no-proof", "--course", course)
    assert result.exit_code == 0
    assert f"warning: {ASSIGNMENT}/{ASSIGNMENT}.ipynb has scaffolds that students will not see" in result.output


def test_the_doctor_has_a_verdict_on_every_line_and_a_fix_for_every_failure(small_course: Course) -> None:
    lines = call("doctor", "--course", str(small_course.root)).output.splitlines()
    verdicts = [line for line in lines if not line.startswith(" ")]
    assert all(line.split()[0] in ("PASS", "CAUTION", "FAIL") for line in verdicts)
    assert any("isolated student process" in line for line in verdicts)
    failed = [number for number, line in enumerate(lines) if line.startswith("FAIL")]
    assert all("→" in lines[number + 1] for number in failed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read what the students' user cannot")
@pytest.mark.parametrize("kind", ["weights", "folder"])
def test_the_doctor_reads_the_model_as_the_students_user(
    small_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(SHIPPED, folder)
    monkeypatch.setenv("GRADING_UTILS_MODEL", str(folder))
    assert "FAIL" not in call("doctor", "--course", str(small_course.root)).output
    closed = folder / "model.safetensors" if kind == "weights" else folder
    closed.chmod(0o600)  # as save_pretrained leaves it
    result = call("doctor", "--course", str(small_course.root))
    failed = [line for line in result.output.splitlines() if line.startswith("FAIL")]
    assert result.exit_code == 3
    assert failed == [f"FAIL    language model: {closed} cannot be read by the user whom students' code runs as"]
    assert f"→ chmod -R a+rX {folder}" in result.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read what the students' user cannot")
def test_the_doctor_reads_configured_data_as_the_students_user(small_course: Course, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("a.csv", "b.csv"):
        (data / name).write_text("1")
        (data / name).chmod(0o600)
    (small_course.root / "nbgrader_config.py").write_text(f"c = get_config()\nc.Sandbox.readable = [{str(data)!r}]\n")
    output = call("doctor", "--course", str(small_course.root)).output
    assert f"FAIL    readable for notebooks: {data / 'a.csv'} and 1 more cannot be read" in output


def test_going_without_isolation_is_said_aloud(small_course: Course, solution: Any) -> None:
    hand_in(small_course, "right", solution)
    result = call("grade", "--no-isolation", "--course", str(small_course.root))
    assert result.exit_code == 0
    assert "unprotected" in result.output
