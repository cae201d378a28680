"""Feedback pages of a real course directory with a real gradebook."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from traitlets.config import Config

from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.reporting.feedback import write_feedback
from grading_utils.reporting.gradebook import read_gradebook, with_manual_grades
from grading_utils.results import CellResult, Status, SubmissionResult

HIDDEN = 'assert mean([4, 8]) == 6, "hidden"'
TEST = f"assert mean([2]) == 2\n### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS"
MESSAGE = "the mean of two numbers is off: did you divide by `len(numbers)`?"


def text_of(page: str) -> str:
    """What a reader sees: syntax colors put every token of a line into an element of its own."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def nbgrader_cell(make: Any, source: str, grade_id: str, *, grade: bool, solution: bool, **rest: Any) -> Any:
    metadata = {"grade_id": grade_id, "grade": grade, "solution": solution, "locked": not solution, "task": False}
    return make(source, metadata={"nbgrader": {**metadata, "points": 2, "schema_version": 3}}, **rest)


def graded_notebook() -> Any:
    failure = new_output(
        "error", ename="AssertionError", evalue="hidden", traceback=["----> 1 assert mean([2]) == 2\n      3 " + HIDDEN]
    )
    test = nbgrader_cell(new_code_cell, TEST, "mean-test", grade=True, solution=False, outputs=[failure])
    test.metadata["grading_utils"] = {"message": MESSAGE, "hidden": True}
    return new_notebook(
        cells=[
            new_markdown_cell("# Means\n\nWith $\\frac{a + b}{2}$."),
            nbgrader_cell(new_code_cell, "def mean(numbers): return 2", "mean", grade=False, solution=True),
            test,
            nbgrader_cell(new_markdown_cell, "<script>alert(1)</script>Because.", "why", grade=True, solution=True),
        ]
    )


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in which ada was graded; made once, as nbgrader takes seconds to make a database."""
    root = tmp_path_factory.mktemp("course")
    (root / "source").mkdir()
    folder = root / "autograded" / "ada" / "ps1"
    folder.mkdir(parents=True)
    nbformat.write(graded_notebook(), folder / "means.ipynb")
    course = Course.open(root)
    with Gradebook(str(course.layout.db_url)) as gradebook:
        gradebook.add_assignment("ps1")
        gradebook.add_notebook("means", "ps1")
        gradebook.add_grade_cell("mean-test", "means", "ps1", max_score=2, cell_type="code")
        gradebook.add_solution_cell("mean", "means", "ps1")
        gradebook.add_grade_cell("why", "means", "ps1", max_score=2, cell_type="markdown")
        gradebook.add_solution_cell("why", "means", "ps1")
        gradebook.add_student("ada", first_name="Ada")
        gradebook.add_submission("ps1", "ada")
        score = gradebook.find_grade("mean-test", "means", "ps1", "ada")
        score.auto_score, score.needs_manual_grade = 0.0, False
        gradebook.db.commit()
    return root


@pytest.fixture
def course(graded_course: Path, tmp_path: Path) -> Course:
    """A copy of that course, in which bob handed in something unreadable."""
    return Course.open(shutil.copytree(graded_course, tmp_path / "course"))


@pytest.fixture
def results() -> list[SubmissionResult]:
    cells = (
        CellResult(grade_id="mean-test", score=0.0, max_score=2.0, message=MESSAGE),
        CellResult(grade_id="why", score=None, max_score=2.0),
    )
    ada = SubmissionResult(student="ada", assignment="ps1", status=Status.GRADED, score=0.0, max_score=4.0, cells=cells)
    bob = SubmissionResult(
        student="bob", assignment="ps1", status=Status.FAILED, score=0.0, max_score=4.0, message="means.ipynb is empty"
    )
    return [bob, ada]


def grade_by_hand(course: Course, score: float, comment: str) -> None:
    with Gradebook(str(course.layout.db_url)) as gradebook:
        grade = gradebook.find_grade("why", "means", "ps1", "ada")
        grade.manual_score, grade.needs_manual_grade = score, False
        gradebook.find_comment("why", "means", "ps1", "ada").manual_comment = comment
        gradebook.db.commit()


def test_pages_lie_where_nbgrader_looks_for_them(course: Course, results: list[SubmissionResult]) -> None:
    pages = write_feedback(course, results)
    assert [page.relative_to(course.root).as_posix() for page in pages] == [
        "feedback/ada/ps1/means.html",
        "feedback/bob/ps1/ps1.html",
    ]


def test_a_page_shows_the_message_but_no_hidden_line(course: Course, results: list[SubmissionResult]) -> None:
    page = write_feedback(course, results)[0].read_text(encoding="utf-8")
    assert "did you divide by <code>len(numbers)</code>?" in page
    assert "1 hidden check" in page
    assert "assert mean([2]) == 2" in text_of(page)
    assert "mean([4, 8])" not in text_of(page)
    assert "HIDDEN TESTS" not in page


def test_nothing_in_a_page_can_run_or_load(course: Course, results: list[SubmissionResult]) -> None:
    for path in write_feedback(course, results):
        page = path.read_text(encoding="utf-8")
        assert "<script" not in page
        assert "default-src &#39;none&#39;" in page
        assert "http://" not in page
        assert "https://" not in page


def test_a_submission_that_was_not_graded_gets_a_page_that_says_why(course: Course, results) -> None:
    page = write_feedback(course, results)[1].read_text(encoding="utf-8")
    assert "could not be graded automatically" in page
    assert "means.ipynb is empty" in page


def test_manual_scores_and_comments_are_on_the_page(course: Course, results: list[SubmissionResult]) -> None:
    waiting = write_feedback(course, results)[0].read_text(encoding="utf-8")
    assert "1 answer still waits" in waiting
    grade_by_hand(course, 1.5, "Say *why* <script>alert(2)</script>")
    page = write_feedback(course, results)[0].read_text(encoding="utf-8")
    assert "answer still waits" not in page
    assert "<strong>1.5</strong> <span>of 4 points" in page
    assert "Say <em>why</em>" in page
    assert "<script" not in page


def test_manual_scores_count_in_the_results(course: Course, results: list[SubmissionResult]) -> None:
    grade_by_hand(course, 1.5, "")
    merged = with_manual_grades(results, read_gradebook(course, results))
    assert [(result.student, result.score) for result in merged] == [("bob", 0.0), ("ada", 1.5)]
    assert merged[1].cells[1].score == 1.5


def test_reading_a_gradebook_that_does_not_exist_creates_none(tmp_path: Path, results) -> None:
    (tmp_path / "source").mkdir()
    assert read_gradebook(Course.open(tmp_path), results) == {}
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_other_notebooks_that_a_student_handed_in_do_no_harm(course: Course, results: list[SubmissionResult]) -> None:
    folder = course.autograded("ps1", "ada")
    (folder / "junk.ipynb").write_bytes(b"\xff\xfe{")
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), folder / "other.ipynb")
    assert [page.name for page in write_feedback(course, results)] == ["means.html", "ps1.html"]


@pytest.mark.parametrize("name", ["../../evil", "..", "", "a/b", "a\0b"])
def test_no_page_is_written_outside_the_feedback_folder(name: str, course: Course) -> None:
    result = SubmissionResult(student=name, assignment="ps1", status=Status.FAILED, score=0.0, max_score=0.0)
    with pytest.raises(CourseError, match="no name for a student"):
        write_feedback(course, [result])


def test_plain_nbgrader_feedback_hides_hidden_tests_with_the_preprocessor(course: Course) -> None:
    config = Config(course.config)
    config.GenerateFeedback.preprocessors = [
        "grading_utils.reporting.hide_hidden_tests.HideHiddenTests",
        *GenerateFeedback.preprocessors.default(),
    ]
    course.layout.assignment_id = "ps1"
    GenerateFeedback(coursedir=course.layout, config=config).start()
    page = (course.root / "feedback" / "ada" / "ps1" / "means.html").read_text(encoding="utf-8")
    assert "len(numbers)" in page
    assert "1 hidden check" in page
    assert "mean([4, 8])" not in text_of(page)
    assert "AssertionError" not in page
