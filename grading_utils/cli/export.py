"""`grading-utils export`: the whole gradebook for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON, options

if TYPE_CHECKING:
    from grading_utils.course.course import Course
    from grading_utils.lms.filling import Choices, Filled
    from grading_utils.lms.sheets import Sheet
    from grading_utils.reporting.standings import Standing


@click.command()
@options.assignments
@click.option(
    "--to",
    "target",
    type=click.Choice(["csv", "json", "junit", "canvas", "moodle", "gradescope", "summary"]),
    required=True,
    help="What to write.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), required=True, help="Where to."
)
@click.option(
    "--fill",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The file that Canvas or Moodle exported; it is copied with the scores filled in.",
)
@options.columns
@click.option("--partial", is_flag=True, help="Also scores of students who have a question that waits for a person.")
@click.option("--missing-as-zero", is_flag=True, help="0 points in the LMS for students who handed in nothing.")
@click.option("--scale", is_flag=True, help="Convert scores where the LMS gives the assignment other points.")
@click.option("--skip-unmatched", is_flag=True, help="Leave out students who have no row in the LMS's file.")
@options.course
@click.pass_context
def command(
    context: click.Context,
    assignments: tuple[str, ...],
    target: str,
    output: Path,
    fill: Path | None,
    columns: tuple[str, ...],
    partial: bool,
    missing_as_zero: bool,
    scale: bool,
    skip_unmatched: bool,
    course_folder: Path,
) -> None:
    """Write what everybody has: penalties, manual points and extra credit included, missing work listed.

    For Canvas and Moodle, name the file that they exported with --fill: only scores are changed in it, and students
    whose cell stays as it was are listed (exit code 1). `summary` adds a Markdown table to a file, for CI jobs.
    """
    from grading_utils.course.course import Course
    from grading_utils.lms.filling import Choices
    from grading_utils.lms.gradescope import score_rows
    from grading_utils.lms.sheets import Sheet
    from grading_utils.platforms.summary import write_summary
    from grading_utils.reporting import records

    course = Course.open(course_folder)
    standings = options.standings(course, assignments)
    if target in ("canvas", "moodle"):
        if fill is None:
            raise click.UsageError(f"--to {target} fills the file that {target.title()} exported: name it with --fill")
        sheet = Sheet.read(fill)
        choices = Choices(partial=partial, missing_as_zero=missing_as_zero, scale=scale, skip_unmatched=skip_unmatched)
        filled = _fill(course, target, sheet, standings, options.pairs(columns), choices)
        sheet.write(output)
        for assignment, done in filled.items():
            for line in done.left:
                click.echo(f"{assignment}: {line}", err=True)
            click.echo(f"{assignment}: {len(done.changed)} scores changed, {len(done.left)} left", err=True)
        context.exit(NEEDS_A_PERSON if any(done.left for done in filled.values()) else DONE)
    if target == "gradescope":
        Sheet(score_rows(standings)).write(output)
    elif target == "summary":
        write_summary(standings, output)
    elif target == "json":
        records.write_json(standings, output)
    else:
        (records.write_csv if target == "csv" else records.write_junit)(standings, output)


def _fill(
    course: Course,
    target: str,
    sheet: Sheet,
    standings: list[Standing],
    columns: dict[str, str],
    choices: Choices,
) -> dict[str, Filled]:
    from grading_utils.lms import canvas, moodle
    from grading_utils.lms.matching import read_roster

    if target == "canvas":
        return canvas.fill_scores(sheet, standings, columns, read_roster(course), choices)
    names = list(dict.fromkeys(standing.assignment for standing in standings))
    if len(names) != 1:
        raise click.UsageError(f"Moodle's worksheet is of one assignment; name it: {', '.join(names)}")
    return {names[0]: moodle.Worksheet(sheet, columns).fill_scores(standings, read_roster(course), choices)}
