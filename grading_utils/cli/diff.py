"""`grading-utils diff`: whose score the last run of `grade` moved."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.course
def command(course_folder: Path) -> None:
    """Show whose score moved when `grade` ran last, on which questions, and why it was graded again.

    Submissions that were graded for the first time have moved from nowhere and are not listed.
    """
    from grading_utils.course.course import Course
    from grading_utils.grading.moved import last

    changes = last(Course.open(course_folder))
    for change in changes:
        click.echo(f"{change.student} {change.assignment}: {change.before} → {change.after} ({change.why})")
        for cell in change.cells:
            points = " → ".join("open" if score is None else f"{score:g}" for score in (cell.before, cell.after))
            click.echo(f"    {cell.grade_id}: {points}{f': {cell.message}' if cell.message else ''}")
    click.echo(f"{len(changes)} scores moved")
