"""Options that several commands share, defined once."""

from __future__ import annotations

from pathlib import Path

import click

course = click.option(
    "--course",
    "course_folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default=True,
    help="The nbgrader course directory.",
)
assignments = click.argument("assignments", metavar="[ASSIGNMENT]...", nargs=-1)
students = click.option(
    "--student", "students", multiple=True, metavar="ID", help="Only this student; may be repeated."
)
no_isolation = click.option(
    "--no-isolation",
    is_flag=True,
    help="Run student code unprotected on this machine. Only for submissions that you trust.",
)
