"""`grading-utils compare-gradebooks`: two gradebooks, cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON

if TYPE_CHECKING:
    from grading_utils.reporting.differences import Difference


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("--automatic", is_flag=True, help="Compare automatic points only, not what a person gave.")
@click.option("--all", "show_all", is_flag=True, help="List cells that agree as well.")
def command(first: str, second: str, automatic: bool, show_all: bool) -> None:
    """Compare the gradebook SECOND with FIRST, cell by cell: stock nbgrader's with this one, or before and after.

    Each is an SQLite file, or the address of a database as in postgresql://grader@host/course.

    One line for every cell that differs, then the counts. The exit code is 1 where a cell of the second has fewer
    points or is missing. Cells that wait for a person are listed and allowed.
    """
    from grading_utils.reporting.differences import Kind, compare, counts

    differences = compare(first, second, manual=not automatic)
    for difference in differences:
        if show_all or difference.kind is not Kind.SAME:
            click.echo(_line(difference))
    click.echo(", ".join(f"{count} {kind}" for kind, count in counts(differences).items()) or "no cells")
    lost = any(difference.kind in (Kind.BELOW, Kind.ONLY_FIRST) for difference in differences)
    raise SystemExit(NEEDS_A_PERSON if lost else DONE)


def _line(difference: Difference) -> str:
    where = "/".join((difference.assignment, difference.student, difference.notebook, difference.cell))
    if difference.kind.startswith("only"):
        return f"{where}: {difference.kind}"
    scores = ("a person has to look" if s is None else f"{s:g}" for s in (difference.first, difference.second))
    return f"{where}: {difference.kind}: {' -> '.join(scores)}"
