"""What does this student have, and why: the one answer that every export, table and page prints.

Points come from nbgrader's gradebook (automatic and manual ones, extra credit, late penalties), so does everybody who
is known there; how grading ended comes from the results that `grade` recorded. This module only reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import msgspec
from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy.orm import Session

from grading_utils.course.course import Course
from grading_utils.results import CellResult, Status, SubmissionResult


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One student and one assignment.

    Attributes:
        raw_score: Points with everything that a person gave, before the penalty.
        penalty: Points taken off for handing in late.
        score: What counts: never below 0.
        status: How grading ended, or that nothing was handed in. After `failed`, points are of an earlier hand-in.
        waiting: Names of the questions that a person has not graded.
        by_hand: Names of the questions in which a person gave the points.
        duedate: For this student, extensions included; "" where there is none. UTC.
        timestamp: When it was handed in; "" where unknown. UTC.
        cells: Points of each question, with the message for the student.
        message: One line for the instructor.
        seconds: Wall-clock time that grading took.
    """

    student: str
    assignment: str
    status: Status
    raw_score: float = 0.0
    penalty: float = 0.0
    score: float = 0.0
    max_score: float = 0.0
    waiting: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_id: str = ""
    duedate: str = ""
    timestamp: str = ""
    message: str = ""
    seconds: float = 0.0
    cells: tuple[CellResult, ...] = ()

    @classmethod
    def of(cls, result: SubmissionResult) -> Standing:
        """What is known of a student without a gradebook: what grading gave."""
        return cls(
            student=result.student,
            assignment=result.assignment,
            status=result.status,
            raw_score=result.score,
            score=result.score,
            max_score=result.max_score,
            waiting=tuple(cell.grade_id for cell in result.cells if cell.score is None),
            message=result.message,
            seconds=result.seconds,
            cells=result.cells,
        )

    @property
    def seconds_late(self) -> float:
        """After it was due for this student; 0 where in time or unknown."""
        try:
            due, came = (datetime.fromisoformat(text) for text in (self.duedate, self.timestamp))
            return max(0.0, (came - due).total_seconds())
        except (ValueError, TypeError):
            return 0.0

    def as_result(self) -> SubmissionResult:
        """The same as a result of grading, with the score that counts."""
        return SubmissionResult(
            student=self.student,
            assignment=self.assignment,
            status=self.status,
            score=self.score,
            max_score=self.max_score,
            message=self.message,
            seconds=self.seconds,
            cells=self.cells,
        )


def read_standings(course: Course, results: Iterable[SubmissionResult]) -> list[Standing]:
    """Everybody's standing in every assignment that was graded or that the gradebook knows, in order.

    Args:
        course: The course, whose gradebook need not exist.
        results: What `grade` recorded last for each submission.

    Returns:
        One entry for each pair of an assignment and a student of the gradebook or of `results`, sorted by both.
    """
    recorded = {(result.assignment, result.student): result for result in results}
    if not course.has_gradebook:
        return [Standing.of(recorded[key]) for key in sorted(recorded)]
    with course.gradebook() as gradebook:
        return _from(gradebook.db, recorded)


def _from(db: Session, recorded: dict[tuple[str, str], SubmissionResult]) -> list[Standing]:
    students = {row.id: row for row in db.query(Student)}
    assignments = {row.name: row for row in db.query(Assignment)}
    submissions = {
        (row.assignment.name, row.student_id): row
        for row in db.query(SubmittedAssignment)
        if row.assignment is not None
    }
    penalties = _penalties(db)
    grades = _grades(db)
    keys = {(assignment, student) for assignment in assignments for student in students} | set(recorded)
    standings = []
    for key in sorted(keys):
        assignment, student = key
        row, result = submissions.get(key), recorded.get(key)
        told = grades[row.id] if row is not None else []
        known = assignments.get(assignment)
        standing = Standing.of(result) if result is not None else Standing(
            student=student, assignment=assignment, status=Status.MISSING,
            max_score=float(known.max_score) if known is not None else 0.0,
        )  # fmt: skip
        if row is not None and (result is not None or any(_is_scored(grade) for grade, _ in told)):
            standing = _with_points(standing, told, penalties[row.id])
        person = students.get(student)
        due = row.duedate if row is not None else known.duedate if known is not None else None
        standings.append(
            msgspec.structs.replace(
                standing,
                first_name=str(person.first_name or "") if person else "",
                last_name=str(person.last_name or "") if person else "",
                email=str(person.email or "") if person else "",
                lms_id=str(person.lms_user_id or "") if person else "",
                duedate=str(due or ""),
                timestamp=str(row.timestamp or "") if row is not None else "",
            )
        )
    return standings


def _is_scored(grade: Grade) -> bool:
    """nbgrader makes empty grades for an extension that is granted before anything was handed in."""
    return grade.auto_score is not None or grade.manual_score is not None


def _penalties(db: Session) -> dict[str, float]:
    """Points taken off, by the gradebook's own id of a submission."""
    total: dict[str, float] = defaultdict(float)
    for id, penalty in db.query(SubmittedNotebook.assignment_id, SubmittedNotebook.late_submission_penalty):
        total[id] += float(penalty or 0.0)
    return total


def _grades(db: Session) -> dict[str, list[tuple[Grade, BaseCell]]]:
    """Grades with their cells, by the gradebook's own id of a submission."""
    rows: dict[str, list[tuple[Grade, BaseCell]]] = defaultdict(list)
    query = (
        db.query(SubmittedNotebook.assignment_id, Grade, BaseCell)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .order_by(Notebook.name, BaseCell.name)
    )
    for id, grade, cell in query:
        rows[id].append((grade, cell))
    return rows


def _with_points(standing: Standing, told: list[tuple[Grade, BaseCell]], penalty: float) -> Standing:
    """The same standing with the gradebook's points, in the notebook's order where that is known."""
    order = {cell.grade_id: number for number, cell in enumerate(standing.cells)}
    messages = {cell.grade_id: cell for cell in standing.cells}
    cells, waiting = [], []
    for grade, cell in told:
        unscored = grade.manual_score is None and grade.auto_score is None and grade.needs_manual_grade
        score = None if unscored else float(grade.score)
        known = messages.get(cell.name)
        if grade.needs_manual_grade and (unscored or grade.manual_score is not None):
            waiting.append(cell.name)
        made = CellResult(grade_id=cell.name, score=score, max_score=float(cell.max_score))
        cells.append(made if known is None else msgspec.structs.replace(known, score=score))
    cells.sort(key=lambda cell: order.get(cell.grade_id, len(order)))
    raw = sum(cell.score or 0.0 for cell in cells)
    return msgspec.structs.replace(
        standing,
        status=Status.GRADED if standing.status is Status.MISSING else standing.status,
        raw_score=raw,
        penalty=penalty,
        score=max(0.0, raw - penalty),
        max_score=standing.max_score or sum(cell.max_score for cell in cells),
        waiting=tuple(sorted(waiting, key=lambda name: order.get(name, len(order)))),
        by_hand=tuple(cell.name for grade, cell in told if grade.manual_score is not None),
        cells=tuple(cells),
    )
