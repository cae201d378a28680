"""`grading-utils due`: when an assignment is due."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.assignment
@click.argument("date")
@options.timezone
@options.course
def command(assignment: str, date: str, timezone: str, course_folder: Path) -> None:
    """Set when an assignment is due, for example `due 04-next-token '2026-12-01 23:59'`.

    Lateness counts when a submission is graded next; nbgrader's late_submission_plugin says what it costs.
    """
    from grading_utils.course.course import Course
    from grading_utils.grading.people import read_date, set_due

    course = Course.open(course_folder)
    when = read_date(date, timezone)
    set_due(course, course.require(assignment), when)
    click.echo(f"{assignment} is due {when:%A, %-d %B %Y, %H:%M} {when.tzname() or when.strftime('%z')}")
