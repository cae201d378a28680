"""`grading-utils sample-class`: the submissions of the sample class, for trying everything out."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.assignments
@options.course
@click.option("--check", is_flag=True, help="Compare grades.json with the scores that the sample class expects.")
def command(assignments: tuple[str, ...], course_folder: Path, check: bool) -> None:
    """Write the sample class (sample_class/<assignment>/<student>.yaml) to submitted/.

    Refuses when submitted/ holds anybody who is not in the sample class, so that a real class never mixes with it.
    """
    from grading_utils.authoring.sample_class import check_expectations, write_sample_class
    from grading_utils.course.course import Course
    from grading_utils.reporting.records import RESULTS, read_json

    course = Course.open(course_folder)
    if check:
        surprises = check_expectations(course, read_json(course.root / RESULTS), assignments or None)
        for surprise in surprises:
            click.echo(surprise, err=True)
        click.echo(f"{len(surprises)} surprises in the sample class")
        raise SystemExit(1 if surprises else 0)
    count = write_sample_class(course, assignments or None)
    click.echo(f"{count} submissions in {course.folder(course.layout.submitted_directory)}")
