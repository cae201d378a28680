"""The Gradescope bundle, unpacked into an empty folder and run the way that platform runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner

from grading_utils.cli import main
from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, cell_named

METADATA = {
    "id": 123456,
    "created_at": "2025-12-01T22:15:00.000000-08:00",
    "assignment": {"due_date": "2025-12-02T00:00:00.000000-08:00", "title": "Counting", "total_points": "5.0"},
    "users": [{"email": "ada@example.org", "id": 1234, "name": "Ada L."}],
    "submission_method": "upload",
    "previous_submissions": [],
}


def unpacked(course: Course, root: Path, *options: str) -> Path:
    """An `/autograder` of our own with the bundle of the small course in it."""
    target = root / "autograder.zip"
    result = CliRunner().invoke(
        main, ["gradescope", ASSIGNMENT, "--output", str(target), *options, "--course", str(course.root)]
    )
    assert result.exit_code == 0, result.output
    base = root / "autograder"
    with zipfile.ZipFile(target) as archive:
        for info in archive.infolist():
            archive.extract(info, base / "source")
            (base / "source" / info.filename).chmod(info.external_attr >> 16 & 0o777)
    (base / "submission").mkdir()
    (base / "submission_metadata.json").write_text(json.dumps(METADATA))
    return base


def run(base: Path) -> dict[str, Any]:
    """Run the autograder with the environment that a container starts with, and no terminal."""
    (base / "venv").symlink_to(sys.prefix)
    environment = {"PATH": os.defpath, "AUTOGRADER": str(base)}
    done = subprocess.run(
        [base / "source" / "run_autograder"], cwd=base, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((base / "results" / "results.json").read_text())
    return results


def test_a_submission_gets_points_and_messages_for_each_question(
    small_course: Course, solution: Any, tmp_path: Path
) -> None:
    base = unpacked(small_course, tmp_path, "--visibility", "after_published")
    cell_named(solution, "commonest").source = "commonest = 'da'"
    nbformat.write(solution, base / "submission" / f"{ASSIGNMENT}.ipynb")
    results = run(base)
    assert results["score"] == 2
    assert results["output"] == "A person grades: why."
    tests = {test["name"]: test for test in results["tests"]}
    assert set(tests) == {"count-words-test", "commonest-test"}
    failed = tests["commonest-test"]
    assert (failed["status"], failed["score"], failed["max_score"]) == ("failed", 0, 1)
    assert "which word stands there three times?" in failed["output"]
    assert {test["visibility"] for test in results["tests"]} == {"after_published"}
    assert results["execution_time"] > 0


def test_a_file_that_is_no_notebook_is_explained_to_the_student(small_course: Course, tmp_path: Path) -> None:
    base = unpacked(small_course, tmp_path)
    (base / "submission" / f"{ASSIGNMENT}.ipynb").write_text("{")
    results = run(base)
    assert results["score"] == 0
    assert "truncated" in results["output"]


def test_trouble_of_ours_is_written_as_results_too_and_its_reason_hidden(small_course: Course, tmp_path: Path) -> None:
    base = unpacked(small_course, tmp_path)
    (base / "source" / "course" / "gradescope.json").write_text("{}")
    results = run(base)
    assert "not your fault" in results["output"]
    assert [test["visibility"] for test in results["tests"]] == ["hidden"]
    assert "assignment" in results["tests"][0]["output"]


def test_scripts_are_executable_and_at_the_root(small_course: Course, tmp_path: Path) -> None:
    base = unpacked(small_course, tmp_path)
    for name in ("setup.sh", "run_autograder"):
        assert os.access(base / "source" / name, os.X_OK)
        subprocess.run(["bash", "-n", base / "source" / name], check=True)


def test_everything_in_the_list_is_on_a_package_index(small_course: Course, tmp_path: Path) -> None:
    source = unpacked(small_course, tmp_path) / "source"
    names = [line.partition("==")[0] for line in (source / "requirements.txt").read_text().splitlines()]
    assert "nbgrader" in names
    assert "slm-course" not in names  # that is the wheel beside it
    assert len(list(source.glob("slm_course-*.whl"))) == 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_setup_makes_an_environment_that_grades(small_course: Course, solution: Any, tmp_path: Path) -> None:
    base = unpacked(small_course, tmp_path)
    nbformat.write(solution, base / "submission" / f"{ASSIGNMENT}.ipynb")
    environment = {**os.environ, "AUTOGRADER": str(base)}
    subprocess.run(["bash", base / "source" / "setup.sh"], env=environment, check=True, stdin=subprocess.DEVNULL)
    subprocess.run(
        [base / "source" / "run_autograder"], cwd=base, env={"PATH": os.defpath, "AUTOGRADER": str(base)}, check=True
    )
    assert json.loads((base / "results" / "results.json").read_text())["score"] == 3
