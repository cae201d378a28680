"""What students get works by itself, and holds nothing that grades."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from click.testing import CliRunner

from grading_utils.authoring.kit import build_wheel, pins, write_kit
from grading_utils.authoring.release import release
from grading_utils.cli import main
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.solutions import solution_notebook

from ..conftest import ASSIGNMENT, ROOT

GRADING = ("nbgrader", "msgspec", "sqlalchemy", "click", "flit_core", "playwright")

IMPORT_ALL = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import grading_utils
assert grading_utils.__file__.startswith(sys.argv[1]), grading_utils.__file__
names = [module.name for module in pkgutil.walk_packages(grading_utils.__path__, "grading_utils.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(names), [name for name in sys.argv[2:] if name in sys.modules])
"""


def test_the_wheel_holds_what_notebooks_import_and_nothing_that_grades(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "unpacked")
    folders = {name.split("/")[1] for name in names if name.startswith("grading_utils/") and name.count("/") > 1}
    assert folders == {"checks", "lessons", "language_model"}
    assert any(name.endswith("shipped/model.safetensors") for name in names)
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL, str(tmp_path / "unpacked"), *GRADING],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]"), "what students get needs what grades"


def test_versions_are_pinned_with_everything_that_they_need() -> None:
    pinned = {line.split("==")[0] for line in pins(["pandas"])}
    assert {"pandas", "numpy", "python-dateutil"} <= pinned
    assert not {"pytest", "nbgrader"} & pinned


def test_a_kit_is_refused_before_its_release_and_zipped_after(small_course: Course, tmp_path: Path) -> None:
    def kit() -> tuple[int, str]:
        target = str(tmp_path / "kit.zip")
        result = CliRunner().invoke(main, ["kit", "--output", target, "--course", str(small_course.root)])
        return result.exit_code, result.output

    code, output = kit()
    assert (code, "not released yet: counting" in output) == (2, True)
    release(small_course, ASSIGNMENT)
    assert kit()[0] == 0
    with zipfile.ZipFile(tmp_path / "kit.zip") as archive:
        names = archive.namelist()
        page = archive.read("kit/start-here.html").decode()
        conda = yaml.safe_load(archive.read("kit/environment.yml"))
        requirements = archive.read("kit/requirements.txt").decode()
    assert f"kit/{ASSIGNMENT}/{ASSIGNMENT}.ipynb" in names
    wheel = next(name for name in names if name.endswith(".whl")).removeprefix("kit/")
    (torch,) = re.findall(r"^torch==(.+)$", requirements, re.MULTILINE)
    assert f"pytorch-cpu={torch}" in [str(entry) for entry in conda["dependencies"]]
    assert wheel in page
    assert f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb" in page


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_in_an_empty_environment_the_kit_takes_a_student_to_passed_checks(tmp_path: Path) -> None:
    course = Course.open(ROOT)
    notebooks = write_kit(course, ["01-follower-tables", "04-next-token"], tmp_path / "kit")
    subprocess.run([sys.executable, "install.py"], cwd=tmp_path / "kit", check=True)
    python = tmp_path / "kit" / ".venv" / "bin" / "python"
    for notebook in notebooks:
        assignment = notebook.stem
        bundle = build_bundle(course, assignment).notebooks[assignment]
        nbformat.write(solution_notebook(course.source(assignment) / notebook.name, bundle), notebook)
        command = [python, "-m", "jupyter", "execute", "--inplace", str(notebook)]
        done = subprocess.run(command, cwd=notebook.parent, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        progress = next(c for c in nbformat.read(notebook, as_version=4).cells if c.id == "progress")
        [(passed, checks)] = re.findall(r"(\d+) of (\d+) visible checks pass", progress.outputs[0].data["text/html"])
        assert passed == checks
