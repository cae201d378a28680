"""A course of one's own: made, released and graded with three commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from grading_utils.authoring import new_course
from grading_utils.authoring.rehearsal import commands_of
from grading_utils.cli import main
from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, hand_in


@pytest.fixture
def pack(small_course: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The small course in the place of the pack, whose eight assignments take minutes to prove."""
    monkeypatch.setattr(new_course, "_PACK", small_course.root)
    return small_course


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def test_a_new_course_releases_and_grades(pack: Course, solution: Any, tmp_path: Path) -> None:
    made = call("init", str(tmp_path / "autumn"), "--assignments", ASSIGNMENT)
    assert made.exit_code == 0, made.output
    assert "the solution gets full marks, the release none" in made.output
    commands = commands_of((tmp_path / "autumn" / "README.md").read_text())
    assert {words[0] for words in commands} >= {"students", "collect", "grade", "feedback", "export", "solutions"}
    assert f"all {len(commands)} commands of its README.md work here" in made.output
    course = Course.open(tmp_path / "autumn")
    assert (course.name, course.assignments()) == ("autumn", [ASSIGNMENT])
    assert (course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb").exists()
    hand_in(course, "amara", solution)
    graded = call("grade", "--course", str(course.root))
    assert "amara counting: graded 3/5" in graded.output
    assert "ada" not in graded.output.split(), "the class of the trial is in the course"


def test_a_readme_that_says_what_does_not_work_is_not_handed_out_in_silence(
    pack: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "# {name}\n```sh\ngrading-utils due {first} 1/12/2030\n```\n{assignments}"
    monkeypatch.setattr(new_course, "_README", wrong)
    made = call("init", str(tmp_path / "autumn"))
    assert made.exit_code == 2
    assert "`grading-utils due counting 1/12/2030` ends with code 2" in made.output


def test_a_folder_with_something_in_it_is_left_alone(pack: Course, tmp_path: Path) -> None:
    (tmp_path / "autumn").mkdir()
    (tmp_path / "autumn" / "mine.txt").write_text("mine")
    made = call("init", str(tmp_path / "autumn"))
    assert (made.exit_code, "is not empty" in made.output) == (2, True)
    assert [path.name for path in (tmp_path / "autumn").iterdir()] == ["mine.txt"]


def test_an_assignment_that_the_pack_has_not_is_named(pack: Course, tmp_path: Path) -> None:
    made = call("init", str(tmp_path / "autumn"), "--assignments", "09-nothing")
    assert (made.exit_code, "there is: counting" in made.output) == (2, True)
    assert not (tmp_path / "autumn").exists()
