"""Grading runs what scores need, and everything else only where somebody wants to look at it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grading_utils.boundary.warm.shell import run_cell
from grading_utils.boundary.warm.warmup import current, prepare
from grading_utils.course.bundle import NotebookBundle, build_bundle
from grading_utils.course.cells import LONGEST_SECONDS
from grading_utils.course.course import Course
from grading_utils.errors import AuthoringError
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import make_job

from ..boundary.conftest import in_fork
from ..conftest import ASSIGNMENT, cell_named


def managed(source: str, name: str, *, tags: tuple[str, ...] = (), **kind: Any) -> Any:
    entry = {"grade_id": name, "grade": False, "solution": False, "locked": False, "schema_version": 3, **kind}
    return new_code_cell(source, metadata={"nbgrader": entry, "tags": list(tags)})


NOTEBOOK = new_notebook(
    cells=[
        managed("import math", "setup", locked=True),
        managed("x = 1", "answer", solution=True),
        managed("show(x)", "show", tags=("demonstration",), locked=True),
        managed("assert x == 1", "check", grade=True, locked=True, points=1),
        managed("plot(x)", "drawing", grade=True, solution=True, points=2),
        new_markdown_cell("The end."),
        new_code_cell("print(x)"),
    ]
)


def jobs(*, everything: bool) -> dict[str, bool]:
    """The cells that are run after the set-up, and whether their pictures are drawn."""
    bundle = NotebookBundle("notebook", tuple(NOTEBOOK.cells), {})
    job = make_job(NOTEBOOK, bundle, everything=everything)
    return {cell.source: cell.draws for cell in job.cells[job.leading :]}


def test_demonstrations_and_trailing_cells_are_left_out_and_only_graded_pictures_are_drawn() -> None:
    assert jobs(everything=False) == {"x = 1": False, "assert x == 1": False, "plot(x)": True}


def test_everything_means_everything() -> None:
    assert jobs(everything=True) == dict.fromkeys(["x = 1", "show(x)", "assert x == 1", "plot(x)", "print(x)"], True)


@pytest.mark.parametrize(("draws", "kinds"), [(True, ["image/png", "text/plain"]), (False, ["text/plain"])])
def test_where_nobody_looks_a_picture_is_only_named(draws: bool, kinds: list[str]) -> None:
    drawing = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"

    def work() -> bytes:
        prepare([])
        ok, outputs = run_cell(current().shell, drawing, draws=draws)
        return json.dumps([ok, [sorted(output["data"]) for output in outputs]]).encode()

    assert json.loads(in_fork(work)) == [True, [kinds]]


@pytest.mark.parametrize(("timeout", "seconds"), [("7", 7), ("None", LONGEST_SECONDS), ("-1", LONGEST_SECONDS)])
def test_nbgraders_time_limit_is_ours_and_an_author_may_set_a_cells_own(
    timeout: str, seconds: float, course_root: Path
) -> None:
    path = course_root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell_named(notebook, "commonest").metadata["grading_utils"] = {"time_limit": 99}
    nbformat.write(notebook, path)
    with (course_root / "nbgrader_config.py").open("a") as config:
        config.write(f"c.Execute.timeout = {timeout}\n")
    bundle = build_bundle(Course.open(course_root), ASSIGNMENT).notebooks[ASSIGNMENT]
    job = make_job(new_notebook(cells=list(bundle.cells)), bundle)
    limits = {cell.grade_id: cell.time_limit for cell in job.cells}
    assert limits["count-words"] == seconds
    assert limits["commonest"] == 99


def test_a_notebook_for_another_kernel_is_refused_before_anything_runs(course_root: Path) -> None:
    path = course_root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    nbformat.write(notebook, path)
    with (course_root / "nbgrader_config.py").open("a") as config:
        config.write("c.ClearSolutions.code_stub = {'R': 'fail()', 'python': 'pass'}\n")
    course = Course.open(course_root)
    bundle = build_bundle(course, ASSIGNMENT)
    with pytest.raises(AuthoringError, match=r"counting\.ipynb: is for the kernel 'ir' \(R\); only Python"):
        engine_factory(course, isolate=True)(bundle, bundle.notebooks[ASSIGNMENT])
