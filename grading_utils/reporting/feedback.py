"""One self-contained HTML page per submitted notebook, for the student: score, messages, the notebook itself.

No page shows a hidden test (`redaction.py`) and nothing in a page can run (`safe_html.py`). Publishing the pages
is nbgrader's `release_feedback`, which finds them where this module puts them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from markupsafe import Markup

from grading_utils.course.cells import grade_id
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.reporting import safe_html
from grading_utils.reporting.gradebook import GradebookEntry, read_gradebook, with_manual_grades
from grading_utils.reporting.notebook_view import CellView, view
from grading_utils.reporting.pages import render
from grading_utils.reporting.records import in_order
from grading_utils.reporting.redaction import redact
from grading_utils.results import Status, SubmissionResult


@dataclass(frozen=True)
class QuestionView:
    """One graded cell on the page; `score` is None while a person has to grade it."""

    grade_id: str
    score: float | None
    max_score: float
    message: str
    comment: Markup

    @property
    def state(self) -> str:
        """`waiting`, `full`, `part` or `none`; the page gives each a color and a word."""
        if self.score is None:
            return "waiting"
        if self.score >= self.max_score:
            return "full"
        return "part" if self.score > 0 else "none"


def write_feedback(course: Course, results: Iterable[SubmissionResult]) -> list[Path]:
    """Write a page per submitted notebook, as `feedback/<student>/<assignment>/<notebook>.html`.

    Manual scores and comments in the gradebook are included. A submission that was not graded gets one page,
    named after the assignment, that says so; where an earlier one was graded, its pages say so.

    Returns:
        The pages, in the order (assignment, student, notebook).

    Raises:
        CourseError: A student's or assignment's name leads out of the feedback folder.
    """
    results = in_order(results)
    gradebook = read_gradebook(course, results)
    pages = []
    for result in with_manual_grades(results, gradebook):
        entry = gradebook.get((result.assignment, result.student), GradebookEntry())
        folder = _feedback_folder(course, result)
        folder.mkdir(parents=True, exist_ok=True)
        autograded = course.autograded(result.assignment, result.student)
        notebooks = _graded_notebooks(autograded, result) if result.cells else {}
        for name, notebook in notebooks.items():
            page = _page(course, result, entry, name, notebook)
            pages.append(_write(folder / f"{name}.html", page))
        if not notebooks:
            page = _page(course, result, entry, result.assignment, None)
            pages.append(_write(folder / f"{result.assignment}.html", page))
    return pages


def _page(course: Course, result: SubmissionResult, entry: GradebookEntry, name: str, notebook: Any | None) -> str:
    """The HTML of one page; without a notebook it only says how the submission ended."""
    questions: list[QuestionView] = []
    cells: tuple[CellView, ...] = ()
    if notebook is not None:
        messages = {cell.grade_id: cell.message for cell in result.cells}
        questions = _questions(result, entry, notebook, redact(notebook, messages, grammar=course.grammar))
        cells = view(notebook)
    own = sum(question.score or 0.0 for question in questions)
    own_max = sum(question.max_score for question in questions)
    covers_all = notebook is None or len(questions) == len(result.cells)
    return render(
        "feedback.html",
        policy=safe_html.POLICY,
        course=course.name,
        result=result,
        notebook=name,
        score=result.score if covers_all else own,
        max_score=result.max_score if covers_all else own_max,
        covers_all=covers_all,
        late_penalty=entry.late_penalty,
        waiting=sum(question.score is None for question in questions),
        questions=questions,
        by_id={question.grade_id: question for question in questions},
        comments={name: safe_html.markdown(comment) for name, comment in entry.comments.items()},
        cells=cells,
        was_graded=notebook is not None,
        is_earlier=result.status is Status.FAILED,
    )


def _questions(
    result: SubmissionResult, entry: GradebookEntry, notebook: Any, messages: dict[str, str]
) -> list[QuestionView]:
    """The graded cells of one notebook, in its order."""
    scores = {cell.grade_id: cell for cell in result.cells}
    questions = []
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is None or name not in scores:
            continue
        graded = scores[name]
        comment = safe_html.markdown(entry.comments.get(name, ""))
        message = messages.get(name, "")
        questions.append(QuestionView(name, graded.score, graded.max_score, message, comment))
    return questions


def _graded_notebooks(folder: Path, result: SubmissionResult) -> dict[str, Any]:
    """The notebooks that hold graded cells, by name; a student may have handed in others, readable or not."""
    graded = {cell.grade_id for cell in result.cells}
    notebooks = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            notebook = nbformat.read(path, as_version=4)
        except Exception:  # nbformat raises whatever its input makes it raise
            continue
        if any(grade_id(cell) in graded for cell in notebook.cells):
            notebooks[path.stem] = notebook
    return notebooks


def _feedback_folder(course: Course, result: SubmissionResult) -> Path:
    """The folder of one submission's pages, checked to lie inside the course."""
    for name in (result.student, result.assignment):
        if name in {"", ".", ".."} or name != posixpath.basename(name) or "\0" in name:
            raise CourseError(f"{name!r} is no name for a student or an assignment")
    return course.folder(course.layout.feedback_directory, result.student, result.assignment)


def _write(path: Path, page: str) -> Path:
    path.write_text(page, encoding="utf-8", errors="replace")
    return path
