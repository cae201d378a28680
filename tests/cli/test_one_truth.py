"""Whoever asks what a student has gets the same answer: every file of ours, and nbgrader's own export."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from grading_utils.cli import main
from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, hand_in

PENALTY = """
from nbgrader.plugins import BasePlugin
class HalfAPoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5
c.AssignLatePenalties.plugin_class = HalfAPoint
"""


def call(course: Course, *arguments: str) -> int:
    result = CliRunner().invoke(main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    return result.exit_code


@pytest.fixture
def term(course_root: Path, solution: Any, small_course: Course) -> Course:
    """amara is late and partly graded by hand, bo has an extension, cy handed in nothing."""
    with (course_root / "nbgrader_config.py").open("a") as file:
        file.write(PENALTY)
    course = Course.open(course_root)
    (course_root / "roster.csv").write_text("id,first_name\namara,Amara\nbo,Bo\ncy,Cy\n")
    assert call(course, "students", "import", str(course_root / "roster.csv")) == 0
    assert call(course, "due", ASSIGNMENT, "2025-12-01 12:00") == 0
    for student in ("amara", "bo"):
        hand_in(course, student, solution)
        (course.submitted(ASSIGNMENT, student) / "timestamp.txt").write_text("2025-12-02 09:00:00 UTC")
    assert call(course, "grade", ASSIGNMENT) == 0
    assert call(course, "extend", ASSIGNMENT, "bo", "2025-12-03 12:00") == 0
    assert call(course, "grade", ASSIGNMENT) == 0
    with Gradebook(course.layout.db_url) as gradebook:
        grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "amara")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 1.5, 0.25, False
        gradebook.db.commit()
    return course


EXPECTED = {"amara": 3 + 1.75 - 0.5, "bo": 3.0, "cy": 0.0}


def exported(course: Course, tmp_path: Path) -> dict[str, dict[str, float]]:
    """Scores by student, from every file that has them."""
    for kind in ("csv", "json", "junit"):
        assert call(course, "export", "--to", kind, "--output", str(tmp_path / kind)) == 0
    assert call(course, "export", "--to", "gradescope", "--output", str(tmp_path / "gradescope")) == 0
    command = [sys.executable, "-m", "nbgrader", "export", f"--to={tmp_path / 'nbgrader'}"]
    subprocess.run(command, cwd=course.root, check=True, capture_output=True)
    scores: dict[str, dict[str, float]] = {}
    for kind in ("csv", "nbgrader"):
        rows = csv.DictReader((tmp_path / kind).read_text().splitlines())
        scores[kind] = {row["student_id"]: float(row["score"]) for row in rows}
    rows = csv.DictReader((tmp_path / "gradescope").read_text().splitlines())
    scores["gradescope"] = {row["SID"]: float(row["Total Score"]) for row in rows}
    scores["json"] = {entry["student"]: entry["score"] for entry in json.loads((tmp_path / "json").read_text())}
    scores["junit"] = {
        str(suite.get("name")).split("/")[1]: float(str(suite.find("properties/property[@name='score']").get("value")))  # type: ignore[union-attr]
        for suite in ET.parse(tmp_path / "junit").getroot()
    }
    return scores


def test_every_export_says_the_same_after_penalty_extension_and_grading_by_hand(term: Course, tmp_path: Path) -> None:
    scores = exported(term, tmp_path)
    assert scores == dict.fromkeys(scores, EXPECTED)


def test_grading_one_student_again_leaves_everybody_in_the_files(term: Course, tmp_path: Path) -> None:
    assert call(term, "grade", ASSIGNMENT, "--student", "bo", "--csv", str(tmp_path / "g.csv")) == 0
    rows = csv.DictReader((tmp_path / "g.csv").read_text().splitlines())
    assert {row["student_id"]: float(row["score"]) for row in rows} == EXPECTED


def test_an_extension_before_the_hand_in_is_no_submission(term: Course, tmp_path: Path) -> None:
    assert call(term, "extend", ASSIGNMENT, "cy", "2025-12-09") == 0
    assert exported(term, tmp_path)["csv"]["cy"] == 0.0
    entry = next(e for e in json.loads((tmp_path / "json").read_text()) if e["student"] == "cy")
    assert (entry["status"], entry["waiting"]) == ("missing", [])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("extend", ASSIGNMENT, "nobody", "2030-01-01"), "nobody"),
        (("extend", ASSIGNMENT, "bo", "2020-01-01"), "is before"),
        (("due", ASSIGNMENT, "tomorrowish"), "is no date"),
        (("due", ASSIGNMENT, "2030-01-01 12:00 PST"), "more than one meaning"),
        (("due", ASSIGNMENT, "2030-01-01", "--timezone", "Middle/Earth"), "no time zone"),
        (("export", "--to", "canvas", "--output", "x"), "--fill"),
    ],
)
def test_wrong_dates_and_people_are_one_sentence(arguments: tuple[str, ...], sentence: str, term: Course) -> None:
    result = CliRunner().invoke(main, [*arguments, "--course", str(term.root)], catch_exceptions=False)
    assert result.exit_code == 2
    assert sentence in result.output


def test_an_extension_before_anything_was_graded_costs_no_points(small_course: Course, solution: Any) -> None:
    (small_course.root / "roster.csv").write_text("id\nbo\n")
    assert call(small_course, "students", "import", str(small_course.root / "roster.csv")) == 0
    assert call(small_course, "due", ASSIGNMENT, "2025-12-01 12:00") == 0
    assert call(small_course, "extend", ASSIGNMENT, "bo", "2025-12-03 12:00") == 0
    hand_in(small_course, "bo", solution)
    assert call(small_course, "grade", ASSIGNMENT) == 0
    assert call(small_course, "export", "--to", "json", "--output", str(small_course.root / "out.json")) == 0
    (entry,) = json.loads((small_course.root / "out.json").read_text())
    assert (entry["score"], entry["waiting"]) == (3.0, ["why"])


ODD_ROSTER = """id,first_name,last_name,email,lms_user_id
zoe,Zoë,Müller-Şahin,zoe@example.org,4711
ann1,Ann,Lee,ann1@example.org,4712
ann2,Ann,Lee,ann2@example.org,4713
cy,,,cy@example.org,4714
"""
ODD = {"zoe": 3 + 1.125 + 0.25 - 0.5, "ann1": 3.335, "ann2": 3.0, "cy": 0.0, "stranger": 3.0}
ODD_CENTS = {"zoe": 3.88, "ann1": 3.34, "ann2": 3.0, "cy": 0.0, "stranger": 3.0}


@pytest.fixture
def odd(course_root: Path, solution: Any) -> Course:
    """zoe is late with extra credit, two have one name, one of them handed in again a broken file; one is no member."""
    with (course_root / "nbgrader_config.py").open("a") as file:
        file.write(PENALTY)
    course = Course.open(course_root)
    (course_root / "roster.csv").write_text(ODD_ROSTER)
    assert call(course, "students", "import", str(course_root / "roster.csv")) == 0
    assert call(course, "due", ASSIGNMENT, "2025-12-01 12:00") == 0
    for student in ("zoe", "ann1", "ann2", "stranger"):
        hand_in(course, student, solution)
    (course.submitted(ASSIGNMENT, "zoe") / "timestamp.txt").write_text("2025-12-02 09:00:00 UTC")
    assert call(course, "grade", ASSIGNMENT) == 0
    with Gradebook(course.layout.db_url) as gradebook:
        for student, points, extra in (("zoe", 1.125, 0.25), ("ann1", 0.335, None)):
            grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, student)
            grade.manual_score, grade.extra_credit, grade.needs_manual_grade = points, extra, False
        gradebook.db.commit()
    hand_in(course, "ann2", b'{"cells": [')
    assert call(course, "grade", ASSIGNMENT) == 1
    return course


def test_every_output_says_the_same_after_every_odd_case(odd: Course, tmp_path: Path) -> None:
    told = exported(odd, tmp_path)
    known_as = {row["lms_user_id"]: row["id"] for row in csv.DictReader(ODD_ROSTER.splitlines())}
    told["gradescope"] = {known_as.get(id, id): score for id, score in told["gradescope"].items()}
    assert {kind: {who: pytest.approx(score) for who, score in scores.items()} for kind, scores in told.items()} == (
        dict.fromkeys(told, ODD)
    )
    ours = {who: score for who, score in ODD_CENTS.items() if who != "stranger"}
    given = ("--partial", "--missing-as-zero", "--skip-unmatched")
    rows = "".join(f'"Lee, Ann",{id},{who},One,\n' for id, who in known_as.items())
    (tmp_path / "canvas.csv").write_text(f"Student,ID,SIS Login ID,Section,{ASSIGNMENT} (12)\n{rows}")
    filled = ("--fill", str(tmp_path / "canvas.csv"), "--output", str(tmp_path / "canvas.out"))
    assert call(odd, "export", ASSIGNMENT, "--to", "canvas", *filled, *given) == 1
    canvas = list(csv.reader((tmp_path / "canvas.out").read_text().splitlines()))[1:]
    assert {row[2]: float(row[4]) for row in canvas} == ours
    rows = "".join(f'Participant {n},Ann Lee,{who}@example.org,"","5,00",-\n' for n, who in enumerate(ours, start=101))
    (tmp_path / "moodle.csv").write_text(
        f"Identifier,Full name,Email address,Grade,Maximum grade,Last modified (grade)\n{rows}"
    )
    filled = ("--fill", str(tmp_path / "moodle.csv"), "--output", str(tmp_path / "moodle.out"))
    assert call(odd, "export", ASSIGNMENT, "--to", "moodle", *filled, *given) == 1
    moodle = list(csv.reader((tmp_path / "moodle.out").read_text().splitlines()))[1:]
    assert {row[2].partition("@")[0]: float(row[3].replace(",", ".")) for row in moodle} == ours
    assert call(odd, "report") == 0
    page = (odd.root / "report.html").read_text()
    shown = re.findall(r'data-student="(\w+) .*?<td class="fb-num" data-value="[-\d.]+">([\d.]+)<', page, re.DOTALL)
    assert {who: float(score) for who, score in shown} == {who: ODD_CENTS[who] for who in ODD_CENTS if who != "cy"}
    terminal = CliRunner().invoke(main, ["grade", "--again", "--course", str(odd.root)], catch_exceptions=False)
    lines = re.findall(rf"(\w+) {ASSIGNMENT}: graded ([\d.]+)/5", terminal.output)
    assert {who: float(score) for who, score in lines} == {who: ODD_CENTS[who] for who in ("zoe", "ann1", "stranger")}
