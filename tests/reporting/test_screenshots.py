"""The pictures in README and docs: a browser opens what they show, after the real programs have made it.

`make screenshots` writes them to docs/images; a plain run of the tests only sees that they can be made.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from PIL import Image

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.solutions import solution_notebook
from grading_utils.reporting.model_answers import HEADING

from ..browsing import formgrader, jupyter
from ..conftest import ROOT, cell_named
from .test_pages_in_a_browser import chromium

__all__ = ["chromium"]  # a fixture of these tests as well

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ASSIGNMENT = "04-next-token"
STUDENTS = ["s01-amara", "s02-bela", "s03-chen", "s04-dana", "s05-emil", "s06-fern", "s07-greta", "s08-hugo"]
MISTAKE = ("softmax(dim=-1)\n# The distribution over", "softmax(dim=1)\n# The distribution over")
SAID = "you applied softmax over the wrong one"
LARGEST = 200_000


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class that was graded, with feedback and report."""
    root = tmp_path_factory.mktemp("small-language-models")
    shutil.copytree(ROOT / "source" / ASSIGNMENT, root / "source" / ASSIGNMENT)
    shutil.copytree(ROOT / "release" / ASSIGNMENT, root / "release" / ASSIGNMENT)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    (root / "sample_class" / ASSIGNMENT).mkdir(parents=True)
    for student in STUDENTS:
        shutil.copy(ROOT / "sample_class" / ASSIGNMENT / f"{student}.yaml", root / "sample_class" / ASSIGNMENT)
    for command in (["sample-class"], ["grade"], ["feedback"], ["report"]):
        program = [sys.executable, "-c", "from grading_utils.cli import main; main()"]
        done = subprocess.run([*program, *command], cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
    return Course.open(root)


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1120, "height": 760}, device_scale_factor=1.25)
    yield context.new_page()
    context.close()


@pytest.fixture
def keep(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Stores a picture of a page with few colors, so that it is small."""
    wanted = request.config.getoption("--screenshots")

    def keep(page: Any, name: str) -> None:
        taken = tmp_path / f"{name}.png"
        page.screenshot(path=taken)
        few = Image.open(taken).convert("RGB").quantize(96, dither=Image.Dither.NONE)
        few.save(taken, optimize=True)
        assert len(set(Image.open(taken).convert("L").get_flattened_data())) > 20, "an empty page"
        assert taken.stat().st_size < LARGEST
        if wanted:
            folder = ROOT / wanted
            folder.mkdir(exist_ok=True)
            shutil.copy(taken, folder)

    return keep


def test_a_mistake_in_jupyterlab(page: Any, keep: Any, tmp_path: Path) -> None:
    course = Course.open(ROOT)
    bundle = build_bundle(course, ASSIGNMENT).notebooks[ASSIGNMENT]
    notebook = solution_notebook(course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", bundle)
    cell = cell_named(notebook, "most-likely-token")
    assert MISTAKE[0] in cell.source
    cell.source = cell.source.replace(*MISTAKE)
    shown = ["setup", "last-token-logits-demo", "most-likely-token-task", "most-likely-token-demo", "most-likely-token"]
    notebook.cells = [cell for cell in notebook.cells if cell.id in (*shown, "probabilities-check")]
    nbformat.write(notebook, tmp_path / f"{ASSIGNMENT}.ipynb")
    with jupyter(tmp_path, "jupyterlab", "lab", "--LabApp.expose_app_in_browser=True") as address:
        page.goto(f"{address}/lab/tree/{ASSIGNMENT}.ipynb")
        ready = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        page.wait_for_function(ready, timeout=90_000)
        page.locator(".jp-toast-button", has_text="No").first.click()  # news
        page.evaluate("() => { window.jupyterapp.commands.execute('application:toggle-left-area') }")
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")  # and don't wait for it
        failed = page.get_by_text(SAID)
        failed.first.wait_for(timeout=120_000)
        page.set_viewport_size({"width": 1120, "height": 850})
        page.locator(".jp-Cell img").last.evaluate("picture => picture.scrollIntoView()")
        page.wait_for_timeout(1000)
        keep(page, "notebook")


def test_the_report(course: Course, page: Any, keep: Any) -> None:
    page.goto((course.root / "report.html").as_uri())
    assert "s03-chen" in page.inner_text("body")
    keep(page, "report")


def test_a_page_of_feedback(course: Course, page: Any, keep: Any) -> None:
    page.goto((course.root / f"feedback/s08-hugo/{ASSIGNMENT}/{ASSIGNMENT}.html").as_uri())
    keep(page, "feedback")


def test_a_written_answer_in_the_formgrader(course: Course, page: Any, keep: Any) -> None:
    with Gradebook(course.layout.db_url) as gradebook:
        submission = gradebook.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, "s01-amara").id
    with formgrader(course.root) as address:
        page.goto(f"{address}/formgrader/submissions/{submission}/")
        box = page.get_by_text(HEADING).first
        box.wait_for(timeout=60_000)
        box.scroll_into_view_if_needed()
        page.wait_for_timeout(1000)
        keep(page, "formgrader")
