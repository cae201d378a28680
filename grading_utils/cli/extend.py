"""`grading-utils extend`: more time for one student."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.assignment
@options.student
@click.argument("date")
@options.timezone
@options.course
def command(assignment: str, student: str, date: str, timezone: str, course_folder: Path) -> None:
    """Give a student until a date, for example `extend 04-next-token ann '2026-12-03 23:59'`.

    Replaces an earlier extension. Lateness counts when the submission is graded next.
    """
    from grading_utils.course.course import Course
    from grading_utils.grading.people import extend, read_date

    course = Course.open(course_folder)
    when = read_date(date, timezone)
    longer = extend(course, course.require(assignment), student, when)
    until = f"{when:%A, %-d %B %Y, %H:%M} {when.tzname() or when.strftime('%z')}"
    click.echo(f"{student} has until {until} for {assignment} ({longer} longer than everybody)")
