"""`grading-utils kit`: one folder or zip for students."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.assignments
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A new folder, or a zip where the name ends in .zip.",
)
@options.course
def command(assignments: tuple[str, ...], output: Path, course_folder: Path) -> None:
    """Put the releases, the students' part of the package and a page "start here" into one folder or zip.

    The wheel in it holds nothing that grades. Students need Python, and once an internet connection.
    """
    from grading_utils.authoring.kit import write_kit
    from grading_utils.course.course import Course
    from grading_utils.lms.archives import write_zip

    course = Course.open(course_folder)
    if output.suffix != ".zip":
        made = write_kit(course, assignments, output)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch) / output.stem
            made = write_kit(course, assignments, root)
            paths = [path for path in root.rglob("*") if path.is_file()]
            files = {path.relative_to(scratch).as_posix(): path.read_bytes() for path in paths}
        write_zip(files, output)
    click.echo(f"{output}: {len(made)} notebooks; students open start-here.html first")
