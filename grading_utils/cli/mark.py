"""`grading-utils mark`: points and comments from a table."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON, options


@click.command()
@click.argument("sheet", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Also where a person gave something else for the same answer.")
@options.course
@click.pass_context
def command(context: click.Context, sheet: Path, replace: bool, course_folder: Path) -> None:
    """Give what was filled into a table of `answers`: the formgrader shows it, and every export counts it.

    An answer that has changed since the table was written, and one for which a person gave something else, is left
    alone and listed; the exit code is then 1.
    """
    from grading_utils.course.course import Course
    from grading_utils.marking.marks import give
    from grading_utils.marking.sheet import read_sheet

    course = Course.open(course_folder)
    assignment, marks = read_sheet(sheet)
    if not marks:
        click.echo(f"{sheet}: nothing is filled in")
        return
    given = give(course, assignment, marks, replace=replace)
    for line in given.refused:
        click.echo(line, err=True)
    click.echo(f"{given.written} given, {given.same} as before, {len(given.refused)} refused")
    context.exit(NEEDS_A_PERSON if given.refused else DONE)
