"""`grading-utils mark-alike`: what one answer was given, for all that are alike."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON, options


@click.command("mark-alike")
@click.argument("assignment")
@options.course
@click.pass_context
def command(context: click.Context, assignment: str, course_folder: Path) -> None:
    """Grade one answer of a kind in the formgrader; this gives the others the same score and comment.

    Only answers that nobody has graded get something, and only where all graded ones that are alike have the same;
    others are listed, and the exit code is then 1. What is given can be changed in the formgrader like any other.
    """
    from grading_utils.course.course import Course
    from grading_utils.marking.answers import read_answers
    from grading_utils.marking.marks import alike_marks, give

    course = Course.open(course_folder)
    marks, undecided = alike_marks(read_answers(course, course.require(assignment)))
    given = give(course, assignment, marks)
    for mark in marks:
        click.echo(f"{mark.student}, {mark.question}: {mark.score:g}")
    for line in undecided:
        click.echo(line, err=True)
    click.echo(f"{given.written} given")
    context.exit(NEEDS_A_PERSON if undecided else DONE)
