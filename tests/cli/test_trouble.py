"""Trouble that is nobody's code: one line, and an exit code that a script can act on."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from grading_utils.cli import main
from grading_utils.course.course import Course
from grading_utils.grading import autograded, pipeline

from ..conftest import ASSIGNMENT, hand_in


def call(course: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--course", str(course.root)])


def assert_machine_trouble(result: Result, sentence: str) -> None:
    assert result.exit_code == 3, result.output
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert len([line for line in result.output.splitlines() if line.startswith("grading-utils:")]) == 1


def test_a_full_disk_ends_with_3_and_keeps_what_was_graded(
    small_course: Course, solution: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("amara", "bo"):
        hand_in(small_course, student, solution)
    write = pipeline.write_autograded

    def full(course: Course, bundle: Any, student: str, *rest: Any) -> Any:
        if student == "bo":
            raise OSError(errno.ENOSPC, "No space left on device", "autograded/bo")
        return write(course, bundle, student, *rest)

    monkeypatch.setattr(pipeline, "write_autograded", full)
    assert_machine_trouble(call(small_course, "grade", ASSIGNMENT, "--workers", "1"), "the disk is full")
    monkeypatch.undo()
    out = small_course.root / "g.json"
    assert call(small_course, "export", "--to", "json", "--output", str(out)).exit_code == 0
    assert '"amara"' in out.read_text()


def test_a_full_disk_is_known_by_its_cause_too(
    small_course: Course, solution: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(small_course, "amara", solution)

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(autograded.nbformat, "writes", full)
    assert_machine_trouble(call(small_course, "grade", ASSIGNMENT), "the disk is full")


def test_a_locked_gradebook_ends_with_3(small_course: Course, solution: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(small_course, "amara", solution)
    assert call(small_course, "grade", ASSIGNMENT).exit_code == 0
    connect = sqlite3.dbapi2.connect
    monkeypatch.setattr(sqlite3.dbapi2, "connect", lambda *a, **k: connect(*a, **{**k, "timeout": 0.1}))
    with sqlite3.connect(small_course.root / "gradebook.db") as other:
        other.execute("BEGIN EXCLUSIVE")
        assert_machine_trouble(call(small_course, "grade", ASSIGNMENT), "locked")
        other.rollback()


@pytest.mark.parametrize("command", [("due", ASSIGNMENT, "2030-01-01"), ("students", "import", "roster.csv")])
def test_a_gradebook_that_may_only_be_read_ends_with_3(
    command: tuple[str, ...], small_course: Course, solution: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(small_course, "amara", solution)
    assert call(small_course, "grade", ASSIGNMENT).exit_code == 0
    (small_course.root / "roster.csv").write_text("id\nbo\n")
    monkeypatch.chdir(small_course.root)
    connect = sqlite3.dbapi2.connect

    def read_only(*of: Any, **how: Any) -> sqlite3.Connection:
        connection = connect(*of, **how)
        connection.execute("PRAGMA query_only = 1")
        return connection

    monkeypatch.setattr(sqlite3.dbapi2, "connect", read_only)
    assert_machine_trouble(call(small_course, *command), "may not be written")


@pytest.mark.parametrize("content", ["garbage", "foreign", "half"])
def test_a_broken_gradebook_ends_with_3(content: str, small_course: Course, solution: Any) -> None:
    hand_in(small_course, "amara", solution)
    path = small_course.root / "gradebook.db"
    if content == "garbage":
        path.write_bytes(b"this is no database, but it is long enough to look like one" * 9)
    elif content == "foreign":
        with sqlite3.connect(path) as other:
            other.execute("create table student (name)")
    else:
        assert call(small_course, "grade", ASSIGNMENT).exit_code == 0
        path.write_bytes(path.read_bytes()[:9_000])
    assert_machine_trouble(call(small_course, "grade", ASSIGNMENT, "--again"), "gradebook")


@pytest.mark.parametrize(
    "command",
    [("grade", ASSIGNMENT, "--again"), ("export", "--to", "csv", "--output", "-"), ("report",), ("students", "list"),
     ("due", ASSIGNMENT, "2030-01-01"), ("answers", ASSIGNMENT, "--to", "answers.csv"), ("feedback",)],
    ids=lambda command: command[0],
)  # fmt: skip
def test_a_gradebook_of_an_unknown_version_ends_with_3_and_is_left_alone(
    command: tuple[str, ...], small_course: Course
) -> None:
    hand_in(small_course, "amara", b"{}")
    assert call(small_course, "grade", ASSIGNMENT).exit_code == 1
    path = small_course.root / "gradebook.db"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = 'of-the-future'")
    database.close()
    before = path.read_bytes()
    assert_machine_trouble(call(small_course, *command), "made by another version of nbgrader")
    assert path.read_bytes() == before


def test_a_full_disk_leaves_the_old_release(
    small_course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call(small_course, "release").exit_code == 0
    released = small_course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    before = released.read_bytes()

    def full(made: Path, target: Path) -> None:
        raise shutil.Error([(str(made), str(target), f"[Errno {errno.ENOSPC}] No space left on device: 'x' -> 'y'")])

    monkeypatch.setattr(shutil, "copytree", full)
    assert_machine_trouble(call(small_course, "release"), "the disk is full")
    assert released.read_bytes() == before


def test_a_table_that_cannot_be_written_is_no_wrong_use(small_course: Course, solution: Any) -> None:
    hand_in(small_course, "amara", solution)
    assert call(small_course, "grade", ASSIGNMENT).exit_code == 0
    assert_machine_trouble(call(small_course, "answers", ASSIGNMENT, "--to", "/dev/full"), "the disk is full")


def test_what_is_no_plain_file_is_written_through_and_not_replaced(small_course: Course, solution: Any) -> None:
    hand_in(small_course, "amara", solution)
    assert call(small_course, "grade", ASSIGNMENT).exit_code == 0
    link = small_course.root / "link.csv"
    link.symlink_to("real.csv")
    for target in (Path("/dev/null"), link):
        assert call(small_course, "export", "--to", "csv", "--output", str(target)).exit_code == 0
    assert Path("/dev/null").is_char_device()
    assert link.is_symlink()
    assert "amara" in (small_course.root / "real.csv").read_text()


def test_an_interpreter_that_cannot_be_started_ends_with_3(
    small_course: Course, solution: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(small_course, "amara", solution)
    broken = tmp_path / "python"
    broken.write_text("no program")
    monkeypatch.setattr(sys, "executable", str(broken))
    assert_machine_trouble(call(small_course, "grade", ASSIGNMENT), "permission denied")


def test_the_command_says_what_it_lacks_where_only_the_students_part_is_installed() -> None:
    program = "import sys; sys.modules['click'] = None; from grading_utils.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.splitlines() == ["grading-utils: the package click is missing; install 'slm-course[grade]'"]


def test_a_missing_package_is_named(small_course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "grading_utils.cli.students", raising=False)
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    for name in [name for name in sys.modules if name.startswith("grading_utils.lms.matching")]:
        monkeypatch.delitem(sys.modules, name)
    result = call(small_course, "students", "list")
    assert_machine_trouble(result, "nbgrader.api")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (f"{ASSIGNMENT}/ann/{ASSIGNMENT}.ipynb", f"has to be submitted/ann/{ASSIGNMENT}"),
        ("ann/countin/counting.ipynb", f"there is no assignment 'countin'; has to be submitted/ann/{ASSIGNMENT}"),
        (f"ann/{ASSIGNMENT}.ipynb", f"submitted/ann/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"),
        ("ann.ipynb", "has to be submitted/<student>/<assignment>/ann.ipynb"),
    ],
)
def test_nothing_to_grade_is_wrong_use_and_lists_what_lies_in_the_wrong_place(
    path: str, sentence: str, small_course: Course
) -> None:
    stray: Path = small_course.root / "submitted" / path
    stray.parent.mkdir(parents=True)
    stray.write_text("{}")
    result = call(small_course, "grade")
    assert result.exit_code == 2
    assert "nothing was handed in" in result.output
    assert sentence in result.output


def test_work_in_the_wrong_place_is_said_while_the_others_are_graded(small_course: Course, solution: Any) -> None:
    hand_in(small_course, "amara", solution)
    (small_course.root / "submitted" / ASSIGNMENT / "bo").mkdir(parents=True)
    result = call(small_course, "grade")
    assert result.exit_code == 0
    assert f"not looked at: submitted/{ASSIGNMENT}/bo" in result.output
