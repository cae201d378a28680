"""Collected answers are graded, counted, and compared with what their author wrote down."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from grading_utils.authoring.answers import FOLDER, Summary, Tried, gaps, read_answers, try_answers
from grading_utils.boundary.tester.wording import GAP
from grading_utils.cli import main
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.grading.engines import engine_factory

from ..conftest import ASSIGNMENT

ANSWERS = """
- name: a loop
  source: |
    def count_words(text):
        counts = {}
        for word in text.split():
            counts[word] = counts.get(word, 0) + 1
        return counts
  expect: {count-words-test: 2}
- name: every word once
  source: |
    def count_words(text):
        return {word: 1 for word in text.split()}
  expect: {count-words-test: 0}
  message_contains: [every word]
- name: split at single spaces
  source: |
    def count_words(text):
        return Counter(text.split(" "))
  expect: {count-words-test: 0}
"""


def collect(course: Course, answers: str) -> Path:
    path = course.root / FOLDER / ASSIGNMENT / "count-words.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(answers, encoding="utf-8")
    return path


def tried(course: Course) -> list[Tried]:
    return list(try_answers(course, build_bundle(course, ASSIGNMENT), engine_factory(course, isolate=True)))


def test_it_is_known_which_mistakes_a_student_can_see(small_course: Course) -> None:
    collect(small_course, ANSWERS)
    loop, once, spaces = tried(small_course)
    assert [answer.surprises for answer in (loop, once, spaces)] == [(), (), ()]
    assert (loop.right, loop.lost) == (True, False)
    assert (once.lost, once.visible, once.messages) == (True, True, ())
    assert (spaces.lost, spaces.visible) == (True, False)
    assert len(spaces.messages) == 1
    summary = Summary.of([loop, once, spaces])
    assert summary.row("counting").startswith("| counting | 1 of 1 | 2 of 2 | 1 of 2 (50%) |")


def test_points_and_words_that_are_not_as_written_down_are_named(small_course: Course) -> None:
    collect(small_course, ANSWERS.replace("[every word]", "[something else]").replace("test: 2}", "test: 0}"))
    loop, once, _ = tried(small_course)
    assert "gave 2, not 0" in loop.surprises[0]
    assert "something else" in once.surprises[0]


def test_the_command_prints_the_row_and_fails_on_a_surprise(
    small_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = collect(small_course, ANSWERS)
    monkeypatch.chdir(small_course.root)
    done = CliRunner().invoke(main, ["check-answers", ASSIGNMENT, "--list"])
    assert done.exit_code == 0, done.output
    assert "| 1 of 2 (50%) |" in done.output
    assert "split at single spaces" in done.output
    path.write_text(ANSWERS.replace("test: 2}", "test: 1}"), encoding="utf-8")
    done = CliRunner().invoke(main, ["check-answers"])
    assert done.exit_code == 1
    assert "a loop" in done.output


def test_a_list_that_cannot_be_read_is_refused_by_name(small_course: Course) -> None:
    path = collect(small_course, "- name: without an expectation\n  source: pass\n")
    with pytest.raises(CourseError, match="no list of answers"):
        read_answers(small_course, ASSIGNMENT)
    path.rename(path.with_name("nowhere.yaml")).write_text(ANSWERS, encoding="utf-8")
    with pytest.raises(CourseError, match="nowhere"):
        tried(small_course)


def test_gaps_of_a_message_are_counted() -> None:
    assert gaps(f"A {GAP} of the {GAP} is missing") == 2
    assert gaps("all of it is here") == 0
