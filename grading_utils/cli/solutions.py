"""`grading-utils solutions`: worked notebooks for after the deadline."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.assignments
@click.option("--hidden", is_flag=True, help="Show hidden tests as well; they can't be used again then.")
@click.option("--early", is_flag=True, help="Also while somebody may still hand in.")
@click.option("--no-run", is_flag=True, help="Without outputs.")
@options.course
def command(assignments: tuple[str, ...], hidden: bool, early: bool, no_run: bool, course_folder: Path) -> None:
    """Write solution/<assignment>: model answers, rubrics and visible checks, with their outputs.

    Refuses while somebody may still hand in, extensions included.
    """
    from grading_utils.authoring.solutions import refuse_before_deadline, write_solution
    from grading_utils.course.course import Course

    course = Course.open(course_folder)
    chosen = [course.require(name) for name in assignments] or course.assignments()
    for name in chosen:
        if not early:
            refuse_before_deadline(course, name)
    for name in chosen:
        click.echo(write_solution(course, name, hidden_tests=hidden, run=not no_run))
