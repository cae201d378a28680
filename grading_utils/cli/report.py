"""`grading-utils report`: one page about everything graded so far."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.course
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write. [default: report.html in the course]",
)
def command(course_folder: Path, output: Path | None) -> None:
    """Write report.html: scores, the difficulty of each question, and who needs attention and why.

    Scores that a person entered in the formgrader count, so write it again after grading by hand.
    """
    from grading_utils.cli.grade import RESULTS
    from grading_utils.course.course import Course
    from grading_utils.errors import CourseError
    from grading_utils.reporting.gradebook import read_gradebook, with_manual_grades
    from grading_utils.reporting.records import NOTHING_GRADED, read_json
    from grading_utils.reporting.report import write_report

    course = Course.open(course_folder)
    results = read_json(course.root / RESULTS)
    if not results:
        raise CourseError(NOTHING_GRADED, where=str(course.root))
    gradebook = read_gradebook(str(course.layout.db_url), results)
    target = output or course.root / "report.html"
    write_report(with_manual_grades(results, gradebook), target, course_name=course.name)
    click.echo(f"{target}: {len(results)} {'submission' if len(results) == 1 else 'submissions'}")
