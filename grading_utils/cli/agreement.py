"""`grading-utils agreement`: do submissions get the same points on two devices?"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON, options


@click.command()
@options.assignments
@options.course
@options.device
@click.option(
    "--against",
    metavar="DEVICE",
    default="cpu",
    show_default=True,
    callback=options.as_device,
    help="The device to compare with.",
)
def command(assignments: tuple[str, ...], course_folder: Path, device: str | None, against: str) -> None:
    """Grade what is in submitted/ and tests/answers/ on --device (a GPU unless it says otherwise) and the processor.

    Prints a table and every check that did not get the same points on both; then the exit code is 1. Without a GPU it
    says so and ends with 3. Nothing is recorded.
    """
    from grading_utils.authoring.agreement import HEADER, measure
    from grading_utils.course.bundle import build_bundle
    from grading_utils.course.course import Course
    from grading_utils.devices.choice import CUDA, choose
    from grading_utils.grading.engines import engine_factory

    course = Course.open(course_folder)
    for wish in (device or CUDA, against):
        choose(wish)  # before anything is graded on the other one
    engines = [engine_factory(course, isolate=True, device=wish) for wish in (against, device or CUDA)]
    disagree = False
    click.echo(HEADER)
    for assignment in assignments or course.assignments():
        bundle = build_bundle(course, assignment)
        agreement = measure(course, bundle, engines[0], engines[1], workers=os.cpu_count() or 1)
        click.echo(agreement.row)
        for line in agreement.differing:
            disagree = True
            click.echo(f"  {line}")
    sys.exit(NEEDS_A_PERSON if disagree else DONE)
