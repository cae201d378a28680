"""Feedback reaches students: as a zip for their LMS, and through nbgrader's exchange."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader.utils import notebook_hash

from grading_utils.cli import main
from grading_utils.course.course import Course
from grading_utils.lms.archives import write_zip

from ..conftest import ASSIGNMENT, hand_in

PAGE = f"{ASSIGNMENT}.html"


def call(course: Course, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--course", str(course.root)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("system", "entry", "page"),
    [
        ("canvas", f"doejane_LATE_4711_9001_{ASSIGNMENT}-1.ipynb", f"doejane_LATE_4711_9001_{PAGE}"),
        (
            "moodle",
            f"Jane Doe_101_assignsubmission_file_/{ASSIGNMENT}.ipynb",
            f"Jane Doe_101_assignsubmission_file/{PAGE}",
        ),
    ],
)
def test_what_was_collected_from_an_lms_goes_back_under_the_name_it_came_with(
    system: str, entry: str, page: str, small_course: Course, solution: Any, tmp_path: Path
) -> None:
    (tmp_path / "roster.csv").write_text("id,first_name,last_name,lms_user_id\njane,Jane,Doe,4711\n")
    download, upload = tmp_path / "download.zip", tmp_path / "upload.zip"
    write_zip({entry: nbformat.writes(solution).encode(), "notes.txt": b"nobody's"}, download)
    call(small_course, "students", "import", str(tmp_path / "roster.csv"))
    CliRunner().invoke(
        main, ["collect", ASSIGNMENT, str(download), "--from", system, "--course", str(small_course.root)]
    )
    call(small_course, "grade", ASSIGNMENT)
    call(small_course, "feedback")
    call(small_course, "hand-back", ASSIGNMENT, str(download), "--to", system, "--output", str(upload))
    with zipfile.ZipFile(upload) as archive:
        assert archive.namelist() == [page]
        assert archive.read(page) == (small_course.root / "feedback" / "jane" / ASSIGNMENT / PAGE).read_bytes()


def test_nbgraders_exchange_takes_the_pages_also_of_students_who_came_from_an_lms(
    small_course: Course, solution: Any, tmp_path: Path
) -> None:
    for student in ("amara", "bo"):
        hand_in(small_course, student, solution)
    (small_course.submitted(ASSIGNMENT, "bo") / "submission_secret.txt").write_text("s" * 128)
    (small_course.submitted(ASSIGNMENT, "bo") / "timestamp.txt").write_text("2025-12-02 09:00:00 UTC")
    call(small_course, "grade", ASSIGNMENT)
    call(small_course, "feedback")
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    command = [
        sys.executable, "-m", "nbgrader", "release_feedback", ASSIGNMENT,
        "--course=c", f"--Exchange.root={exchange}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=small_course.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    released = exchange / "c" / "feedback"
    theirs = released / f"{notebook_hash(secret='s' * 128, notebook_id=ASSIGNMENT)}.html"
    assert theirs.read_bytes() == (small_course.root / "feedback" / "bo" / ASSIGNMENT / PAGE).read_bytes()
    assert len(list(released.iterdir())) == 2
