"""Whoever asks what a student has gets the same answer: every file of ours, and nbgrader's own export."""

from __future__ import annotations

import csv
import json
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
