"""`grading-utils gradescope`: the autograder zip of an assignment."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.assignment
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The zip to write.")
@click.option(
    "--visibility",
    type=click.Choice(["visible", "after_due_date", "after_published", "hidden"]),
    default="visible",
    show_default=True,
    help="When students see points and message of each question.",
)
@click.option(
    "--without-isolation",
    is_flag=True,
    help="Grade without a sandbox where Gradescope's container does not allow one; hidden tests can then be read.",
)
@options.course
def command(assignment: str, output: Path, visibility: str, without_isolation: bool, course_folder: Path) -> None:
    """Write the zip that Gradescope takes as an autograder, for one assignment.

    It holds the assignment with its hidden tests: upload it to Gradescope, and nowhere else. Choose a container with at
    least 4 GB of memory there.
    """
    from grading_utils.course.course import Course
    from grading_utils.platforms.bundle import write_bundle
    from grading_utils.platforms.gradescope import Settings

    course = Course.open(course_folder)
    settings = Settings(assignment, visibility, without_isolation)
    click.echo(f"{output}: {len(write_bundle(course, settings, output))} files")
