"""Points and comments that people give, written into nbgrader's gradebook as the formgrader writes them.

What a person gave before is only replaced when that is asked for, and nothing is given for a text that nobody read.
Automatic scores, extra credit and late penalties are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nbgrader.api import Gradebook

from grading_utils.course.course import Course
from grading_utils.marking.alike import Group, group
from grading_utils.marking.answers import Answer, Key, read_answers
from grading_utils.marking.sheet import Mark


@dataclass
class Given:
    """What became of marks: each refused one in a sentence that names the student and the question."""

    written: int = 0
    same: int = 0
    refused: list[str] = field(default_factory=list)


def give(course: Course, assignment: str, marks: Iterable[Mark], *, replace: bool = False) -> Given:
    """Write marks in one step; those that are refused leave the others alone.

    Args:
        course: The course.
        assignment: The assignment.
        marks: What to give.
        replace: Also where a person gave something else for the same answer.

    Raises:
        CourseError: There is no such assignment, or nothing of it was graded.
    """
    answers = read_answers(course, assignment)
    given = Given()
    with course.gradebook() as gradebook:
        for mark in marks:
            answer = answers.get((mark.notebook, mark.question, mark.student))
            problem = _problem(mark, answer, replace)
            if problem:
                given.refused.append(f"{mark.student}, {mark.question}: {problem}")
            elif answer is not None and _write(gradebook, assignment, mark, answer):
                given.written += 1
            else:
                given.same += 1
        gradebook.db.commit()
    return given


def _problem(mark: Mark, answer: Answer | None, replace: bool) -> str:
    """Why a mark cannot be given; "" where it can."""
    if answer is None:
        return "there is no such answer in the gradebook and autograded/"
    if answer.version not in mark.versions:
        return "the answer has changed since the sheet was written; write it again and read it"
    if replace:
        return ""
    if mark.score is not None and answer.score is not None and not answer.waits and mark.score != answer.score:
        return f"a person gave {answer.score:g}, the sheet says {mark.score:g} (--replace overwrites)"
    if mark.comment and answer.comment and mark.comment != answer.comment.strip() and not answer.waits:
        return "a person wrote another comment (--replace overwrites)"
    return ""


def _write(gradebook: Gradebook, assignment: str, mark: Mark, answer: Answer) -> bool:
    """Write one mark into the open gradebook; returns whether that changed anything."""
    names = (mark.question, mark.notebook, assignment, mark.student)
    changed = False
    if mark.score is not None and (mark.score != answer.score or answer.waits):
        grade = gradebook.find_grade(*names)
        grade.manual_score, grade.needs_manual_grade = mark.score, False
        changed = True
    if mark.comment and mark.comment != answer.comment:
        gradebook.find_comment(*names).manual_comment = mark.comment
        changed = True
    return changed


def groups_of(answers: Mapping[Key, Answer]) -> dict[tuple[str, str], list[Group]]:
    """Groups of alike answers, by notebook and question."""
    questions: dict[tuple[str, str], list[Answer]] = {}
    for (notebook, question, _), answer in answers.items():
        questions.setdefault((notebook, question), []).append(answer)
    return {key: group(found) for key, found in questions.items()}


def alike_marks(answers: Mapping[Key, Answer]) -> tuple[list[Mark], list[str]]:
    """What a person gave for one answer, for all others that are alike and that nobody has graded.

    Returns:
        The marks, and a sentence for each group in which people gave different points, to which nothing is given.
    """
    marks, undecided = [], []
    for (notebook, question), groups in groups_of(answers).items():
        for found in groups:
            open_ones = [answer for answer in found.waiting if answer.score is None]
            if not found.given or not open_ones:
                continue
            if len(found.given) > 1:
                told = "; ".join(f"{score:g} to {', '.join(names)}" for (score, _), names in found.given.items())
                undecided.append(f"{question}: alike answers were given {told}")
                continue
            ((score, comment),) = found.given
            marks += [
                Mark(notebook, question, answer.student, score, comment, frozenset({answer.version}))
                for answer in open_ones
            ]
    return marks, undecided
