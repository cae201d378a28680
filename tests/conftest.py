"""A small nbgrader course that needs no torch, for every test that grades something."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = "counting"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", metavar="FOLDER", help="Keep the pictures that browser tests take here.")


def managed(kind: str, name: str, source: str, points: float | None = None) -> Any:
    """A cell that nbgrader manages: kind is "locked", "solution", "test" or "written"."""
    maker = new_markdown_cell if kind == "written" else new_code_cell
    entry: dict[str, Any] = {
        "grade": kind in ("test", "written"),
        "solution": kind in ("solution", "written"),
        "locked": kind in ("locked", "test"),
        "task": False,
        "grade_id": name,
        "schema_version": 3,
    }
    if points is not None:
        entry["points"] = points
    return maker(source, id=name, metadata={"nbgrader": entry})


def counting_notebook() -> Any:
    """The instructor's notebook of the small course: two tasks, one of them with hidden tests, and a question."""
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(
        metadata=metadata,
        cells=[
            new_markdown_cell("# Counting words", id="title"),
            managed("locked", "setup", "from collections import Counter\nVERSE = 'la la di da la'"),
            managed(
                "solution",
                "count-words",
                "def count_words(text):\n    ### BEGIN SOLUTION\n    return Counter(text.split())\n"
                "    ### SCAFFOLD\n    # return ...\n    ### END SOLUTION",
            ),
            managed(
                "test",
                "count-words-test",
                "assert count_words('a b a') == {'a': 2, 'b': 1}, 'count every word'\n"
                "### BEGIN HIDDEN TESTS\n"
                "assert count_words('') == {}, 'a text without words has no counts'\n"
                "assert count_words('x  y') == {'x': 1, 'y': 1}, 'several spaces are one gap'\n"
                "### END HIDDEN TESTS",
                2,
            ),
            managed(
                "solution",
                "commonest",
                "### BEGIN SOLUTION\ncommonest = Counter(VERSE.split()).most_common(1)[0][0]\n"
                "### SCAFFOLD\n# commonest = ...\n### END SOLUTION",
            ),
            managed("test", "commonest-test", "assert commonest == 'la', 'which word stands there three times?'", 1),
            managed("written", "why", "Because a Counter counts everything that can be hashed.", 2),
        ],
    )


def write_course(root: Path) -> Path:
    """Make the small course in a folder, configured like this repository's own."""
    source = root / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    nbformat.write(counting_notebook(), source / f"{ASSIGNMENT}.ipynb")
    shutil.copy(ROOT / "nbgrader_config.py", root / "nbgrader_config.py")
    (root / "mutants").mkdir()
    (root / "mutants" / f"{ASSIGNMENT}.yaml").write_text(
        "- cell: commonest\n  before: '1'\n  becomes: commonest = Counter(VERSE.split()).most_common(2)[0][0]\n"
        "  reason: The first of two is the first of one.\n"
    )
    return root


@pytest.fixture
def course_root(tmp_path: Path) -> Path:
    """The folder of a fresh small course with nothing released or handed in yet."""
    return write_course(tmp_path / "course")


@pytest.fixture
def small_course(course_root: Path) -> Any:
    """The opened small course."""
    from grading_utils.course.course import Course

    return Course.open(course_root)


@pytest.fixture
def small_bundle(small_course: Any) -> Any:
    """The bundle of the small course's assignment."""
    from grading_utils.course.bundle import build_bundle

    return build_bundle(small_course, ASSIGNMENT)


@pytest.fixture
def solution(small_course: Any, small_bundle: Any) -> Any:
    """The small course's notebook as a perfect student hands it in."""
    from grading_utils.grading.solutions import solution_notebook

    path = small_course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    return solution_notebook(path, small_bundle.notebooks[ASSIGNMENT])


def cell_named(notebook: Any, name: str) -> Any:
    """The cell of a notebook with a `grade_id`."""
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def hand_in(course: Any, student: str, notebook: Any) -> Path:
    """Put a notebook (or raw bytes) where a student hands it in; returns the file."""
    folder: Path = course.submitted(ASSIGNMENT, student)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{ASSIGNMENT}.ipynb"
    if isinstance(notebook, bytes):
        path.write_bytes(notebook)
    else:
        path.write_text(nbformat.writes(notebook), encoding="utf-8")
    return path
