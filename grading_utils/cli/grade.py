"""`grading-utils grade`: grade a class, show progress, and record the results."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grading_utils.cli import DONE, NEEDS_A_PERSON, options
from grading_utils.cli.placement import Placement
from grading_utils.cli.placement import options as placement_options
from grading_utils.results import Status, SubmissionResult, points

if TYPE_CHECKING:
    from grading_utils.course.course import Course
    from grading_utils.grading.merging import Shard
    from grading_utils.reporting.recorder import Recorder
    from grading_utils.runners.runner import Runner


@click.command()
@options.assignments
@options.students
@options.course
@options.no_isolation
@placement_options
@click.option(
    "--full",
    is_flag=True,
    help="Also do what no score needs: draw figures that no person grades, run demonstrations and trailing cells.",
)
@options.shard
@click.option("--again", is_flag=True, help="Also grade submissions for which nothing has changed.")
@click.option(
    "--inside",
    multiple=True,
    metavar="CHECK",
    help="Run this check of the --student named inside, after a person has looked at what it left open.",
)
@click.option(
    "--apart-only", is_flag=True, help="Refuse assignments with checks that only work inside the student's process."
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write everybody's standing as JSON; - for standard output.",
)
@click.option("--junit", "junit_file", type=click.Path(path_type=Path), help="The same as JUnit XML.")
@click.option("--csv", "csv_file", type=click.Path(path_type=Path), help="The same as CSV.")
def command(
    assignments: tuple[str, ...],
    students: tuple[str, ...],
    course_folder: Path,
    no_isolation: bool,
    placement: Placement,
    full: bool,
    shard: Shard | None,
    again: bool,
    inside: tuple[str, ...],
    apart_only: bool,
    json_file: Path | None,
    junit_file: Path | None,
    csv_file: Path | None,
) -> None:
    """Grade what students handed in (all assignments, or the ones named).

    Reads submitted/, writes autograded/, the gradebook and grades.json. What has not changed since it was graded, by
    content, is not graded again. The exit code is 0 when all were graded, 1 when some submission needs a person, 2 for
    wrong use, 3 when this machine cannot grade safely.
    """
    from grading_utils.course.course import Course
    from grading_utils.course.strays import strays
    from grading_utils.errors import CourseError
    from grading_utils.reporting.recorder import Recorder
    from grading_utils.reporting.records import write_csv, write_json, write_junit

    if inside and not students:
        raise click.UsageError("--inside is for one student after the other: name them with --student")
    course = Course.open(course_folder)
    if no_isolation:
        click.echo("warning: --no-isolation: student code runs unprotected with your rights on this machine", err=True)
    chosen = [course.require(name) for name in assignments] or course.assignments()
    work = {name: _students(course, name, students) for name in chosen}
    handed_in = any(work.values())
    if shard is not None:
        work = {name: [student for student in there if shard.holds(student)] for name, there in work.items()}
    lost = strays(course)
    if not handed_in:
        raise CourseError(_nothing(course, chosen, students, lost))
    for line in lost:
        click.echo(f"not looked at: {line}", err=True)
    counts = Counter[Status]()
    with Recorder(course) as recorder, placement.open(course, isolate=not no_isolation) as runner:
        graded = _grade_all(
            course,
            work,
            recorder,
            runner,
            again=again or full or bool(inside),
            isolated=not no_isolation,
            everything=full,
            inside=inside,
            apart_only=apart_only,
            tell=lambda line: click.echo(line, err=True),
        )
        for result in _with_progress(graded, sum(map(len, work.values()))):
            counts[result.status] += 1
    for path, write in ((json_file, write_json), (junit_file, write_junit), (csv_file, write_csv)):
        if path is not None:
            write(options.standings(course, tuple(chosen)), path)
    _summarize(counts)
    sys.exit(DONE if counts.keys() <= {Status.GRADED} else NEEDS_A_PERSON)


def _students(course: Course, assignment: str, wanted: tuple[str, ...]) -> list[str]:
    return [student for student in course.students(assignment) if not wanted or student in wanted]


def _nothing(course: Course, assignments: list[str], students: tuple[str, ...], lost: list[str]) -> str:
    """Why there is nothing to grade, and what was found instead."""
    who = f" from {', '.join(students)}" if students else ""
    named = ", ".join(assignments) or "any assignment (source/ has none)"
    where = course.submitted(assignments[0] if assignments else "<assignment>", "<student>")
    instead = "".join(f"\n  {line}" for line in lost)
    return f"nothing was handed in{who} for {named}: no folder {where}{instead}"


def _grade_all(
    course: Course,
    work: dict[str, list[str]],
    recorder: Recorder,
    runner: Runner,
    *,
    again: bool,
    isolated: bool,
    **how: Any,
) -> Iterator[SubmissionResult]:
    """Grade what has to be graded and record it, and pass on what was recorded of the others."""
    from grading_utils.course.bundle import build_bundle
    from grading_utils.devices.choice import CPU
    from grading_utils.grading.moved import by_key, moved
    from grading_utils.grading.pipeline import grade
    from grading_utils.grading.unchanged import Remembered
    from grading_utils.reporting.records import RESULTS, read_json

    recorded = by_key(read_json(course.root / RESULTS) if (course.root / RESULTS).exists() else [])
    for assignment, students in work.items():
        if not students:
            continue
        bundle = build_bundle(course, assignment)
        before = {student: result for (name, student), result in recorded.items() if name == assignment}
        device = runner.device(bundle) if isolated else CPU
        remembered = Remembered(course, bundle, before, isolated=isolated, device=device)
        why = {student: remembered.changed(student) or ("asked for" if again else "") for student in students}
        same = [student for student in students if not why[student]]
        if same:
            click.echo(f"{assignment}: {len(same)} unchanged since they were graded (--again grades them)", err=True)
            now = {one.student: one.as_result() for one in options.standings(course, (assignment,))}
            yield from (now.get(student, before[student]) for student in same)
        waiting = [student for student in students if why[student]]
        if not waiting:
            continue
        gc.freeze()  # all that is loaded stays, so no collection need go through it for every few submissions
        for result in grade(course, bundle, waiting, runner.start, workers=runner.places, ahead=runner.ahead, **how):
            change = moved(before.get(result.student), result, why[result.student])
            recorder.add(result, remembered.fingerprint(result.student), change)
            yield result


def _with_progress(results: Iterable[SubmissionResult], total: int) -> Iterator[SubmissionResult]:
    """Pass results on, with a bar on a terminal and one plain line each elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        for number, result in enumerate(results, start=1):
            click.echo(f"[{number}/{total}] {_line(result)}", err=True)
            yield result
        return
    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total)
        for result in results:
            if result.status is not Status.GRADED:
                progress.console.print(_line(result), markup=False, highlight=False)
            progress.update(task, advance=1, description=result.student)
            yield result


def _line(result: SubmissionResult) -> str:
    waiting = sum(cell.score is None and not cell.open for cell in result.cells)
    manual = f", {waiting} to grade by hand" if waiting else ""
    note = f": {result.message}" if result.message else ""
    late = f", {points(result.penalty)} off for being late" if result.penalty else ""
    earned = f"{points(max(0.0, result.score - result.penalty))}/{points(result.max_score)}"
    return f"{result.student} {result.assignment}: {result.status} {earned}{late}{manual}{note}"


def _summarize(counts: Counter[Status]) -> None:
    listed = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    click.echo(f"{counts.total()} submissions: {listed or 'none'}", err=True)
