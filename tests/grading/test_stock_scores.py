"""Stock nbgrader, without a line of our configuration, gives the sample class the same scores."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from grading_utils.authoring.release import release
from grading_utils.authoring.sample_class import read_sample_class, write_sample_class
from grading_utils.course.course import Course

from ..conftest import ROOT

ASSIGNMENT = "04-next-token"


@pytest.mark.slow
def test_stock_nbgrader_scores_the_sample_class_of_next_token_as_we_do(tmp_path: Path) -> None:
    for folder in ("source", "sample_class"):
        shutil.copytree(ROOT / folder / ASSIGNMENT, tmp_path / folder / ASSIGNMENT)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    course = Course.open(tmp_path)
    release(course, ASSIGNMENT)
    write_sample_class(course)
    nbgrader = Path(sys.executable).with_name("nbgrader")
    subprocess.run([nbgrader, "generate_assignment", ASSIGNMENT, "--force"], cwd=tmp_path, check=True, timeout=300)
    (tmp_path / "nbgrader_config.py").unlink()
    subprocess.run([nbgrader, "autograde", ASSIGNMENT, "--create"], cwd=tmp_path, check=False, timeout=3000)
    sample = read_sample_class(course, ASSIGNMENT)
    readable = {student.student: student.expected for student in sample if student.expected["status"] == "graded"}
    with Gradebook(course.layout.db_url) as gradebook:
        scores = {s.student.id: s.score for s in gradebook.find_assignment(ASSIGNMENT).submissions}
    # Stock nbgrader gives nothing for a test cell that a student deleted; we put the cell back and run it.
    deleted = {
        student.student: sum(student.expected["cells"][name] for name in student.drop)
        for student in sample
        if student.drop
    }
    assert {name: scores.get(name) for name in readable} == {
        name: expected["score"] - deleted.get(name, 0) for name, expected in readable.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("assignment", sorted(path.name for path in (ROOT / "source").iterdir() if path.is_dir()))
def test_stock_nbgrader_gives_the_solution_full_automatic_marks_and_the_release_none(
    assignment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # nbgrader calls alembic by its bare name, as an activated environment would find it.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    shutil.copytree(ROOT / "source" / assignment, tmp_path / "source" / assignment)
    nbgrader = Path(sys.executable).with_name("nbgrader")
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\nc.ExecutePreprocessor.timeout = 600\n")
    subprocess.run([nbgrader, "generate_assignment", assignment], cwd=tmp_path, check=True, timeout=300)
    for student in ("solution", "release"):
        handed_in = "source" if student == "solution" else "release"
        shutil.copytree(tmp_path / handed_in / assignment, tmp_path / "submitted" / student / assignment)
    subprocess.run([nbgrader, "autograde", assignment, "--create"], cwd=tmp_path, check=True, timeout=3000)
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as gradebook:
        scores: dict[str, dict[str, tuple[float | None, float]]] = {
            submission.student.id: {
                grade.name: (grade.auto_score, grade.max_score_gradecell)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in gradebook.find_assignment(assignment).submissions
        }
    # A written answer has no automatic score, unless it is untouched: then it is 0.
    automatic = {name for name, (score, _) in scores["solution"].items() if score is not None}
    assert automatic
    assert [name for name in automatic if scores["solution"][name][0] != scores["solution"][name][1]] == []
    assert [name for name in scores["release"] if scores["release"][name][0] != 0] == []
