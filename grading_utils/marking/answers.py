"""The answers that a person grades, of a whole class: what was written, and what has been given for it so far.

Texts are those of `autograded/`, which the formgrader shows too; points and comments are the gradebook's. Only reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import nbformat
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)

from grading_utils.course.cells import grade_id, is_graded_by_hand
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.changed_answers import answers_in
from grading_utils.reporting.model_answers import model_answer

Key = tuple[str, str, str]
"""Notebook, question, student."""


@dataclass(frozen=True)
class Answer:
    """What one student wrote for one question.

    Attributes:
        text: As written; untrusted.
        is_code: Whether it is Python, where every space counts.
        score: What a person gave, None where nobody has.
        comment: What a person wrote for the student.
        waits: Whether a person is asked to grade it; with a `score`, that was given for an earlier answer.
        submission: The formgrader's own id of the submitted notebook.
    """

    notebook: str
    question: str
    student: str
    points: float
    text: str
    is_code: bool
    score: float | None
    comment: str
    waits: bool
    submission: str

    @property
    def version(self) -> str:
        """Changes with the text."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class Question:
    """A question that people grade.

    Attributes:
        model_answer: What `source/` has, with its rubric.
        prose: Texts of the notebook in cells that nbgrader doesn't know.
    """

    notebook: str
    name: str
    model_answer: str
    is_code: bool
    prose: frozenset[str] = frozenset()


def questions(course: Course, assignment: str) -> list[Question]:
    """All questions of an assignment that a person grades, in the order of its notebooks.

    Raises:
        CourseError: There is no such assignment.
    """
    folder = course.source(course.require(assignment))
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        prose = frozenset(cell.source.strip() for cell in cells if grade_id(cell) is None)
        for cell in cells:
            name = grade_id(cell)
            if name and is_graded_by_hand(cell):
                text = model_answer(cell, course.grammar)
                found.append(Question(path.stem, name, text, cell.cell_type == "code", prose))
    return found


def read_answers(course: Course, assignment: str) -> dict[Key, Answer]:
    """Every answer of the class that a person grades or has graded, also those that wait for nobody.

    Raises:
        CourseError: There is no such assignment, or nothing of it was graded.
    """
    asked = {(question.notebook, question.name): question for question in questions(course, assignment)}
    if not course.has_gradebook:
        raise CourseError("nothing was graded here yet: run `grading-utils grade` first", where=str(course.root))
    with course.gradebook() as gradebook:
        rows = list(_rows(gradebook, assignment))
    texts: dict[tuple[str, str], dict[str, str]] = {}
    answers = {}
    for notebook, question, student, grade, comment in rows:
        known = asked.get((notebook, question))
        if known is None:
            continue
        if (student, notebook) not in texts:
            path = course.autograded(assignment, student) / f"{notebook}.ipynb"
            texts[student, notebook] = answers_in(path, known.prose)
        if question not in texts[student, notebook]:
            continue
        answers[notebook, question, student] = Answer(
            text=texts[student, notebook][question],
            notebook=notebook,
            question=question,
            student=student,
            is_code=known.is_code,
            comment=str(comment or ""),
            **grade,
        )
    return answers


def _rows(gradebook: Gradebook, assignment: str) -> Iterator[tuple[str, str, str, dict[str, Any], str | None]]:
    comments = {  # they belong to the answer cell, points to the graded one; both have the same name
        (notebook, name): comment
        for notebook, name, comment in gradebook.db.query(Comment.notebook_id, BaseCell.name, Comment.manual_comment)
        .join(BaseCell, BaseCell.id == Comment.cell_id)
        .filter(Comment.manual_comment.is_not(None))
    }
    query = (
        gradebook.db.query(Notebook.name, BaseCell, SubmittedAssignment.student_id, SubmittedNotebook.id, Grade)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .filter(Assignment.name == assignment)
    )
    for notebook, cell, student, id, grade in query:
        if not (grade.needs_manual_grade or grade.auto_score is not None or grade.manual_score is not None):
            continue  # nbgrader makes empty grades for an extension that is granted before anything was handed in
        yield (
            notebook,
            cell.name,
            student,
            {
                "points": float(cell.max_score),
                "score": None if grade.manual_score is None else float(grade.manual_score),
                "waits": bool(grade.needs_manual_grade),
                "submission": str(id),
            },
            comments.get((id, cell.name)),
        )
