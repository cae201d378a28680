"""`grading-utils merge`: one gradebook from what several machines graded."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options


@click.command()
@click.argument("shards", type=click.Path(path_type=Path, exists=True, file_okay=False), nargs=-1, required=True)
@options.course
def command(shards: tuple[Path, ...], course_folder: Path) -> None:
    """Take over what `grade --shard` left in the folders SHARDS (gradebook.db, grades.json, autograded/).

    The result is the same as grading everybody here, in whatever order and however often it is merged. Points and
    comments that a person gave here stay.
    """
    from grading_utils.course.course import Course
    from grading_utils.grading.merging import merge
    from grading_utils.reporting.records import RESULTS, merge_json

    course = Course.open(course_folder)
    merged = merge(course, shards)
    merge_json(merged, course.root / RESULTS)
    click.echo(f"{len(merged)} submissions from {len(shards)} {'part' if len(shards) == 1 else 'parts'}")
