"""A class is graded: every submission ends in a status with one clear message, and none disturbs another."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import SandboxError
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import NotebookRun
from grading_utils.grading.pipeline import grade
from grading_utils.jobs import CellRun, CellStatus, Job
from grading_utils.reporting.feedback import write_feedback
from grading_utils.reporting.records import merge_json, read_json
from grading_utils.reporting.report import write_report
from grading_utils.reporting.standings import Standing, read_standings
from grading_utils.results import Status, SubmissionResult

from ..conftest import ASSIGNMENT, cell_named, counting_notebook, hand_in

WRONG = "def count_words(text):\n    return {word: 1 for word in text.split()}"
HALF = "def count_words(text):\n    return Counter(text.split(' '))"


def run(course: Course, *students: str, isolate: bool = True) -> dict[str, SubmissionResult]:
    bundle = build_bundle(course, ASSIGNMENT)
    wanted = students or course.students(ASSIGNMENT)
    return {
        r.student: r for r in grade(course, bundle, list(wanted), engine_factory(course, isolate=isolate), workers=2)
    }


def with_cell(notebook: Any, name: str, source: str) -> Any:
    cell_named(notebook, name).source = source
    return notebook


@pytest.fixture
def copy_of_solution(solution: Any) -> Any:
    text = nbformat.writes(solution)
    return lambda: nbformat.reads(text, as_version=4)


@pytest.mark.parametrize("isolate", [True, False], ids=["sandbox", "kernel"])
def test_both_engines_score_right_wrong_and_half_right_answers_alike(
    isolate: bool, small_course: Course, copy_of_solution: Any
) -> None:
    hand_in(small_course, "right", copy_of_solution())
    hand_in(small_course, "wrong", with_cell(copy_of_solution(), "count-words", WRONG))
    hand_in(small_course, "hidden", with_cell(copy_of_solution(), "count-words", HALF))
    results = run(small_course, isolate=isolate)
    assert {name: result.score for name, result in results.items()} == {"right": 3, "wrong": 1, "hidden": 1}
    assert {result.status for result in results.values()} == {Status.GRADED}
    assert all(result.max_score == 5 for result in results.values())
    messages = {name: result.cells[0].message for name, result in results.items()}
    assert messages["right"] == ""
    assert "count every word" in messages["wrong"]
    assert "a text without words has no counts" in messages["hidden"]


def test_a_written_answer_waits_for_a_person_and_an_unchanged_one_gets_nothing(
    small_course: Course, copy_of_solution: Any
) -> None:
    hand_in(small_course, "wrote", with_cell(copy_of_solution(), "why", "My own words."))
    hand_in(small_course, "silent", with_cell(copy_of_solution(), "why", "YOUR ANSWER HERE"))
    results = run(small_course)
    assert {name: result.cells[-1].score for name, result in results.items()} == {"wrote": None, "silent": 0}


def test_one_broken_file_never_stops_the_class_and_stays_as_it_was(small_course: Course, copy_of_solution: Any) -> None:
    broken = hand_in(small_course, "broken", b'{"nbformat": 4, "cells": [')
    hand_in(small_course, "right", copy_of_solution())
    results = run(small_course)
    assert results["broken"].status is Status.FAILED
    assert "ends in the middle" in results["broken"].message
    assert results["right"].score == 3
    assert broken.read_bytes() == b'{"nbformat": 4, "cells": ['


def test_a_later_hand_in_that_cannot_be_read_leaves_the_earlier_grade_and_both_are_said(
    small_course: Course, copy_of_solution: Any
) -> None:
    hand_in(small_course, "ann", with_cell(copy_of_solution(), "why", "My own words."))
    run(small_course)
    with Gradebook(small_course.layout.db_url) as gradebook:
        gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "ann").manual_score = 1.5
        gradebook.db.commit()
    hand_in(small_course, "ann", b"{")
    result = run(small_course)["ann"]
    assert (result.status, result.score, result.max_score) == (Status.FAILED, 4.5, 5)
    assert "ends in the middle" in result.message
    assert "the points are those of an earlier hand-in" in result.message
    merge_json([result], small_course.root / "grades.json")
    (standing,) = read_standings(small_course, read_json(small_course.root / "grades.json"))
    assert (standing.score, standing.status, standing.message) == (4.5, Status.FAILED, result.message)
    (page,) = write_feedback(small_course, [result])
    assert "Your latest submission could not be graded" in page.read_text()
    assert "4.5" in page.read_text()
    write_report([Standing.of(result)], small_course.root / "report.html", course_name="small")
    assert "ends in the middle" in (small_course.root / "report.html").read_text()
    with Gradebook(small_course.layout.db_url) as gradebook:
        assert gradebook.find_submission(ASSIGNMENT, "ann").score == result.score


def test_a_wrong_notebook_name_is_graded_and_said_so(small_course: Course, copy_of_solution: Any) -> None:
    path = hand_in(small_course, "renamed", copy_of_solution())
    path.rename(path.with_name("Counting (1).ipynb"))
    result = run(small_course)["renamed"]
    assert (result.status, result.score) == (Status.NEEDS_ATTENTION, 3)
    assert "Counting (1).ipynb instead of counting.ipynb" in result.message


def test_an_empty_submission_folder_is_a_failure_that_says_what_was_found(small_course: Course) -> None:
    small_course.submitted(ASSIGNMENT, "nobody").mkdir(parents=True)
    result = run(small_course)["nobody"]
    assert result.status is Status.FAILED
    assert "there is no counting.ipynb (found: nothing)" in result.message


def test_links_in_a_submission_are_not_followed(small_course: Course, copy_of_solution: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("gradebook password")
    folder = hand_in(small_course, "linker", copy_of_solution()).parent
    (folder / "data.txt").symlink_to(secret)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    small_course.submitted(ASSIGNMENT, "outside").parent.mkdir(parents=True)
    small_course.submitted(ASSIGNMENT, "outside").symlink_to(elsewhere)
    results = run(small_course)
    assert results["linker"].status is Status.NEEDS_ATTENTION
    assert not (small_course.autograded(ASSIGNMENT, "linker") / "data.txt").exists()
    assert results["outside"].status is Status.FAILED
    assert "symbolic link" in results["outside"].message


def test_the_gradebook_is_what_the_formgrader_and_export_read(small_course: Course, copy_of_solution: Any) -> None:
    hand_in(small_course, "right", copy_of_solution())
    run(small_course)
    with Gradebook(small_course.layout.db_url) as gradebook:
        submission = gradebook.find_submission(ASSIGNMENT, "right")
        assert (submission.score, submission.max_score) == (3, 5)
        grades = {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in submission.notebooks[0].grades}
    assert grades == {"count-words-test": (2, False), "commonest-test": (1, False), "why": (None, True)}


def test_grading_again_keeps_what_a_person_decided(small_course: Course, copy_of_solution: Any) -> None:
    hand_in(small_course, "right", with_cell(copy_of_solution(), "why", "My own words."))
    run(small_course)
    with Gradebook(small_course.layout.db_url) as gradebook:
        gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "right").manual_score = 1.5
        gradebook.find_comment("why", ASSIGNMENT, ASSIGNMENT, "right").manual_comment = "Nearly."
        gradebook.db.commit()
    result = run(small_course)["right"]
    assert result.cells[-1].score == 1.5
    with Gradebook(small_course.layout.db_url) as gradebook:
        assert gradebook.find_comment("why", ASSIGNMENT, ASSIGNMENT, "right").comment == "Nearly."
        assert gradebook.find_submission(ASSIGNMENT, "right").score == 4.5


def test_a_test_mended_in_source_counts_from_the_next_grading_on(small_course: Course, copy_of_solution: Any) -> None:
    hand_in(small_course, "half", with_cell(copy_of_solution(), "count-words", HALF))
    assert run(small_course)["half"].score == 1
    notebook = counting_notebook()
    cell_named(notebook, "count-words-test").source = "assert count_words('a b a')['a'] == 2"
    cell_named(notebook, "count-words-test").metadata.nbgrader.points = 4
    nbformat.write(notebook, small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb")
    assert (result := run(small_course)["half"]).score == 5
    assert result.max_score == 7


def test_a_test_that_was_changed_since_is_known_from_the_gradebook_where_no_release_is(
    small_course: Course, copy_of_solution: Any
) -> None:
    hand_in(small_course, "ann", copy_of_solution())
    assert run(small_course)["ann"].message == ""
    notebook = counting_notebook()
    cell_named(notebook, "commonest-test").source = "assert commonest == 'la', 'which one?'"
    nbformat.write(notebook, small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb")
    result = run(small_course)["ann"]
    assert (result.status, result.message) == (
        Status.GRADED,
        "the test cell commonest-test has changed since the release; today's was used",
    )


def test_autograded_holds_the_restored_notebook_with_outputs_and_the_assignments_files(
    small_course: Course, copy_of_solution: Any
) -> None:
    (small_course.source(ASSIGNMENT) / "verse.txt").write_text("la la")
    folder = hand_in(small_course, "right", with_cell(copy_of_solution(), "count-words-test", "pass")).parent
    (folder / "verse.txt").write_text("forged")
    (folder / "notes.txt").write_text("mine")
    result = run(small_course)["right"]
    assert "the test cell count-words-test was not as released and was put back" in result.message
    graded = small_course.autograded(ASSIGNMENT, "right")
    assert (graded / "verse.txt").read_text() == "la la"
    assert (graded / "notes.txt").read_text() == "mine"
    notebook = nbformat.read(graded / f"{ASSIGNMENT}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert "count every word" in cell_named(notebook, "count-words-test").source


def test_student_code_can_read_the_assignments_data_files(small_course: Course, copy_of_solution: Any) -> None:
    (small_course.source(ASSIGNMENT) / "data").mkdir()
    (small_course.source(ASSIGNMENT) / "data" / "verse.txt").write_text("la la")
    hand_in(
        small_course,
        "reader",
        with_cell(copy_of_solution(), "commonest", "commonest = open('data/verse.txt').read()[:2]"),
    )
    assert run(small_course)["reader"].score == 3


class BrokenEngine:
    isolated = False  # nothing to calibrate

    def run(self, job: Job) -> NotebookRun:
        raise SandboxError("the warm process is gone")

    def close(self) -> None:
        pass


class FaultyEngine(BrokenEngine):
    def run(self, job: Job) -> NotebookRun:
        fault = CellRun(index=job.cells[-1].index, status=CellStatus.FAULT, message="the tester lost its way")
        return NotebookRun(cells=(fault,))


class CountingEngine(FaultyEngine):
    def __init__(self, running: list[int], most: list[int], crowd: threading.Barrier) -> None:
        self.running, self.most, self.crowd = running, most, crowd

    def run(self, job: Job) -> NotebookRun:
        self.running.append(1)
        self.most.append(len(self.running))
        with contextlib.suppress(threading.BrokenBarrierError):
            self.crowd.wait()  # whoever may run beside this one has the time to come
        self.running.pop()
        return super().run(job)


@pytest.mark.parametrize(("workers", "seconds"), [(1, 0.3), (2, 60)])
def test_as_many_submissions_are_graded_at_a_time_as_there_are_workers(
    workers: int, seconds: float, small_course: Course, small_bundle: Any, copy_of_solution: Any
) -> None:
    for student in "abcd":
        hand_in(small_course, student, copy_of_solution())
    running, most, crowd = [], [], threading.Barrier(2, timeout=seconds)
    engine = CountingEngine(running, most, crowd)
    assert len(list(grade(small_course, small_bundle, list("abcd"), lambda *_: engine, workers=workers))) == 4
    assert max(most) == workers


def test_a_fault_of_ours_is_no_wrong_answer(small_course: Course, small_bundle: Any, copy_of_solution: Any) -> None:
    hand_in(small_course, "right", copy_of_solution())
    [failed] = grade(small_course, small_bundle, ["right"], lambda *_: BrokenEngine())
    assert failed.status is Status.FAILED
    assert "not the student" in failed.message
    [partly] = grade(small_course, small_bundle, ["right"], lambda *_: FaultyEngine())
    assert partly.status is Status.NEEDS_ATTENTION
    assert {cell.grade_id: cell.score for cell in partly.cells}["commonest-test"] is None
    assert "commonest-test is open: the grading machinery failed, not the student: the tester lost its way" in (
        partly.message
    )


def test_results_survive_a_round_trip_as_json(small_course: Course, copy_of_solution: Any) -> None:
    hand_in(small_course, "right", copy_of_solution())
    results = list(run(small_course).values())
    path = small_course.root / "grades.json"
    merge_json(results, path)
    merge_json(results, path)
    assert read_json(path) == results
    [entry] = json.loads(path.read_text())
    fields = {"student", "assignment", "status", "score", "max_score", "penalty", "message", "seconds", "cells"}
    assert set(entry) == fields
    cell = {"grade_id", "score", "max_score", "message", "details", "open", "inside", "seconds"}
    assert set(entry["cells"][0]) == cell


def test_a_check_of_something_with_a_blank_left_reads_not_answered(small_course: Course, copy_of_solution: Any) -> None:
    blank = "def count_words(text):\n    return ..."
    hand_in(small_course, "amara", with_cell(copy_of_solution(), "count-words", blank))
    result = run(small_course)["amara"].cells[0]
    says = "not answered: there is a blank left in line 2 of your cell: return ..."
    assert result.message == says
    graded = nbformat.read(small_course.autograded(ASSIGNMENT, "amara") / f"{ASSIGNMENT}.ipynb", as_version=4)
    assert [output.evalue for output in cell_named(graded, "count-words-test").outputs] == [says]


def test_a_cell_that_fails_because_of_its_own_blank_reads_not_answered(
    small_course: Course, copy_of_solution: Any
) -> None:
    hand_in(small_course, "amara", with_cell(copy_of_solution(), "commonest", "commonest = sorted(...)[0]"))
    run(small_course)
    graded = nbformat.read(small_course.autograded(ASSIGNMENT, "amara") / f"{ASSIGNMENT}.ipynb", as_version=4)
    for name in ("commonest", "commonest-test"):
        assert [output.evalue for output in cell_named(graded, name).outputs] == [
            "not answered: there is a blank left in line 1 of your cell: commonest = sorted(...)[0]"
        ]
