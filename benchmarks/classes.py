"""The class that is graded in a benchmark: courses in a temporary folder, with as many submissions as wanted.

Submissions are the instructor's solution and the sample students of the assignment in turn, without those whose
file is damaged, who deleted tests (stock nbgrader gives nothing for them) or whose code never ends (half a minute
each with stock nbgrader, which says nothing about speed).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

from grading_utils.authoring.release import release
from grading_utils.authoring.sample_class import SampleStudent, read_sample_class, write_submission
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course

ROOT = Path(__file__).parent.parent


def make_course(folder: Path, assignment: str, count: int, *, only_solution: bool = False) -> Course:
    """A course with one assignment, released, with `count` submissions of it."""
    for part in ("source", "sample_class"):
        shutil.copytree(ROOT / part / assignment, folder / part / assignment)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    course = Course.open(folder)
    release(course, assignment)
    bundle = build_bundle(course, assignment)
    honest = [SampleStudent("", assignment, "the solution", {})]
    honest += (
        []
        if only_solution
        else [
            student
            for student in read_sample_class(course, assignment)
            if student.expected["status"] == "graded" and not student.drop and "endless" not in student.about
        ]
    )
    for number, student in enumerate(islice(cycle(honest), count), start=1):
        write_submission(
            course,
            bundle,
            SampleStudent(
                f"b{number:03}", assignment, student.about, student.expected, student.base, student.cells, student.drop
            ),
        )
    return course


def copy_for_stock(course: Course, folder: Path, assignment: str, count: int) -> Course:
    """The same course for nbgrader as shipped: no configuration of ours, and only the first `count` submissions."""
    nbgrader = Path(sys.executable).with_name("nbgrader")
    shutil.copytree(course.root, folder, ignore=shutil.ignore_patterns("gradebook.db", "autograded", "release"))
    subprocess.run(
        [nbgrader, "generate_assignment", assignment, "--force"], cwd=folder, check=True, capture_output=True
    )
    (folder / "nbgrader_config.py").unlink()
    for submission in sorted((folder / "submitted").iterdir())[count:]:
        shutil.rmtree(submission)
    return Course.open(folder)
