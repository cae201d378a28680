"""`grading-utils report`: write the class report from what `grade` recorded."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.reporting.gradebook import read_gradebook, with_manual_grades
from grading_utils.reporting.records import NOTHING_GRADED, read_json
from grading_utils.reporting.report import write_report

RESULTS_FILE = "grades.json"


@click.command("report")
@click.option(
    "--course",
    "root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="this folder",
    help="The course directory.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write.  [default: report.html in the course]",
)
def command(root: Path, output: Path | None) -> None:
    """Write one self-contained HTML page about everything graded so far.

    Manual scores in the gradebook count, so write it again after grading by hand.
    """
    course = Course.open(root)
    results = read_json(course.root / RESULTS_FILE)
    if not results:
        raise CourseError(NOTHING_GRADED, where=str(course.root))
    gradebook = read_gradebook(str(course.layout.db_url), results)
    target = output or course.root / "report.html"
    write_report(with_manual_grades(results, gradebook), target, course_name=course.name)
    click.echo(f"{target}: {len(results)} {'submission' if len(results) == 1 else 'submissions'}")
