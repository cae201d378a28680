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
@click.option(
    "--similarity/--no-similarity", default=True, show_default=True, help="Look for code that submissions share."
)
def command(course_folder: Path, output: Path | None, similarity: bool) -> None:
    """Write report.html: scores, how hard each question is and what it tells, and who needs attention and why.

    Scores that a person entered in the formgrader count, so write it again after grading by hand, and after `feedback`
    for links to the feedback pages.
    """
    from grading_utils.course.course import Course
    from grading_utils.reporting.report import write_report
    from grading_utils.results import Status

    course = Course.open(course_folder)
    standings = [standing for standing in options.standings(course) if standing.status is not Status.MISSING]
    target = output or course.root / "report.html"
    write_report(standings, target, course_name=course.name, course=course, similarity=similarity)
    click.echo(f"{target}: {len(standings)} {'submission' if len(standings) == 1 else 'submissions'}")
