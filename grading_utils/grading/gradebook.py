"""nbgrader's gradebook, written by one writer through one connection.

Uses nbgrader's own database model, so the formgrader, `nbgrader export` and `nbgrader generate_feedback` see exactly
what they would have seen after `nbgrader autograde`. Never changes a manual score, an extra credit or a comment by a
person.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
from alembic.script import ScriptDirectory
from nbformat import NotebookNode
from nbgrader import api
from nbgrader.api import Grade, Gradebook, MissingEntry, SubmittedAssignment
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from sqlalchemy.exc import SAWarning

from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import is_graded, nbgrader_metadata
from grading_utils.course.course import Course
from grading_utils.errors import CourseError, MachineError
from grading_utils.results import CellResult


class GradebookWriter:
    """The only writer of a course's gradebook while submissions are graded; use it as a context manager."""

    def __init__(self, course: Course) -> None:
        """Open the gradebook.

        Raises:
            MachineError: The database cannot be opened.
        """
        self._course = course
        api.get_alembic_version = _schema_version
        try:
            self._gradebook = Gradebook(course.layout.db_url, course.layout.course_id)
        except Exception as error:
            raise MachineError(
                f"the gradebook {course.layout.db_url} cannot be opened: {str(error).splitlines()[0]}; "
                "check the path and its permissions, or run `nbgrader db upgrade` after an upgrade"
            ) from error
        penalties = AssignLatePenalties(config=course.config)
        self._late: LateSubmissionPlugin = penalties.plugin_class(parent=penalties)

    def __enter__(self) -> GradebookWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gradebook.close()

    def sync(self, bundle: Bundle) -> None:
        """Make the gradebook know an assignment as `source/` has it now.

        Raises:
            CourseError: Cells were added or removed although submissions were already graded, which would orphan
                their scores.
        """
        self._gradebook.update_or_create_assignment(bundle.assignment)
        for notebook in bundle.notebooks.values():
            if not self._knows(bundle.assignment, notebook):
                self._save_cells(bundle.assignment, notebook)

    def _knows(self, assignment: str, notebook: NotebookBundle) -> bool:
        try:
            stored = self._gradebook.find_notebook(notebook.name, assignment)
        except MissingEntry:
            return False
        points = {cell.name: cell.max_score for cell in (*stored.grade_cells, *stored.task_cells)}
        known = {cell.name: (cell.checksum, points.get(cell.name)) for cell in stored.source_cells}
        wanted = {
            name: (nbgrader_metadata(cell).get("checksum"), _points(cell)) for name, cell in notebook.managed.items()
        }
        return known == wanted

    def _save_cells(self, assignment: str, notebook: NotebookBundle) -> None:
        step = SaveCells(config=self._course.config)
        step.log.setLevel(logging.ERROR)
        resources = {
            "nbgrader": {"assignment": assignment, "notebook": notebook.name, "db_url": self._course.layout.db_url}
        }
        node = NotebookNode(metadata=NotebookNode(notebook.metadata), cells=list(notebook.cells))
        try:
            step(node, resources)
        except RuntimeError as error:
            raise CourseError(
                f"{error}. Put the cell ids back as they were, or remove the graded submissions first "
                f"(`nbgrader db assignment remove {assignment}` forgets all grades of it)",
                where=f"{assignment}/{notebook.name}.ipynb",
            ) from error
        self._gradebook.db.expire_all()

    def record(
        self,
        student: str,
        assignment: str,
        scores: Mapping[str, Sequence[CellResult]],
        unanswered: Mapping[str, frozenset[str]],
        timestamp: datetime | None,
    ) -> dict[str, list[CellResult]]:
        """Store what one submission earned.

        Args:
            student: The student's id; created where the gradebook does not know it.
            assignment: The assignment.
            scores: Per notebook, the automatic result of each grade cell.
            unanswered: Per notebook, names of the answer cells that are unchanged from the release.
            timestamp: When it was handed in (UTC), where known.

        Returns:
            The same results with the scores that count: a manual score or extra credit that a person gave stays.
        """
        with self._one_commit():
            gradebook = self._gradebook
            gradebook.update_or_create_student(student)
            details = {"timestamp": timestamp} if timestamp is not None else {}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # nbgrader's way of adding a submission is old but works
                submission = gradebook.update_or_create_submission(assignment, student, **details)
            counted: dict[str, list[CellResult]] = {}
            for notebook in submission.notebooks:
                results = {result.grade_id: result for result in scores.get(notebook.name, ())}
                grades = {grade.cell.name: grade for grade in notebook.grades}
                counted[notebook.name] = [
                    _count(grades[name], result) if name in grades else result for name, result in results.items()
                ]
                for comment in notebook.comments:
                    is_empty = comment.cell.name in unanswered.get(notebook.name, frozenset())
                    comment.auto_comment = "No response." if is_empty else None
            self._penalize(submission, counted)
            return counted

    @contextmanager
    def _one_commit(self) -> Iterator[None]:
        """Make nbgrader's commits, one for every little step, a single one: each waits for the disk."""
        session: Any = self._gradebook.db()
        session.commit = session.flush
        try:
            yield
        except BaseException:
            session.rollback()
            raise
        finally:
            del session.commit
        session.commit()

    def _penalize(self, submission: SubmittedAssignment, counted: Mapping[str, list[CellResult]]) -> None:
        late = submission.total_seconds_late
        for notebook in submission.notebooks:
            penalty: Any = None
            if late > 0:
                score = sum(result.score or 0.0 for result in counted[notebook.name])
                penalty = self._late.late_submission_penalty(submission.student.id, score, late)
            notebook.late_submission_penalty = penalty


def _schema_version() -> str:
    """What nbgrader asks of another Python process (a second) for a new gradebook: the version of its tables."""
    return str(ScriptDirectory(str(Path(api.__file__).parent / "alembic")).get_current_head())


def _count(grade: Grade, result: CellResult) -> CellResult:
    """Write an automatic score beside whatever a person decided, and return what counts."""
    grade.auto_score = result.score
    grade.needs_manual_grade = grade.manual_score is not None or result.score is None
    if grade.manual_score is None and grade.extra_credit is None:
        return result
    base = grade.manual_score if grade.manual_score is not None else result.score
    if base is None:
        return result
    return msgspec.structs.replace(result, score=base + (grade.extra_credit or 0.0), open="")


def _points(cell: Any) -> float | None:
    return float(nbgrader_metadata(cell)["points"]) if is_graded(cell) else None
