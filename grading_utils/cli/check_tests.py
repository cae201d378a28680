"""`grading-utils check-tests`: would the tests of an assignment notice a mistake?"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from grading_utils.cli import DONE, NEEDS_A_PERSON, options


@click.command()
@options.assignment
@options.course
@options.no_isolation
@click.option("--goal", type=click.FloatRange(0, 100), default=95.0, show_default=True, help="Percent to be caught.")
@click.option("--list", "list_all", is_flag=True, help="List every mutant with its verdict.")
def command(assignment: str, course_folder: Path, no_isolation: bool, goal: float, list_all: bool) -> None:
    """Mutate the instructor's solutions of ASSIGNMENT, grade each mutant, and list those that lose no points.

    Mutants that are only another way of writing the solution are listed with a reason in mutants/ASSIGNMENT.yaml.
    The exit code is 1 when fewer than the goal are caught.
    """
    from grading_utils.authoring.checking import check_tests
    from grading_utils.course.bundle import build_bundle
    from grading_utils.course.course import Course
    from grading_utils.grading.engines import engine_factory

    course = Course.open(course_folder)
    bundle = build_bundle(course, assignment)
    verdicts = []
    make_engine = engine_factory(course, isolate=not no_isolation)
    for verdict in check_tests(course, bundle, make_engine, workers=os.cpu_count() or 1):
        verdicts.append(verdict)
        if verdict.survived or list_all:
            mutant = verdict.mutant
            state = "survived" if verdict.survived else verdict.equivalent or f"lost {verdict.lost:g}"
            change = f"{_short(mutant.before)} → `{mutant.changed_line}`"
            click.echo(f"{verdict.grade_id} line {mutant.line}: {mutant.kind}: {change}: {state}")
    mistakes = [verdict for verdict in verdicts if not verdict.equivalent]
    caught = sum(not verdict.survived for verdict in mistakes)
    share = 100 * caught / len(mistakes) if mistakes else 100.0
    equivalent = len(verdicts) - len(mistakes)
    click.echo(f"{assignment}: {caught} of {len(mistakes)} mistakes caught ({share:.1f} %), {equivalent} equivalent")
    sys.exit(DONE if share >= goal else NEEDS_A_PERSON)


def _short(text: str) -> str:
    first, _, rest = text.partition("\n")
    return f"`{first} …`" if rest else f"`{first}`"
