"""Options that several commands share, defined once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from grading_utils.course.course import Course
    from grading_utils.grading.merging import Shard
    from grading_utils.reporting.standings import Standing

course = click.option(
    "--course",
    "course_folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    show_default=True,
    help="The nbgrader course directory.",
)


def _names(step: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completes to the folders of one of nbgrader's steps; reading the configuration takes too long for a key."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        folder: Path = (context.params.get("course_folder") or Path()) / step
        names = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete


assignment = click.argument("assignment", shell_complete=_names("source"))
assignments = click.argument("assignments", metavar="[ASSIGNMENT]...", nargs=-1, shell_complete=_names("source"))
students = click.option(
    "--student",
    "students",
    multiple=True,
    metavar="ID",
    shell_complete=_names("submitted"),
    help="Only this student; may be repeated.",
)
student = click.argument("student", shell_complete=_names("submitted"))
no_isolation = click.option(
    "--no-isolation",
    is_flag=True,
    help="Run student code unprotected on this machine. Only for submissions that you trust.",
)


def as_device(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Callback of an option that names a device."""
    from grading_utils.devices.choice import is_wish

    if value is not None and not is_wish(value):
        raise click.BadParameter(f"{value!r} is no device: there are auto, cpu, cuda and cuda:0, cuda:1, …")
    return value


device = click.option(
    "--device",
    metavar="auto|cpu|cuda[:N]",
    callback=as_device,
    help="What submissions are computed on; auto is a GPU where there is one. [default: what the course says, or cpu]",
)
timezone = click.option(
    "--timezone", default="UTC", show_default=True, metavar="ZONE", help="Of dates without one, as in Europe/Berlin."
)
columns = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=TITLE",
    help="A column that has another title: an assignment's in Canvas, grade or identifier in Moodle; may be repeated.",
)

worksheet = click.option(
    "--worksheet",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Moodle's grading worksheet, which says whose a number is and when it was handed in.",
)
groups = click.option(
    "--groups",
    "groups_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV with columns group and student, for assignments that groups hand in.",
)


def _shard(context: click.Context, parameter: click.Parameter, value: str | None) -> Shard | None:
    if value is None:
        return None
    from grading_utils.grading.merging import Shard

    try:
        return Shard.parse(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no part such as 3/10 ({error})") from error


shard = click.option(
    "--shard",
    metavar="K/N",
    callback=_shard,
    help="Grade only part K of N of the class, the same students on every machine; see `merge`.",
)


def pairs(columns: tuple[str, ...]) -> dict[str, str]:
    """What `--column` was given, by name."""
    for text in columns:
        if "=" not in text:
            raise click.BadParameter(f"{text!r} is not of the form NAME=TITLE", param_hint="--column")
    return dict(text.split("=", 1) for text in columns)


def standings(course: Course, assignments: tuple[str, ...] = ()) -> list[Standing]:
    """Everybody's standing in some assignments, or in all that were graded."""
    from grading_utils.errors import CourseError
    from grading_utils.reporting.records import NOTHING_GRADED, RESULTS, read_json
    from grading_utils.reporting.standings import read_standings

    for name in assignments:
        course.require(name)
    path = course.root / RESULTS
    results = read_json(path) if path.exists() else []
    found = [one for one in read_standings(course, results) if not assignments or one.assignment in assignments]
    if not found:
        raise CourseError(NOTHING_GRADED, where=str(course.root))
    return found
