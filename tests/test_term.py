"""A term from beginning to end: a course is made, work comes in from two LMS's, people grade, everybody hears the same.

One test, because it is about what one step leaves for the next.
"""

from __future__ import annotations

import copy
import csv
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from grading_utils.authoring import new_course
from grading_utils.cli import main
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.solutions import solution_notebook
from grading_utils.lms.archives import write_zip
from grading_utils.lms.sheets import Sheet

from .browsing import browser, formgrader
from .conftest import ASSIGNMENT, cell_named, counting_notebook, write_course

OTHER = "letters"
TOO_STRICT = "assert list(count_words('b a b')) == ['b', 'a'], 'words come in the order of the text'\n"
IN_ANOTHER_ORDER = "def count_words(text):\n    return dict(sorted(Counter(text.split()).items()))"
SAME = "Everything hashable can be counted."
PENALTY = """
from nbgrader.plugins import BasePlugin
class HalfAPoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5
c.AssignLatePenalties.plugin_class = HalfAPoint
"""
ROSTER = """id,first_name,last_name,email,lms_user_id
amara,Amara,Okafor,amara@example.org,4711
bo,Bo,Lind,bo@example.org,4712
cy,Cy,Young,cy@example.org,4713
dee,Dee,Doe,dee@example.org,4714
"""
KNOWN_AS = {row["lms_user_id"]: row["id"] for row in csv.DictReader(ROSTER.splitlines())}
CANVAS = (
    "\ufeffStudent,ID,SIS Login ID,Section,Reading (11),counting (12),Final Score\r\n"
    "    Points Possible,,,,10.00,5.00,(read only)\r\n"
    '"Okafor, Amara",4711,amara,One,8.00,,70.00\r\n'
    '"Lind, Bo",4712,bo,One,,3.00,\r\n'
    '"Young, Cy",4713,cy,"One, Two",EX,,\r\n'
    '"Doe, Dee",4714,dee,One,,,\r\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum grade,Last modified (submission),Feedback comments\n"
    'Participant 101,Amara Okafor,amara@example.org,Submitted,,5.00,"Monday, 1 December 2025, 11:15 AM",\n'
    'Participant 102,Bo Lind,bo@example.org,Submitted,,5.00,"Tuesday, 2 December 2025, 9:00 AM",\n'
    'Participant 103,Cy Young,cy@example.org,Submitted,,5.00,"Tuesday, 2 December 2025, 9:00 AM",\n'
    "Participant 104,Dee Doe,dee@example.org,No submission,,5.00,-,\n"
)
EXPECTED = {
    (ASSIGNMENT, "amara"): 3 + 1.25,
    (ASSIGNMENT, "bo"): 3 + 1.25,  # by `mark-alike`: the same answer as amara's
    (ASSIGNMENT, "cy"): 3 + 2.0,  # 2 points of it since the test was mended
    (ASSIGNMENT, "dee"): 0.0,
    (OTHER, "amara"): 3 + 1.0,
    (OTHER, "bo"): 3 + 1.0 - 0.5,  # late
    (OTHER, "cy"): 3 + 1.0,  # as late, with an extension
    (OTHER, "dee"): 0.0,
}


def call(course: Course, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def nbgrader(course: Course, *arguments: str) -> str:
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A new course from a pack with two small assignments, one with a test that is too strict."""
    pack = write_course(tmp_path / "pack")
    strict = counting_notebook()
    test = cell_named(strict, "count-words-test")
    test.source = test.source.replace("### END HIDDEN", f"{TOO_STRICT}### END HIDDEN")
    nbformat.write(strict, pack / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    shutil.copy(pack / "mutants" / f"{ASSIGNMENT}.yaml", pack / "mutants" / f"{OTHER}.yaml")
    (pack / "source" / OTHER).mkdir()
    nbformat.write(counting_notebook(), pack / "source" / OTHER / f"{OTHER}.ipynb")
    monkeypatch.setattr(new_course, "_PACK", pack)
    made = CliRunner().invoke(main, ["init", str(tmp_path / "autumn")], catch_exceptions=False)
    assert made.exit_code == 0, made.output
    with (tmp_path / "autumn" / "nbgrader_config.py").open("a") as config:
        config.write(PENALTY)
    return Course.open(tmp_path / "autumn")


def handed_in(course: Course, assignment: str, why: str = SAME, code: str = "") -> bytes:
    source = course.source(assignment) / f"{assignment}.ipynb"
    notebook = copy.deepcopy(solution_notebook(source, build_bundle(course, assignment).notebooks[assignment]))
    cell_named(notebook, "why").source = why
    if code:
        cell_named(notebook, "count-words").source = code
    content: bytes = nbformat.writes(notebook).encode()
    return content


def collect(course: Course, folder: Path) -> None:
    """What Canvas and Moodle hand out, under the names that they give: Moodle in folders, old ones too, and flat."""
    canvas = {
        f"okaforamara_4711_9001_{ASSIGNMENT}.ipynb": handed_in(course, ASSIGNMENT),
        f"lindbo_LATE_4712_9002_{ASSIGNMENT}.ipynb": handed_in(
            course, ASSIGNMENT, "everything hashable, can be counted"
        ),
        f"youngcy_4713_9003_{ASSIGNMENT}-1.ipynb": handed_in(
            course, ASSIGNMENT, "Because of its hashes.", IN_ANOTHER_ORDER
        ),
        "ghost_4799_9004_counting.ipynb": b"{}",
    }
    moodle = {
        f"Amara Okafor_101_assignsubmission_file/{OTHER}.ipynb": handed_in(course, OTHER),
        f"Bo Lind_102_assignsubmission_file_/{OTHER}.ipynb": handed_in(course, OTHER),
        f"Cy Young_103_assignsubmission_file_{OTHER}.ipynb": handed_in(course, OTHER),
    }
    write_zip(canvas, folder / "canvas.zip")
    write_zip(moodle, folder / "moodle.zip")
    said = call(course, "collect", ASSIGNMENT, str(folder / "canvas.zip"), "--from", "canvas", code=1)
    assert "ghost" in said
    assert "bo: late" in said
    given = ("--from", "moodle", "--worksheet", str(folder / "worksheet.csv"))
    call(course, "collect", OTHER, str(folder / "moodle.zip"), *given)


def grade_in_the_formgrader(course: Course, scores: dict[str, tuple[str, str]]) -> None:
    """Type points and a comment for the answer `why` of each student, as an assistant does."""
    with Gradebook(course.layout.db_url) as gradebook:
        ids = {name: gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, name).id for name in scores}
    with browser() as chromium, formgrader(course.root) as address:
        page = chromium.new_page()
        for student, (score, comment) in scores.items():
            page.goto(f"{address}/formgrader/submissions/{ids[student]}/", wait_until="networkidle")
            for place, text, saved in (("why", score, "/api/grade/"), ("why-comment", comment, "/api/comment/")):
                with page.expect_response(lambda answer, saved=saved: saved in answer.url) as response:
                    page.locator(f'[id="{place}"]').fill(text)
                    page.locator(f'[id="{place}"]').press("Tab")
                assert response.value.ok


def mend(course: Course) -> None:
    path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    test = cell_named(notebook, "count-words-test")
    assert TOO_STRICT in test.source
    test.source = test.source.replace(TOO_STRICT, "")
    nbformat.write(notebook, path)


def by_csv(text: str, student: str, score: str) -> dict[tuple[str, str], float]:
    rows = csv.DictReader(text.splitlines())
    return {(row["assignment"], row[student]): float(row[score]) for row in rows}


def everything_told(course: Course, folder: Path) -> dict[str, dict[tuple[str, str], float]]:
    """Scores by assignment and student, from every output that has them."""
    for kind in ("csv", "json", "junit"):
        call(course, "export", "--to", kind, "--output", str(folder / f"out.{kind}"))
    nbgrader(course, "export", f"--to={folder / 'nbgrader.csv'}")
    told = {kind: by_csv((folder / f"{kind}.csv").read_text(), "student_id", "score") for kind in ("out", "nbgrader")}
    entries = json.loads((folder / "out.json").read_text())
    told["json"] = {(entry["assignment"], entry["student"]): entry["score"] for entry in entries}
    told["junit"] = {
        tuple(str(suite.get("name")).split("/")): float(
            str(suite.find("properties/property[@name='score']").get("value"))
        )  # type: ignore[union-attr]
        for suite in ET.parse(folder / "out.junit").getroot()
    }  # type: ignore[misc]
    for assignment in (ASSIGNMENT, OTHER):
        call(course, "export", assignment, "--to", "gradescope", "--output", str(folder / "gradescope.csv"))
        rows = csv.DictReader((folder / "gradescope.csv").read_text().splitlines())
        told.setdefault("gradescope", {}).update(
            {(assignment, KNOWN_AS[row["SID"]]): float(row["Total Score"] or 0) for row in rows}
        )
    return told


def scores_in(report: str) -> dict[tuple[str, str], float]:
    """What the report's tables say, one for each assignment, in the order of their names."""
    tables = re.findall(r'<tbody>(?:(?!</tbody>).)*?<tr id="a\d+-.*?</tbody>', report, re.DOTALL)
    row = re.compile(r'<tr id="a\d+-\d+" data-student="(\w+) .*?<td class="fb-num" data-value="([-\d.]+)">', re.DOTALL)
    return {
        (assignment, student): float(score)
        for assignment, table in zip((ASSIGNMENT, OTHER), tables, strict=True)
        for student, score in row.findall(table)
    }


def filled(course: Course, folder: Path, system: str, assignment: str) -> list[list[str]]:
    """The LMS's own file with scores; nothing else in it is another than before."""
    before = folder / {"canvas": "canvas.csv", "moodle": "worksheet.csv"}[system]
    after = folder / f"upload-{system}.csv"
    arguments = ("--to", system, "--fill", str(before), "--output", str(after), "--missing-as-zero")
    call(course, "export", assignment, *arguments)
    column = {"canvas": 5, "moodle": 4}[system]
    old, new = Sheet.read(before).rows, Sheet.read(after).rows
    assert [row[:column] + row[column + 1 :] for row in old] == [row[:column] + row[column + 1 :] for row in new]
    assert after.read_bytes()[:3] == before.read_bytes()[:3]
    first = {"canvas": 2, "moodle": 1}[system]
    return [row[column : column + 1] for row in new[first:]]


@pytest.mark.browser
def test_a_term(course: Course, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(ROSTER)
    (tmp_path / "canvas.csv").write_bytes(CANVAS.encode())
    (tmp_path / "worksheet.csv").write_text(MOODLE)
    call(course, "students", "import", str(tmp_path / "roster.csv"))
    call(course, "release")
    call(course, "due", OTHER, "2025-12-01 12:00")
    call(course, "extend", OTHER, "cy", "2025-12-03 12:00")
    collect(course, tmp_path)
    assert "6 submissions: 6 graded" in call(course, "grade")

    grade_in_the_formgrader(course, {"amara": ("1.25", "Say why."), "cy": ("2", "Yes!")})
    assert "bo, why: 1.25" in call(course, "mark-alike", ASSIGNMENT)
    call(course, "answers", OTHER, "--to", str(tmp_path / "answers.csv"))
    sheet = Sheet.read(tmp_path / "answers.csv")
    (row,) = sheet.rows[1:]
    row[sheet.header.index("score")] = "1"
    sheet.write(tmp_path / "answers.csv")
    assert "3 given" in call(course, "mark", str(tmp_path / "answers.csv"))

    mend(course)
    call(course, "release", ASSIGNMENT)
    assert f"{OTHER}: 3 unchanged since they were graded" in call(course, "grade")
    moved = call(course, "diff")
    assert re.findall(r"^(\w+) counting:.*\n    count-words-test: 0 → 2$", moved, re.MULTILINE) == ["cy"]
    assert moved.count("count-words-test") == 1

    told = everything_told(course, tmp_path)
    assert told == dict.fromkeys(told, EXPECTED)
    canvas, moodle = (filled(course, tmp_path, *of) for of in (("canvas", ASSIGNMENT), ("moodle", OTHER)))
    everybody = ("amara", "bo", "cy", "dee")
    assert [float(score) for (score,) in canvas] == [EXPECTED[ASSIGNMENT, name] for name in everybody]
    assert [float(score) for (score,) in moodle] == [EXPECTED[OTHER, name] for name in everybody]

    call(course, "feedback")
    for assignment, system in ((ASSIGNMENT, "canvas"), (OTHER, "moodle")):
        upload = tmp_path / f"feedback-{system}.zip"
        arguments = ("--worksheet", str(tmp_path / "worksheet.csv")) if system == "moodle" else ()
        given = (str(tmp_path / f"{system}.zip"), "--to", system, "--output", str(upload), *arguments)
        call(course, "hand-back", assignment, *given)
        with zipfile.ZipFile(upload) as archive:
            pages = [archive.read(name).decode() for name in archive.namelist()]
        shown = [float(found[1]) for page in pages if (found := re.search(r"<strong>([\d.]+)</strong> <span>of", page))]
        assert sorted(shown) == sorted(EXPECTED[assignment, name] for name in ("amara", "bo", "cy"))
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    for assignment in (ASSIGNMENT, OTHER):
        nbgrader(course, "release_feedback", assignment, "--course=autumn", f"--Exchange.root={exchange}")
    released = {page.read_bytes() for page in (exchange / "autumn" / "feedback").iterdir()}
    assert released == {page.read_bytes() for page in (course.root / "feedback").rglob("*.html")}
    call(course, "report")
    report = (course.root / "report.html").read_text()
    assert scores_in(report) == {key: score for key, score in EXPECTED.items() if key[1] != "dee"}
    for again in ((), ("--again",)):
        lines = re.findall(r"(\w+) (\w+): graded ([\d.]+)/", call(course, "grade", *again))
        told_here = {(assignment, student): float(score) for student, assignment, score in lines}
        assert told_here == {key: score for key, score in EXPECTED.items() if key[1] != "dee"}
    assert "no answer is open" in report
    assert 'href="feedback/cy/counting/counting.html"' in report
