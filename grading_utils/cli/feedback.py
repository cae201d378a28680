"""`grading-utils feedback`: one page per graded submission."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@options.assignments
@options.students
@options.course
def command(assignments: tuple[str, ...], students: tuple[str, ...], course_folder: Path) -> None:
    """Write feedback/<student>/<assignment>/<notebook>.html for everything graded so far.

    Hidden tests are not shown, only what each failed check has to say. Scores and comments that a person entered in
    the formgrader are included. Hand it out with `grading-utils hand-back` (Canvas, Moodle) or with
    `nbgrader release_feedback` (nbgrader's exchange).
    """
    from grading_utils.course.course import Course
    from grading_utils.reporting.exchange_files import add_exchange_files
    from grading_utils.reporting.feedback import write_feedback
    from grading_utils.reporting.records import RESULTS, read_json

    course = Course.open(course_folder)
    results = [
        result
        for result in read_json(course.root / RESULTS)
        if (not assignments or result.assignment in assignments) and (not students or result.student in students)
    ]
    pages = write_feedback(course, results)
    for result in results:
        add_exchange_files(course, result.assignment, result.student)
    click.echo(f"{len(pages)} pages in {course.folder(course.layout.feedback_directory)}")
