"""Classes of thousands, written quickly: each different submission is made once and copied for many students."""

from __future__ import annotations

import shutil
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks.classes import ROOT, make_course
from grading_utils.course.course import Course

LIGHT = "light"
VARIETY = 17
"""So many different submissions are made of the sample class: the solution and each student who fits, in turn."""

_LIGHT_CELLS = (
    ("solution", "count-words", "def count_words(text):\n    ### BEGIN SOLUTION\n    counts = {}\n"
     "    for word in text.split():\n        counts[word] = counts.get(word, 0) + 1\n    return counts\n"
     "    ### SCAFFOLD\n    # return ...\n    ### END SOLUTION"),
    ("test", "count-words-test", "assert count_words('a b a') == {'a': 2, 'b': 1}, 'count every word'\n"
     "### BEGIN HIDDEN TESTS\nassert count_words('') == {}, 'no words have no counts'\n### END HIDDEN TESTS"),
)  # fmt: skip
_WRONG = "def count_words(text):\n    return {word: 1 for word in text.split()}"


def real_class(folder: Path, assignment: str, count: int) -> Course:
    """A course whose submissions lie in `handed_in/<student>/`, as somebody's download, and not in `submitted/` yet."""
    course = make_course(folder, assignment, VARIETY)
    different = sorted((course.root / "submitted").iterdir())
    for number, one in enumerate(islice(cycle(different), count), start=1):
        shutil.copytree(one / assignment, folder / "handed_in" / f"s{number:05}")
    shutil.rmtree(folder / "submitted")
    return course


def light_course(folder: Path) -> Course:
    """A course with one short assignment that needs no library: what is left is the grader's own work."""
    source = folder / "source" / LIGHT
    source.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    nbformat.write(_light_notebook(), source / f"{LIGHT}.ipynb")
    return Course.open(folder)


def hand_in_light(course: Course, first: int, last: int) -> None:
    """Submissions of students number `first` to `last`; every fifth is wrong."""
    right = _light_notebook()
    right.cells[0].source = "\n".join(line for line in right.cells[0].source.splitlines() if "#" not in line)
    wrong = nbformat.from_dict(right)
    wrong.cells[0].source = _WRONG
    texts = [nbformat.writes(wrong if number == 0 else right) for number in range(5)]
    for number in range(first, last + 1):
        folder = course.submitted(LIGHT, f"s{number:05}")
        folder.mkdir(parents=True)
        (folder / f"{LIGHT}.ipynb").write_text(texts[number % 5], encoding="utf-8")


def _light_notebook() -> Any:
    cells = []
    for kind, name, source in _LIGHT_CELLS:
        entry: dict[str, Any] = {
            "grade": kind == "test", "solution": kind == "solution", "locked": kind == "test", "task": False,
            "grade_id": name, "schema_version": 3,
        }  # fmt: skip
        if kind == "test":
            entry["points"] = 2
        cells.append(new_code_cell(source, id=name, metadata={"nbgrader": entry}))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(metadata={"kernelspec": kernel}, cells=cells)
