"""`grading-utils init`: a course of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--assignments", help="Which of the pack's assignments, with commas between them. [default: all]", metavar="NAMES"
)
@options.no_isolation
def command(folder: Path, assignments: str | None, no_isolation: bool) -> None:
    """Make an nbgrader course directory with assignments of this pack, and check that every step works.

    The check releases each assignment and grades its own solution (full marks) and the untouched release (none) on
    this machine. Then it runs every command of the new README.md in a copy, with a class of two.
    """
    from grading_utils.authoring.new_course import new_course
    from grading_utils.authoring.proof import prove
    from grading_utils.authoring.rehearsal import rehearse
    from grading_utils.authoring.release import release
    from grading_utils.course.bundle import build_bundle
    from grading_utils.grading.engines import engine_factory

    course = new_course(folder, [name.strip() for name in (assignments or "").split(",") if name.strip()])
    for name in course.assignments():
        prove(course, build_bundle(course, name), engine_factory(course, isolate=not no_isolation))
        click.echo(f"{name}: released to {release(course, name)}; the solution gets full marks, the release none")
    click.echo("Trying each command of README.md in a copy, with a class of two ...")
    tried = rehearse(course, course.assignments()[0], grade_options=["--no-isolation"] if no_isolation else [])
    click.echo(f"{course.root} is ready: all {tried} commands of its README.md work here; open it next")
