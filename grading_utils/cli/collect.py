"""`grading-utils collect`: from an LMS's download to submitted/."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON, options


@click.command()
@options.assignment
@click.argument("download", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--from",
    "system",
    type=click.Choice(["canvas", "moodle", "gradescope", "folder"]),
    required=True,
    help="What the download comes from; folder: one folder per student.",
)
@options.worksheet
@options.groups
@options.columns
@options.timezone
@options.course
@click.pass_context
def command(
    context: click.Context,
    assignment: str,
    download: Path,
    system: str,
    worksheet: Path | None,
    groups_file: Path | None,
    columns: tuple[str, ...],
    timezone: str,
    course_folder: Path,
) -> None:
    """Put a downloaded zip (or unpacked folder) of submissions into submitted/.

    Students are found by the ids and names of the roster (`students import`). What belongs to nobody, and what a newer
    attempt replaces, is kept in downloaded/ and listed. The exit code is 1 where something is listed.
    """
    from grading_utils.course.course import Course
    from grading_utils.lms.collecting import collect
    from grading_utils.lms.downloads import read_download, read_groups, undated
    from grading_utils.lms.matching import read_roster

    course = Course.open(course_folder)
    course.require(assignment)
    handed = read_download(download, system, worksheet, options.pairs(columns))
    groups = read_groups(groups_file) if groups_file is not None else None
    done = collect(course, assignment, handed, read_roster(course), groups=groups, timezone=timezone)
    done.notes += undated(handed) if system == "moodle" else []
    for line in done.notes:
        click.echo(line)
    for student in done.late:
        click.echo(f"{student}: late, and the download does not say by how much")
    click.echo(f"{len(done.new)} new or changed, {len(done.same)} as before, {len(done.notes)} notes")
    context.exit(NEEDS_A_PERSON if done.notes or done.late else DONE)
