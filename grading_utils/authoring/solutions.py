"""Worked notebooks for students, for after the deadline: model answers, rubrics and visible checks.

Made by nbgrader's own `GenerateSolution` with a scratch gradebook. Hidden tests are left out unless asked for, and so
are the scaffolds and the markers of regions. The code that runs is the instructor's own, in a plain Jupyter kernel.
"""

from __future__ import annotations

import copy
import logging
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader import preprocessors as stock
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateSolution
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool

from grading_utils.course.course import Course
from grading_utils.course.regions import Grammar
from grading_utils.errors import AuthoringError, CourseError
from grading_utils.replacing import replace_folder


class ShowSolutions(NbGraderPreprocessor):
    """Leaves of each marked region what students may read now, without its markers and without the scaffold."""

    hidden_tests = Bool(False, help="Whether hidden tests are shown as well").tag(config=True)

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """See nbconvert's `Preprocessor`."""
        grammar = Grammar.of(self.parent.config)
        if cell.cell_type == "code":
            cell.source = grammar.solved(cell.source)
        lines = cell.source.split("\n")
        left_out = [] if self.hidden_tests else list(grammar.hidden_tests.ranges(cell.source))
        cell.source = "\n".join(
            line
            for number, line in enumerate(lines, start=1)
            if grammar.marker_in(line) is None and not any(first <= number <= last for first, last in left_out)
        )
        return cell, resources


def still_due(course: Course, assignment: str) -> datetime | None:
    """Until when somebody may still hand in, extensions included; None where nobody may or no date is known."""
    if not course.has_gradebook:
        return None
    with course.gradebook() as gradebook:
        try:
            known = gradebook.find_assignment(assignment)
        except MissingEntry:
            return None
        dates = [known.duedate, *(submission.duedate for submission in known.submissions)]
        last: datetime | None = max((date for date in dates if date is not None), default=None)
    return last if last is not None and last > datetime.now(UTC).replace(tzinfo=None) else None


def write_solution(course: Course, assignment: str, *, hidden_tests: bool = False, run: bool = True) -> Path:
    """Replace `solution/<assignment>` by worked notebooks.

    Args:
        course: The course.
        assignment: The assignment.
        hidden_tests: Whether hidden tests are shown as well.
        run: Whether the notebooks are run, so that they hold their outputs.

    Returns:
        The folder.

    Raises:
        CourseError: There is no such assignment.
        AuthoringError: nbgrader could not make it, for example because a cell of the solution fails.
    """
    course.require(assignment)
    target = course.folder(course.layout.solution_directory, ".", assignment)
    with tempfile.TemporaryDirectory() as scratch:
        config = copy.deepcopy(course.config)
        config.CourseDirectory.db_url = f"sqlite:///{scratch}/gradebook.db"
        config.CourseDirectory.solution_directory = f"{scratch}/solution"
        config.ShowSolutions.hidden_tests = hidden_tests
        # Over TCP, ipykernel warns of those who listen in.
        config.KernelManager.transport, config.KernelManager.ip = "ipc", f"{scratch}/kernel"
        with Gradebook(config.CourseDirectory.db_url) as gradebook:
            gradebook.add_assignment(assignment)
        layout = CourseDirectory(config=config)
        layout.assignment_id = assignment
        converter = GenerateSolution(coursedir=layout, config=config)
        steps = [stock.IncludeHeaderFooter, stock.LockCells, stock.ClearOutput, ShowSolutions]
        converter.preprocessors = [*steps, *([stock.Execute] if run else [])]
        converter.force = True
        converter.log = logging.Logger("nbgrader", logging.CRITICAL)
        try:
            converter.start()
        except (NbGraderException, SystemExit) as error:
            raise AuthoringError(f"nbgrader could not make the solution: {error}", where=assignment) from error
        made = Path(layout.format_path(layout.solution_directory, ".", assignment))
        replace_folder(made, target)
    return target


def refuse_before_deadline(course: Course, assignment: str) -> None:
    """Refuse to show solutions while somebody may still hand in.

    Raises:
        CourseError: Somebody has until later; names the date.
    """
    date = still_due(course, assignment)
    if date is not None:
        raise CourseError(
            f"{assignment} may be handed in until {date:%Y-%m-%d %H:%M} UTC (extensions included); "
            "make the solutions after that, or now with --early"
        )
