"""`grading-utils collect`: from an LMS's download to submitted/."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON, options


@click.command()
@click.argument("assignment")
@click.argument("download", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--from",
    "system",
    type=click.Choice(["canvas", "moodle", "gradescope", "folder"]),
    required=True,
    help="What the download comes from; folder: one folder per student.",
)
@click.option(
    "--worksheet",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Moodle's grading worksheet, which says whose a number is and when it was handed in.",
)
@click.option(
    "--groups",
    "groups_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV with columns group and student, for assignments that groups hand in.",
)
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
    from grading_utils.lms import collecting, moodle
    from grading_utils.lms.archives import read_entries
    from grading_utils.lms.matching import read_roster
    from grading_utils.lms.sheets import Sheet

    course = Course.open(course_folder)
    course.require(assignment)
    if system == "moodle":
        sheet = moodle.Worksheet(Sheet.read(worksheet), options.pairs(columns)) if worksheet is not None else None
        handed = collecting.from_moodle(read_entries(download), sheet)
    else:
        handed = collecting.IN[system](read_entries(download))
    groups: dict[str, list[str]] = {}
    if groups_file is not None:
        table = Sheet.read(groups_file)
        for row in table.rows[1:]:
            group = table.cell(row, table.column("group"))
            groups.setdefault(group, []).append(table.cell(row, table.column("student", "id", "student_id")))
    done = collecting.collect(course, assignment, handed, read_roster(course), groups=groups, timezone=timezone)
    for line in done.notes:
        click.echo(line)
    for student in done.late:
        click.echo(f"{student}: late, and the download does not say by how much")
    click.echo(f"{len(done.new)} new or changed, {len(done.same)} as before, {len(done.notes)} notes")
    context.exit(NEEDS_A_PERSON if done.notes or done.late else DONE)
