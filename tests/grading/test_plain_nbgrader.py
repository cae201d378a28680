"""nbgrader's own commands work on the same course, with the same isolation and the same scores."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

import grading_utils
from grading_utils.authoring.release import release
from grading_utils.cli import main
from grading_utils.course.course import Course
from grading_utils.grading.changed_answers import CHANGED
from grading_utils.grading.decisions import Decisions
from grading_utils.grading.people import extend, import_students, set_due
from grading_utils.jobs import UNDECIDED

from ..conftest import ASSIGNMENT, cell_named, hand_in

NBGRADER = Path(sys.executable).with_name("nbgrader")


def nbgrader(course: Course, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NBGRADER, *arguments], cwd=course.root, capture_output=True, text=True, timeout=300, check=False
    )


def scores(course: Course) -> dict[str, dict[str, float | None]]:
    with Gradebook(course.layout.db_url) as gradebook:
        return {
            submission.student.id: {g.name: g.auto_score for n in submission.notebooks for g in n.grades}
            for submission in gradebook.find_assignment(ASSIGNMENT).submissions
        }


@pytest.mark.parametrize("config", ["ours", "stock"])
def test_nbgrader_autograde_gives_the_same_scores_with_and_without_our_configuration(
    config: str, small_course: Course, solution: Any
) -> None:
    assert nbgrader(small_course, "generate_assignment", ASSIGNMENT).returncode == 0
    hand_in(small_course, "right", solution)
    hand_in(small_course, "untouched", nbformat.read(small_course.release(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", 4))
    cell_named(solution, "count-words").source = "def count_words(text): return Counter(text.split(' '))"
    hand_in(small_course, "half", solution)
    if config == "stock":
        (small_course.root / "nbgrader_config.py").unlink()
    done = nbgrader(small_course, "autograde", ASSIGNMENT, "--create")
    assert done.returncode == 0, done.stderr
    assert scores(small_course) == {
        "right": {"count-words-test": 2, "commonest-test": 1, "why": None},
        "half": {"count-words-test": 0, "commonest-test": 1, "why": None},
        "untouched": {"count-words-test": 0, "commonest-test": 0, "why": 0},
    }


def test_nbgrader_autograde_with_our_configuration_keeps_the_gradebook_out_of_reach(
    small_course: Course, solution: Any
) -> None:
    release(small_course, ASSIGNMENT)
    assert nbgrader(small_course, "generate_assignment", ASSIGNMENT, "--force").returncode == 0
    database = small_course.root / "gradebook.db"
    cell_named(solution, "commonest").source = f"commonest = 'la'\nopen({str(database)!r}).read()"
    hand_in(small_course, "thief", solution)
    assert nbgrader(small_course, "autograde", ASSIGNMENT, "--create").returncode == 0
    notebook = nbformat.read(small_course.autograded(ASSIGNMENT, "thief") / f"{ASSIGNMENT}.ipynb", 4)
    assert cell_named(notebook, "commonest").outputs[0].ename == "FileNotFoundError"


def test_nbgrader_feedback_shows_no_hidden_test(small_course: Course, solution: Any) -> None:
    nbgrader(small_course, "generate_assignment", ASSIGNMENT)
    cell_named(solution, "count-words").source = "def count_words(text): return Counter(text.split(' '))"
    hand_in(small_course, "half", solution)
    assert nbgrader(small_course, "autograde", ASSIGNMENT, "--create").returncode == 0
    done = nbgrader(small_course, "generate_feedback", ASSIGNMENT)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    page = (small_course.root / "feedback" / "half" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()
    assert "count_words" in page
    assert "x  y" not in page
    assert "a text without words has no counts" in page


def test_nbgrader_autograde_works_in_a_clone_that_uses_the_environment_of_another_one(
    small_course: Course, solution: Any
) -> None:
    """The formgrader's button does the same; `release` has told the gradebook of the assignment."""
    clone = small_course.root / "grading_utils"
    shutil.copytree(Path(grading_utils.__file__).parent, clone, ignore=shutil.ignore_patterns("__pycache__"))
    with (clone / "__init__.py").open("a") as package:
        package.write("\nWHOSE = 'the clone'\n")
    released = CliRunner().invoke(main, ["release", "--no-proof", "--course", str(small_course.root)])
    assert released.exit_code == 0, released.output
    asks = "\nimport grading_utils\nassert grading_utils.WHOSE == 'the clone'"
    cell_named(solution, "count-words").source += asks
    hand_in(small_course, "ann", solution)
    done = nbgrader(small_course, "autograde", ASSIGNMENT, "--create")
    assert done.returncode == 0, done.stderr
    assert scores(small_course) == {"ann": {"count-words-test": 2, "commonest-test": 1, "why": None}}
    notebook = nbformat.read(small_course.autograded(ASSIGNMENT, "ann") / f"{ASSIGNMENT}.ipynb", 4)
    assert cell_named(notebook, "count-words").outputs == []


def test_nbgrader_deletes_nothing_before_the_new_result_is_there(small_course: Course, solution: Any) -> None:
    assert nbgrader(small_course, "generate_assignment", ASSIGNMENT).returncode == 0
    hand_in(small_course, "ann", solution)
    assert nbgrader(small_course, "autograde", ASSIGNMENT, "--create").returncode == 0
    assert nbgrader(small_course, "generate_feedback", ASSIGNMENT).returncode == 0

    def everything() -> dict[str, bytes]:
        folders = (small_course.root / name for name in ("autograded", "feedback", "release"))
        return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}

    before = everything()
    steps = (("generate_assignment",), ("autograde", "--create"), ("generate_feedback",))
    config = small_course.root / "nbgrader_config.py"
    ours = config.read_text()
    broken = "def broken(*args, **kwargs): raise RuntimeError('the machine has trouble')\n"
    config.write_text(f"{ours}\nfrom nbconvert.exporters import Exporter\n{broken}Exporter.from_filename = broken\n")
    for step, *options in steps:
        done = nbgrader(small_course, step, ASSIGNMENT, "--force", *options)
        assert done.returncode != 0
        assert "the one from before is there again" in done.stderr
        assert everything() == before
    config.write_text(ours)
    for step, *options in steps:
        done = nbgrader(small_course, step, ASSIGNMENT, "--force", *options)
        assert done.returncode == 0, done.stderr
        assert everything().keys() == before.keys()


def test_nbgrader_autograde_leaves_an_open_score_to_a_person(small_course: Course, solution: Any) -> None:
    assert nbgrader(small_course, "generate_assignment", ASSIGNMENT).returncode == 0
    kinds = "def count_words(text): return [type(f'K{n}', (), {'x': n})() for n in range(3000)]"
    cell_named(solution, "count-words").source = kinds
    hand_in(small_course, "odd", solution)
    done = nbgrader(small_course, "autograde", ASSIGNMENT, "--create")
    assert done.returncode == 0, done.stderr
    assert "odd: count-words-test is open: " in done.stderr
    assert scores(small_course)["odd"] == {"count-words-test": None, "commonest-test": 1, "why": None}
    with Gradebook(small_course.layout.db_url) as gradebook:
        waiting = gradebook.find_grade("count-words-test", ASSIGNMENT, ASSIGNMENT, "odd")
        assert waiting.needs_manual_grade
    notebook = nbformat.read(small_course.autograded(ASSIGNMENT, "odd") / f"{ASSIGNMENT}.ipynb", 4)
    assert [output.evalue for output in cell_named(notebook, "count-words-test").outputs] == [UNDECIDED]
    Decisions(small_course, ASSIGNMENT).add(["odd"], ["count-words-test"])
    assert nbgrader(small_course, "autograde", ASSIGNMENT, "--force").returncode == 0
    assert scores(small_course)["odd"]["count-words-test"] == 0  # looked at inside: a wrong answer


def test_nbgrader_autograde_asks_again_only_for_an_answer_that_has_changed(small_course: Course, solution: Any) -> None:
    assert nbgrader(small_course, "generate_assignment", ASSIGNMENT).returncode == 0
    hand_in(small_course, "ann", solution)
    assert nbgrader(small_course, "autograde", ASSIGNMENT, "--create").returncode == 0
    with Gradebook(small_course.layout.db_url) as gradebook:
        grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "ann")
        assert grade.needs_manual_grade
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()

    def again() -> tuple[str, tuple[float, bool]]:
        done = nbgrader(small_course, "autograde", ASSIGNMENT, "--force")
        assert done.returncode == 0, done.stderr
        with Gradebook(small_course.layout.db_url) as gradebook:
            grade = gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "ann")
            return done.stderr, (grade.manual_score, grade.needs_manual_grade)

    assert again()[1] == (1.5, False)
    cell_named(solution, "why").source = "Because of something else."
    hand_in(small_course, "ann", solution)
    for said in (f"ann: why {CHANGED}", ""):  # until a person has looked
        stderr, state = again()
        assert said in stderr
        assert state == (1.5, True)


PENALTY = """
from nbgrader.plugins import BasePlugin
class HalfAPoint(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.5
c.AssignLatePenalties.plugin_class = HalfAPoint
"""


def test_nbgrader_autograde_knows_the_extensions_that_ours_granted(small_course: Course, solution: Any) -> None:
    with (small_course.root / "nbgrader_config.py").open("a") as config:
        config.write(PENALTY)
    import_students(small_course, {"late": {}, "extended": {}})
    set_due(small_course, ASSIGNMENT, datetime(2025, 12, 1, 12, tzinfo=UTC))
    extend(small_course, ASSIGNMENT, "extended", datetime(2025, 12, 3, 12, tzinfo=UTC))
    assert nbgrader(small_course, "generate_assignment", ASSIGNMENT).returncode == 0
    for student in ("late", "extended"):
        hand_in(small_course, student, solution).with_name("timestamp.txt").write_text("2025-12-02 09:00:00 UTC\n")
    for step in ("first", "extended since"):
        done = nbgrader(small_course, "autograde", ASSIGNMENT, "--create", "--force")
        assert done.returncode == 0, done.stderr
        with Gradebook(small_course.layout.db_url) as gradebook:
            penalties = {
                student: sum(
                    n.late_submission_penalty or 0 for n in gradebook.find_submission(ASSIGNMENT, student).notebooks
                )
                for student in ("late", "extended")
            }
        assert penalties == {"late": 0.5 if step == "first" else 0.0, "extended": 0.0}
        extend(small_course, ASSIGNMENT, "late", datetime(2025, 12, 4, 12, tzinfo=UTC))
