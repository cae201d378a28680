"""What may go from a student's code into a test, and what may not: `doors.yaml`, entry by entry.

Each entry is an assignment of its own, calibrated on its own solution as every assignment is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbformat.v4 import new_notebook

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.pipeline import grade
from grading_utils.grading.solutions import solution_notebook

from ..conftest import ASSIGNMENT, cell_named, hand_in, managed

ENTRIES = yaml.safe_load((Path(__file__).parent / "doors.yaml").read_text(encoding="utf-8"))


def course_of(entry: dict[str, Any], root: Path) -> Course:
    cells = [managed("locked", "locked", entry["locked"])] if "locked" in entry else []
    for part in ("", "2"):
        if f"solution{part}" in entry:
            source = f"### BEGIN SOLUTION\n{entry[f'solution{part}']}\n### END SOLUTION"
            cells.append(managed("solution", f"answer{part}", source))
            for number, test in enumerate(entry[f"tests{part}"]):
                cells.append(managed("test", f"test{part}-{number}", test, 1))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (root / "source" / ASSIGNMENT).mkdir(parents=True)
    path = root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    nbformat.write(new_notebook(metadata=metadata, cells=cells), path)
    return Course.open(root)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_nothing_goes_through_a_door_that_the_solution_does_not_need(entry: dict[str, Any], tmp_path: Path) -> None:
    course = course_of(entry, tmp_path)
    bundle = build_bundle(course, ASSIGNMENT)
    answers = {**entry["attacks"], **entry["honest"]}
    for student, answer in answers.items():
        path = course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
        notebook = solution_notebook(path, bundle.notebooks[ASSIGNMENT])
        for name in {"answer", "answer2"} & answer.keys():
            cell_named(notebook, name).source = answer[name]
        hand_in(course, student, notebook)
    results = {r.student: r for r in grade(course, bundle, list(answers), engine_factory(course, isolate=True))}
    for student, answer in answers.items():
        scores = [cell.score for cell in results[student].cells]
        for score, wanted in zip(scores, answer["earns"], strict=True):
            assert score in {"open": [None], "nothing": [0, None]}.get(wanted, [wanted]), (student, results[student])
        assert all(bool(cell.inside) == entry.get("inside", False) for cell in results[student].cells)
        if "silent" in answer:
            graded = nbformat.read(course.autograded(ASSIGNMENT, student) / f"{ASSIGNMENT}.ipynb", as_version=4)
            said = [*(str(cell.get("outputs")) for cell in graded.cells), *(c.message for c in results[student].cells)]
            assert answer["silent"] not in "".join(said)


def test_every_attack_was_tried_on_the_code_before_it_and_many_succeeded_there() -> None:
    attacks = [attack for entry in ENTRIES if not entry.get("new") for attack in entry["attacks"].values()]
    assert all("before" in attack for attack in attacks)
    succeeded = [attack for attack in attacks if attack["before"] != "failed" and 1 in attack["before"]]
    assert len(succeeded) >= 10
    assert all(entry["honest"] for entry in ENTRIES)
