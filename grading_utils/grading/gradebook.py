"""nbgrader's gradebook, written by one writer through one connection.

Uses nbgrader's own database model, so the formgrader, `nbgrader export` and `nbgrader generate_feedback` see exactly
what they would have seen after `nbgrader autograde`. Never changes a manual score, an extra credit or a comment by a
person.
"""

from __future__ import annotations

import dataclasses
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import msgspec
from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, MissingEntry, Notebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SAWarning

from grading_utils import patches
from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.cells import is_graded, nbgrader_metadata
from grading_utils.course.course import Course
from grading_utils.course.regions import Grammar
from grading_utils.course.released import ReleasedCell, ReleasedNotebook
from grading_utils.errors import MachineError, machine_trouble
from grading_utils.grading.changed_answers import CHANGED
from grading_utils.grading.migration import migrate
from grading_utils.grading.one_writer import OneWriter
from grading_utils.results import CellResult


class GradebookWriter:
    """The only writer of a course's gradebook while submissions are graded; use it as a context manager."""

    def __init__(self, course: Course) -> None:
        """Open the gradebook.

        Raises:
            MachineError: The database cannot be opened.
        """
        self._course = course
        patches.ask_schema_version_here()
        try:
            self._one_writer = OneWriter(course.layout.db_url)
            with self._one_writer.held():
                self._gradebook = course.gradebook()
                patches.finish_new_gradebook(self._gradebook.db())
        except Exception as error:
            if (trouble := machine_trouble(error)) is not None:
                raise trouble from error
            name = make_url(course.layout.db_url).render_as_string()  # without a password
            raise MachineError(
                f"the gradebook {name} cannot be opened: {str(error).splitlines()[0]}; "
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
        self._one_writer.close()

    def sync(self, bundle: Bundle, tell: Callable[[str], None] = lambda _: None) -> Bundle:
        """Make the gradebook know an assignment as `source/` has it now; grades stay with their cells.

        Args:
            bundle: The assignment.
            tell: Takes what changed since it was graded, one line for each thing.

        Returns:
            The assignment, with what the gradebook has known of it before among its earlier versions.

        Raises:
            CourseError: A cell was removed in which a person gave points.
        """
        with self._one_writer.held():
            return self._sync(bundle, tell)

    def introduce(self, bundle: Bundle) -> None:
        """Make the gradebook know an assignment that is new to it, so that `nbgrader autograde` and the formgrader do.

        One that it knows is left to `sync`, which needs what the gradebook knew when the class was graded last.
        """
        with self._one_writer.held():
            if all(self._stored(bundle.assignment, name) is None for name in bundle.notebooks):
                self._sync(bundle, lambda _: None)

    def _sync(self, bundle: Bundle, tell: Callable[[str], None]) -> Bundle:
        self._gradebook.update_or_create_assignment(bundle.assignment)
        notebooks = dict(bundle.notebooks)
        for name, notebook in bundle.notebooks.items():
            stored = self._stored(bundle.assignment, name)
            if stored is None or not _is_known(stored, notebook):
                if stored is not None:
                    earlier = (*notebook.earlier, _as_released(stored, notebook.grammar))
                    self._migrate(stored, notebook, tell)
                    notebooks[name] = dataclasses.replace(notebook, earlier=earlier)
                self._save_cells(bundle.assignment, notebook)
        return dataclasses.replace(bundle, notebooks=notebooks)

    def _stored(self, assignment: str, name: str) -> Notebook | None:
        try:
            return self._gradebook.find_notebook(name, assignment)
        except MissingEntry:
            return None

    def _save_cells(self, assignment: str, notebook: NotebookBundle) -> None:
        step = SaveCells(config=self._course.config)
        step.log.setLevel(logging.ERROR)
        resources = {
            "nbgrader": {"assignment": assignment, "notebook": notebook.name, "db_url": self._course.layout.db_url}
        }
        node = NotebookNode(metadata=NotebookNode(notebook.metadata), cells=list(notebook.cells))
        step(node, resources)
        self._gradebook.db.expire_all()

    def _migrate(self, stored: Notebook, notebook: NotebookBundle, tell: Callable[[str], None]) -> None:
        if not stored.submissions:
            return
        session = self._gradebook.db()
        try:
            changes = migrate(self._gradebook, stored, notebook)
        except BaseException:
            session.rollback()
            raise
        session.commit()
        for change in changes:
            tell(f"{notebook.name}: {change}")

    def record(
        self,
        student: str,
        assignment: str,
        scores: Mapping[str, Sequence[CellResult]],
        unanswered: Mapping[str, frozenset[str]],
        timestamp: datetime | None,
        changed: Mapping[str, frozenset[str]] | None = None,
    ) -> dict[str, list[CellResult]]:
        """Store what one submission earned.

        Args:
            student: The student's id; created where the gradebook does not know it.
            assignment: The assignment.
            scores: Per notebook, the automatic result of each grade cell.
            unanswered: Per notebook, names of the answer cells that are unchanged from the release.
            timestamp: When it was handed in (UTC), where known.
            changed: Per notebook, graded cells whose answer is another one than when they were graded last.

        Returns:
            The same results with the scores that count: a manual score or extra credit that a person gave stays, and
            is marked where it was given for another answer.
        """
        with self._one_writer.held(), patches.one_commit(self._gradebook.db()):
            gradebook = self._gradebook
            gradebook.update_or_create_student(student)
            details = {"timestamp": timestamp} if timestamp is not None else {}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # nbgrader's way of adding a submission is old but works
                submission = gradebook.update_or_create_submission(assignment, student, **details)
            self._complete(submission)
            counted: dict[str, list[CellResult]] = {}
            for notebook in submission.notebooks:
                results = {result.grade_id: result for result in scores.get(notebook.name, ())}
                grades = {grade.cell.name: grade for grade in notebook.grades}
                counted[notebook.name] = [
                    _count(grades[name], result, changed=name in (changed or {}).get(notebook.name, ()))
                    if name in grades
                    else result
                    for name, result in results.items()
                ]
                for comment in notebook.comments:
                    is_empty = comment.cell.name in unanswered.get(notebook.name, frozenset())
                    comment.auto_comment = "No response." if is_empty else None
            self._penalize(submission, counted)
            return counted

    def _complete(self, submission: SubmittedAssignment) -> None:
        """Add the notebooks that a submission lacks, as nbgrader makes them.

        An extension that is granted before the gradebook knows the assignment's notebooks makes one without any.
        """
        session = self._gradebook.db
        there = {notebook.name for notebook in submission.notebooks}
        for stored in submission.assignment.notebooks:
            if stored.name in there:
                continue
            added = SubmittedNotebook(notebook=stored, assignment=submission)
            session.add(added)
            session.add_all(Grade(cell=cell, notebook=added) for cell in (*stored.grade_cells, *stored.task_cells))
            session.add_all(Comment(cell=cell, notebook=added) for cell in (*stored.solution_cells, *stored.task_cells))
        session.flush()

    def penalty(self, student: str, assignment: str) -> float:
        """Points that a recorded submission loses for being late."""
        submission = self._gradebook.find_submission(assignment, student)
        return float(sum(notebook.late_submission_penalty or 0.0 for notebook in submission.notebooks))

    def earlier(self, student: str, assignment: str) -> list[CellResult]:
        """What an earlier hand-in of a student has by now; nothing where none was graded."""
        try:
            submission = self._gradebook.find_submission(assignment, student)
        except MissingEntry:
            return []
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        if not any(_was_graded(grade) for grade in grades):
            return []
        return [
            CellResult(
                grade_id=grade.cell.name,
                score=float(grade.score) if _is_scored(grade) else None,
                max_score=float(grade.cell.max_score),
            )
            for grade in grades
        ]

    def _penalize(self, submission: SubmittedAssignment, counted: Mapping[str, list[CellResult]]) -> None:
        late = submission.total_seconds_late
        for notebook in submission.notebooks:
            penalty: Any = None
            if late > 0:
                score = sum(result.score or 0.0 for result in counted[notebook.name])
                penalty = self._late.late_submission_penalty(submission.student.id, score, late)
            notebook.late_submission_penalty = penalty


def _max_scores(stored: Notebook) -> dict[str, float]:
    return {cell.name: cell.max_score for cell in (*stored.grade_cells, *stored.task_cells)}


def _is_known(stored: Notebook, notebook: NotebookBundle) -> bool:
    """Does the gradebook have a notebook's cells as they are now?"""
    points = _max_scores(stored)
    known = {cell.name: (cell.checksum, points.get(cell.name)) for cell in stored.source_cells}
    return known == {
        name: (nbgrader_metadata(cell).get("checksum"), _points(cell)) for name, cell in notebook.managed.items()
    }


def _as_released(stored: Notebook, grammar: Grammar) -> ReleasedNotebook:
    """The cells of the gradebook as students got them."""
    points = _max_scores(stored)
    cells = {cell.name: grammar.released(cell.source or "") for cell in stored.source_cells}
    return ReleasedNotebook({name: ReleasedCell(text, points.get(name)) for name, text in cells.items()})


def _count(grade: Grade, result: CellResult, *, changed: bool) -> CellResult:
    """Write an automatic score beside whatever a person decided, and return what counts.

    What a person has graded is asked for again only where the answer is another one now.
    """
    grade.auto_score = result.score
    if grade.manual_score is None:
        grade.needs_manual_grade = result.score is None
    elif changed:
        grade.needs_manual_grade = True
    if grade.manual_score is None and grade.extra_credit is None:
        return result
    base = grade.manual_score if grade.manual_score is not None else result.score
    if base is None:
        return result
    why = CHANGED if grade.manual_score is not None and grade.needs_manual_grade else ""
    return msgspec.structs.replace(result, score=base + (grade.extra_credit or 0.0), open=why)


def _is_scored(grade: Grade) -> bool:
    return grade.auto_score is not None or grade.manual_score is not None


def _was_graded(grade: Grade) -> bool:
    """nbgrader makes empty grades for an extension that is granted before anything was handed in."""
    return _is_scored(grade) or bool(grade.needs_manual_grade)


def _points(cell: Any) -> float | None:
    return float(nbgrader_metadata(cell)["points"]) if is_graded(cell) else None
