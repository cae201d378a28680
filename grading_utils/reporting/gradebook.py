"""What people added to the grades, read from nbgrader's gradebook: scores, comments, late penalties, names.

Reads only, and never creates a database. Cells are looked up by `grade_id`, which has to be unique within an
assignment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from nbgrader.api import MissingEntry

from grading_utils.course.course import Course
from grading_utils.results import CellResult, SubmissionResult


@dataclass(frozen=True)
class GradebookEntry:
    """What the gradebook knows of one submission; all empty where it has no entry.

    Attributes:
        scores: Points by `grade_id`; None while a person has to grade the cell.
        comments: What the instructor wrote, as Markdown, by `grade_id`.
        late_penalty: Points taken off for handing in late.
    """

    scores: Mapping[str, float | None] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    late_penalty: float = 0.0
    duedate: str = ""
    timestamp: str = ""
    last_name: str = ""
    first_name: str = ""
    email: str = ""


def read_gradebook(course: Course, results: Iterable[SubmissionResult]) -> dict[tuple[str, str], GradebookEntry]:
    """Look up every submission of `results`, by (assignment, student).

    Args:
        course: The course, whose gradebook need not exist.
        results: The submissions to look up; those that the gradebook does not know are left out.
    """
    if not course.has_gradebook:
        return {}
    entries = {}
    with course.gradebook() as gradebook:
        for result in results:
            try:
                submission = gradebook.find_submission(result.assignment, result.student)
            except MissingEntry:
                continue
            scores: dict[str, float | None] = {}
            comments: dict[str, str] = {}
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    unscored = grade.manual_score is None and grade.auto_score is None
                    scores[grade.name] = None if unscored and grade.needs_manual_grade else float(grade.score)
                comments |= {item.name: str(item.comment) for item in notebook.comments if item.comment}
            student = submission.student
            entries[result.assignment, result.student] = GradebookEntry(
                scores=scores,
                comments=comments,
                late_penalty=float(submission.late_submission_penalty or 0.0),
                duedate=str(submission.assignment.duedate or ""),
                timestamp=str(submission.timestamp or ""),
                last_name=str(student.last_name or ""),
                first_name=str(student.first_name or ""),
                email=str(student.email or ""),
            )
    return entries


def with_manual_grades(
    results: Iterable[SubmissionResult], gradebook: Mapping[tuple[str, str], GradebookEntry]
) -> list[SubmissionResult]:
    """The same results with the scores that the gradebook has by now, so that manual grading counts."""
    return [_merge(result, gradebook.get((result.assignment, result.student))) for result in results]


def _merge(result: SubmissionResult, entry: GradebookEntry | None) -> SubmissionResult:
    if entry is None or not result.cells:
        return result
    cells: list[CellResult] = []
    for cell in result.cells:
        score = entry.scores.get(cell.grade_id, cell.score)
        cells.append(cell if score == cell.score else msgspec.structs.replace(cell, score=score))
    total = sum(cell.score or 0.0 for cell in cells)
    return msgspec.structs.replace(result, cells=tuple(cells), score=total)
