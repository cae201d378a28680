"""`grading-utils students`: the roster, by file."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.group()
def command() -> None:
    """Who is in the course: import a roster, list it."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.course
def import_(file: Path, course_folder: Path) -> None:
    """Add the students of a CSV file to the gradebook, or change what is known of them.

    Columns are found by name: id, first_name, last_name, email and lms_user_id, or the names that Canvas, Moodle and
    Gradescope give them, so their own exports can be imported as they are. Other columns are ignored; nobody is
    removed.
    """
    from grading_utils.course.course import Course
    from grading_utils.grading.people import import_students
    from grading_utils.lms.rosters import read_people
    from grading_utils.lms.sheets import Sheet

    new, known = import_students(Course.open(course_folder), read_people(Sheet.read(file)))
    click.echo(f"{new} new, {known} known before")


@command.command("list")
@options.course
def list_(course_folder: Path) -> None:
    """Print everybody that the gradebook knows: id, name, address, number in the LMS."""
    from grading_utils.course.course import Course
    from grading_utils.lms.matching import read_roster

    for person in read_roster(Course.open(course_folder)).people.values():
        name = f"{person.first_name} {person.last_name}".strip()
        click.echo("\t".join((person.id, name, person.email, person.lms_id)))
