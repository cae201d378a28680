"""The sample class is compared with what it expects: all of it, or the assignments that are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from grading_utils.authoring.sample_class import check_expectations, read_sample_class
from grading_utils.course.course import Course
from grading_utils.errors import CourseError

COURSE = Course.open(Path(__file__).parents[2])


def test_what_was_not_graded_is_a_surprise_only_where_it_was_asked_for():
    asked = check_expectations(COURSE, [], ["04-next-token", "05-generation"])
    expected = [f"{s.student} {name}: was not graded"
                for name in ("04-next-token", "05-generation") for s in read_sample_class(COURSE, name)]  # fmt: skip
    assert asked == expected
    assert set(asked) < set(check_expectations(COURSE, []))


def test_an_assignment_that_does_not_exist_is_refused():
    with pytest.raises(CourseError, match="99-nothing"):
        check_expectations(COURSE, [], ["99-nothing"])
