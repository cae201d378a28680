"""`grading-utils answers`: what people have to read, question by question."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@click.argument("assignment")
@click.option("--question", "only", multiple=True, metavar="NAME", help="Only this question; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Also answers that nobody has to grade any more.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write: .csv to fill in for `mark`, .html to read.",
)
@click.option(
    "--formgrader",
    default="http://localhost:8888/formgrader",
    show_default=True,
    metavar="URL",
    help="Where the links of the page lead.",
)
@options.course
def command(
    assignment: str, only: tuple[str, ...], everything: bool, target: Path, formgrader: str, course_folder: Path
) -> None:
    """Write the answers that a person grades, those that are alike together, beside rubric and model answer.

    Fill in score and comment in the table, once for each group, and give them with `mark`. A member of a group that is
    to have something else gets a row of its own: copy the row, and leave its name in one of the two only.
    """
    from grading_utils.course.course import Course
    from grading_utils.errors import CourseError
    from grading_utils.marking.answers import questions, read_answers
    from grading_utils.marking.marks import groups_of
    from grading_utils.marking.page import write_page
    from grading_utils.marking.sheet import write_sheet

    course = Course.open(course_folder)
    asked = questions(course, assignment)
    names = [question.name for question in asked]
    if unknown := [name for name in only if name not in names]:
        raise CourseError(
            f"nobody grades a question {unknown[0]!r} by hand; there are: {', '.join(names) or 'none'}",
            where=assignment,
        )
    groups = groups_of(read_answers(course, assignment))
    chosen = [
        (question, group)
        for question in asked
        if not only or question.name in only
        for group in groups.get((question.notebook, question.name), ())
        if everything or group.waiting
    ]
    if target.suffix.lower() in (".html", ".htm"):
        rows = write_page(target, assignment, chosen, formgrader=formgrader, course=course.name)
    else:
        rows = write_sheet(target, assignment, chosen)
    waiting = sum(len(group.waiting) for _, group in chosen)
    click.echo(f"{target}: {waiting} answers wait, to be read {rows} times")
