"""`grading-utils check-answers`: do the tests of an assignment know right answers from wrong ones?"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON, options


@click.command()
@options.assignments
@options.course
@options.no_isolation
@click.option("--list", "list_all", is_flag=True, help="List the mistakes that only hidden checks notice.")
def command(assignments: tuple[str, ...], course_folder: Path, no_isolation: bool, list_all: bool) -> None:
    """Grade the answers collected in tests/answers/ and print, as a table, how the tests do on them.

    An answer whose points or messages are not as its author wrote them down is listed, and the exit code is 1.
    """
    from grading_utils.authoring.answers import FOLDER, HEADER, Summary, try_answers
    from grading_utils.course.bundle import build_bundle
    from grading_utils.course.course import Course
    from grading_utils.grading.engines import engine_factory

    course = Course.open(course_folder)
    named = assignments or tuple(name for name in course.assignments() if (course.root / FOLDER / name).is_dir())
    make_engine = engine_factory(course, isolate=not no_isolation)
    surprising = False
    click.echo(HEADER)
    for assignment in named:
        bundle = build_bundle(course, assignment)
        tried = list(try_answers(course, bundle, make_engine, workers=os.cpu_count() or 1))
        click.echo(Summary.of(tried).row(assignment))
        for answer in tried:
            for surprise in answer.surprises:
                surprising = True
                click.echo(f"  {answer.cell}: {answer.name}: {surprise}")
            if list_all and not answer.right and not answer.visible:
                click.echo(f"  {answer.cell}: {answer.name}: {' / '.join(answer.messages) or 'not noticed'}")
    sys.exit(NEEDS_A_PERSON if surprising else DONE)
