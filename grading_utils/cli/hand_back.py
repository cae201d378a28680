"""`grading-utils hand-back`: feedback as a zip for Canvas or Moodle."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.assignment
@click.argument("download", type=click.Path(path_type=Path, exists=True))
@click.option("--to", "system", type=click.Choice(["canvas", "moodle"]), required=True, help="Who hands it out.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The zip to write and upload."
)
@options.worksheet
@options.groups
@options.columns
@options.course
def command(
    assignment: str,
    download: Path,
    system: str,
    output: Path,
    worksheet: Path | None,
    groups_file: Path | None,
    columns: tuple[str, ...],
    course_folder: Path,
) -> None:
    """Put the feedback on what was collected from DOWNLOAD into a zip that Canvas or Moodle takes.

    Canvas: "Upload Submissions" of the assignment; students find the page in a comment. Moodle: "Upload multiple
    feedback files in a zip". Each upload to Canvas makes a new comment, so upload once.
    """
    from grading_utils.course.course import Course
    from grading_utils.lms.downloads import read_download, read_groups
    from grading_utils.lms.handing_back import feedback_zip
    from grading_utils.lms.matching import read_roster

    course = Course.open(course_folder)
    course.require(assignment)
    handed = read_download(download, system, worksheet, options.pairs(columns))
    groups = read_groups(groups_file) if groups_file is not None else None
    students = feedback_zip(course, assignment, handed, read_roster(course), system, output, groups=groups)
    click.echo(f"{output}: feedback for {len(students)} students")
