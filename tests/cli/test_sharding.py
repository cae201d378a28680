"""A class graded in parts, on machines that know nothing of each other, is the class graded at once."""

from __future__ import annotations

import csv
import itertools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from grading_utils.cli import main
from grading_utils.course.course import Course
from grading_utils.grading.merging import Shard

from ..conftest import ASSIGNMENT, cell_named, hand_in

STUDENTS = ("ann", "bo", "cy", "dee", "eli")


def call(root: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*arguments, "--course", str(root)], catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def parts(small_course: Course, solution: Any, tmp_path: Path) -> tuple[Path, list[Path]]:
    """A class that was graded at once, and again in three parts elsewhere."""
    for number, student in enumerate(STUDENTS):
        cell_named(solution, "commonest").source = f"commonest = {'la' if number % 2 else 'da'!r}"
        hand_in(small_course, student, solution if student != "eli" else b"{")
    (small_course.submitted(ASSIGNMENT, "ann") / "timestamp.txt").write_text("2025-12-01 10:00:00 UTC")
    folders = [tmp_path / f"part{number}" for number in (1, 2, 3)]
    for number, folder in enumerate(folders, start=1):
        shutil.copytree(small_course.root, folder)
        call(folder, "grade", "--shard", f"{number}/3")
    call(small_course.root, "grade")
    return small_course.root, folders


def everything(root: Path) -> tuple[list[Any], list[Any]]:
    assert call(root, "export", "--to", "csv", "--output", str(root / "all.csv"))[0] == 0
    rows = list(csv.reader((root / "all.csv").read_text().splitlines()))
    results = json.loads((root / "grades.json").read_text())
    for entry in (*results, *(cell for result in results for cell in result["cells"])):
        entry["seconds"] = 0
    return rows, results


def test_merged_in_any_order_and_again_it_is_the_same_gradebook(parts: tuple[Path, list[Path]], tmp_path: Path) -> None:
    root, folders = parts
    expected = everything(root)
    for number, order in enumerate(itertools.islice(itertools.permutations(folders), 0, 6, 2)):
        fresh = tmp_path / f"merged{number}"
        shutil.copytree(root, fresh, ignore=shutil.ignore_patterns("gradebook.db", "grades.json", "autograded"))
        for _ in range(2):
            assert call(fresh, "merge", *map(str, order))[0] == 0
        assert everything(fresh) == expected
        assert (fresh / "autograded" / "bo" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").exists()


@given(
    sequence=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), max_size=3), last=st.permutations(range(3))
)
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
@example(sequence=[[2], [0, 0], [2, 1, 2]], last=[1, 0, 2])
def test_whatever_was_merged_before_and_however_often_all_parts_make_the_same_gradebook(
    parts: tuple[Path, list[Path]], sequence: list[list[int]], last: list[int]
) -> None:
    root, folders = parts
    expected = everything(root)
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch, "course")
        shutil.copytree(root, fresh, ignore=shutil.ignore_patterns("gradebook.db", "grades.json", "autograded"))
        for step in (*sequence, last):
            assert call(fresh, "merge", *(str(folders[number]) for number in step))[0] == 0
        assert everything(fresh) == expected


def test_points_that_a_person_gave_here_stay(parts: tuple[Path, list[Path]]) -> None:
    root, folders = parts
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "bo").manual_score = 1.5
        gradebook.db.commit()
    assert call(root, "merge", *map(str, folders))[0] == 0
    (entry,) = (entry for entry in json.loads((root / "grades.json").read_text()) if entry["student"] == "bo")
    assert {cell["grade_id"]: cell["score"] for cell in entry["cells"]}["why"] == 1.5


def test_parts_that_disagree_about_a_student_are_refused(parts: tuple[Path, list[Path]]) -> None:
    root, folders = parts
    results = json.loads((root / "grades.json").read_text())
    results[0]["message"] = "graded elsewhere, by another grader"
    shutil.copy(root / "gradebook.db", folders[0] / "gradebook.db")
    (folders[0] / "grades.json").write_text(json.dumps(results))
    shutil.copy(root / "grades.json", folders[1] / "grades.json")
    shutil.copy(root / "gradebook.db", folders[1] / "gradebook.db")
    code, output = call(root, "merge", *map(str, folders[:2]))
    assert (code, "was graded differently in" in output) == (2, True)


@pytest.mark.parametrize("missing", ["grades.json", "gradebook.db"])
def test_a_folder_that_is_no_part_is_named(missing: str, parts: tuple[Path, list[Path]]) -> None:
    root, folders = parts
    (folders[0] / missing).unlink()
    code, output = call(root, "merge", str(folders[0]))
    assert (code, f"{folders[0]}: holds no {missing}" in output) == (2, True)


def test_every_student_is_in_exactly_one_part() -> None:
    for count in (1, 2, 7):
        shards = [Shard(number, count) for number in range(1, count + 1)]
        assert all(sum(shard.holds(f"s{n}") for shard in shards) == 1 for n in range(200))


@pytest.mark.parametrize("text", ["4/3", "0/3", "x", "1/", "1/0"])
def test_a_part_that_there_is_not_is_wrong_use(text: str, small_course: Course) -> None:
    code, output = call(small_course.root, "grade", "--shard", text)
    assert (code, "is no part such as 3/10" in output) == (2, True)
