"""`grading-utils release`: from source/ to release/, with the leak scan and the proof."""

from __future__ import annotations

from pathlib import Path

import click

from grading_utils.cli import options

_CONFIGURE = (
    "this course's nbgrader_config.py does not put ScaffoldSolutions in the place of nbgrader's ClearSolutions; copy "
    "nbgrader_config.py of the pack (`grading-utils init` does so)"
)


@click.command()
@options.assignments
@options.course
@options.no_isolation
@click.option("--no-proof", is_flag=True, help="Skip grading the solution and the untouched release.")
def command(assignments: tuple[str, ...], course_folder: Path, no_isolation: bool, no_proof: bool) -> None:
    """Make release/ from source/ (all assignments, or the ones named).

    Refuses, and leaves the old release as it is, when a solution line or a hidden test could be read in the new one,
    when a scaffold is not valid Python, when a heading such as "Question 1 (2 points)" has other points below it, when
    the instructor's own solution does not get full marks, or when the untouched release gets any. An assignment that is
    new becomes known to the gradebook, so that the formgrader and `nbgrader autograde` have it.
    """
    from grading_utils.authoring.proof import prove
    from grading_utils.authoring.release import lost_scaffolds, release
    from grading_utils.authoring.titles import wrong_titles
    from grading_utils.course.bundle import build_bundle
    from grading_utils.course.course import Course
    from grading_utils.errors import AuthoringError
    from grading_utils.grading.engines import engine_factory
    from grading_utils.grading.gradebook import GradebookWriter

    course = Course.open(course_folder)
    for assignment in assignments or course.assignments():
        bundle = build_bundle(course, assignment)
        if wrong := wrong_titles(course.source(assignment)):
            raise AuthoringError("; ".join(wrong), where=assignment)
        if not no_proof:
            prove(course, bundle, engine_factory(course, isolate=not no_isolation), tell=_tell)
        for name in lost_scaffolds(course, assignment):
            _tell(f"warning: {assignment}/{name} has scaffolds that students will not see: {_CONFIGURE}")
        target = release(course, assignment)
        with GradebookWriter(course) as gradebook:
            gradebook.introduce(bundle)
        proof = "not proven" if no_proof else "solution full marks, untouched release none"
        click.echo(f"{assignment}: {target} ({proof})")


def _tell(line: str) -> None:
    click.echo(line, err=True)
