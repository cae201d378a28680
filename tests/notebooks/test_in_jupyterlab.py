"""Each notebook played in JupyterLab from the release: every task blank, then wrong, then right; every widget used.

`01` is played in the ordinary suite; the others, and looks in the dark and on a phone, by `make browser-tests`.
Pictures of cells are left in the folder that NOTEBOOK_PICTURES names, for people to look at.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .jupyterlab import Played, chromium, failed, jupyterlab, opened, said
from .notebooks import NOTEBOOKS, ROOT, is_answer, is_check, metadata, read

QUICK = "01-follower-tables"
LATER = [pytest.mark.browser, pytest.mark.slow]
played_notebooks = pytest.mark.parametrize(
    "path",
    [pytest.param(p, id=p.stem, marks=[pytest.mark.browser] if p.stem == QUICK else LATER) for p in NOTEBOOKS],
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("course")
    for path in NOTEBOOKS:
        (root / path.stem).mkdir()
        shutil.copy(ROOT / "release" / path.stem / path.name, root / path.stem)
    with jupyterlab(root, tmp_path_factory.mktemp("lab")) as address:
        yield address


def pictures_of(path: Path, scratch: Path) -> Path:
    return Path(os.environ.get("NOTEBOOK_PICTURES", scratch)) / path.stem


def wrong_answer(path: Path, cell: str) -> str:
    """The first of the wrong answers that earn least, so that a check ought to notice it."""
    answers = yaml.safe_load((ROOT / "tests" / "answers" / path.stem / f"{cell}.yaml").read_text(encoding="utf-8"))
    return str(min(answers, key=lambda answer: sum(answer["expect"].values()))["source"])


def play(played: Played, path: Path, how: str) -> list[str]:
    """Run all cells from top to bottom with blank, wrong or right answers; returns what was not as it should be."""
    solved = {cell.id: cell.source for cell in read(path).cells}
    surprises, noticed, answer = [], True, ""
    for cell in played.notebook.cells:
        if cell.cell_type != "code":
            continue
        if is_answer(cell):
            if not noticed:
                surprises.append(f"{answer}: no check notices a {how} answer")
            answer, noticed = cell.id, how == "right"
            text = {"blank": None, "wrong": "", "right": solved[cell.id]}[how]
            outputs = played.run(cell.id, wrong_answer(path, cell.id) if text == "" else text)
            if how == "right" and failed(outputs):
                surprises.append(f"{cell.id}: {said(outputs)}")
        elif is_check(cell):
            outputs = played.run(cell.id)
            noticed = noticed or failed(outputs)
            if how == "right" and "Looks right so far" not in said(outputs):
                surprises.append(f"{cell.id}: {said(outputs)}")
            if any("Traceback" in line for output in outputs for line in output.get("traceback", [])):
                surprises.append(f"{cell.id} answers a {how} answer with a traceback: {said(outputs)}")
        elif failed(outputs := played.run(cell.id)) and metadata(cell):
            surprises.append(f"{cell.id}, with {how} answers: {said(outputs)}")
    return surprises if noticed else [*surprises, f"{answer}: no check notices a {how} answer"]


@played_notebooks
@pytest.mark.timeout(1800)
def test_a_notebook_is_played_blank_then_wrong_then_right(browser: Any, lab: str, path: Path, tmp_path: Path) -> None:
    with opened(browser, lab, f"{path.stem}/{path.name}") as page:
        released = read(ROOT / "release" / path.stem / path.name)
        played = Played(page, released, pictures_of(path, tmp_path))
        surprises = [
            f"{how}: {surprise}" for how in ("blank", "wrong", "right") for surprise in play(played, path, how)
        ]
        assert not surprises, "\n".join(surprises)
        checks = sum(map(is_check, released.cells))
        assert f"{checks} of {checks} visible checks pass" in said(played.run("progress"))
        for cell in released.cells:
            if cell.cell_type == "code" and not is_check(cell):
                played.picture(cell.id)
        assert use_every_widget(played) == []


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(("look", "width", "dark"), [("dark", 1200, True), ("phone", 400, False)])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_pictures_fit_a_phone_and_are_readable_in_the_dark(
    browser: Any, lab: str, path: Path, tmp_path: Path, look: str, width: int, dark: bool
) -> None:
    solved = read(path)
    with opened(browser, lab, f"{path.stem}/{path.name}", width=width, dark=dark) as page:
        played = Played(page, read(ROOT / "release" / path.stem / path.name), pictures_of(path, tmp_path))
        for cell in solved.cells:
            if cell.cell_type == "code":
                played.run(cell.id, cell.source if is_answer(cell) else None)
        for cell in solved.cells:
            if (
                cell.cell_type == "code"
                and not is_check(cell)
                and (pictures := played.node(cell.id).query_selector_all("img"))
            ):
                played.picture(cell.id, f"-{look}")
                for picture in pictures:
                    frame = picture.evaluate("image => image.parentElement.clientWidth")
                    assert frame <= width, (
                        f"the page scrolls sideways with {cell.id} on a {look}, not the picture alone"
                    )
                    paper = picture.evaluate(CORNER)
                    assert paper == [255, 255, 255], f"{cell.id}: dark text on {paper} of the page"


@pytest.mark.browser
@pytest.mark.slow
def test_sliders_and_buttons_work_in_notebook_7(browser: Any, tmp_path: Path) -> None:
    path = next(path for path in NOTEBOOKS if path.stem.startswith("02"))
    (tmp_path / "course").mkdir()
    shutil.copy(path, tmp_path / "course")
    with (
        jupyterlab(tmp_path / "course", tmp_path / "scratch", "notebook") as address,
        opened(browser, address, path.name) as page,
    ):
        played = Played(page, read(path), pictures_of(path, tmp_path))
        for cell in ("setup", "get-ngrams", "ngram-model", "generate-verse", "explore-context", "hidden-lyrics"):
            assert not failed(played.run(cell)), cell
        assert played.node("explore-context").query_selector(".noUi-handle") is not None
        assert use_every_widget(played) == []


CORNER = """async image => {
  await image.decode();
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  canvas.drawImage(image, 0, 0, 1, 1, 0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""
"""The color of a picture's first point, as it stands on the page."""


def use_every_widget(played: Played) -> list[str]:
    """Use every control of the notebook, by mouse and by keyboard; returns those that change nothing."""
    idle = []
    for cell in played.notebook.cells:
        if cell.cell_type != "code":
            continue
        node = played.node(cell.id)
        for kind, use in CONTROLS.items():
            for number in range(len(node.query_selector_all(kind))):
                control = node.query_selector_all(kind)[number]
                if not control.is_visible() or control.get_attribute("disabled") is not None:
                    continue
                for way in use(played, node, control):
                    idle.append(f"{cell.id}: {kind} {number} by {way}")
        if node.query_selector(".widget-slider, .widget-dropdown, .widget-text"):
            played.picture(cell.id, "-used")
    return idle


def changed(played: Played, node: Any, action: Any) -> bool:
    """Does what a cell shows change after an action? Waits a while for the kernel, before and after."""
    before = settled(played, node)
    action()
    for _ in range(150):
        played.page.wait_for_timeout(50)
        if shown(node) != before:
            return True
    return False


def settled(played: Played, node: Any) -> str:
    """What a cell shows once nothing has changed there for a moment."""
    before = ""
    while before != (now := shown(node)):
        before = now
        played.page.wait_for_timeout(200)
    return before


def shown(node: Any) -> str:
    """What a cell shows, without its controls: these change by themselves before the kernel has answered."""
    return str(node.query_selector(".jp-OutputArea").evaluate(SHOWN))


SHOWN = """area => {
  const copy = area.cloneNode(true);
  const controls = copy.querySelectorAll(".widget-slider, .widget-dropdown, .widget-text, .widget-button");
  controls.forEach(control => control.remove());
  return copy.innerHTML;
}"""


def use_slider(played: Played, node: Any, handle: Any) -> Iterator[str]:
    slider = handle.evaluate_handle("handle => handle.closest('.widget-slider')").as_element()
    now, end = (float(handle.get_attribute(f"aria-value{name}")) for name in ("now", "max"))
    if "/notebooks/" not in played.page.url:  # Notebook 7 takes the arrow keys for itself, and says so in 02
        for key in ("ArrowLeft",) if now == end else ("ArrowRight", "ArrowLeft"):
            if not changed(played, node, lambda key=key: (handle.focus(), played.page.keyboard.press(key))):
                yield f"the key {key}"
    readout = slider.query_selector(".widget-readout")
    if readout is not None and readout.is_visible():
        low = handle.get_attribute("aria-valuemin").removesuffix(".0")
        number = handle.get_attribute("aria-valuemax").removesuffix(".0") if now < end else low
        if not changed(played, node, lambda: (readout.fill(number), played.page.keyboard.press("Enter"))):
            yield "typing a number"
    box = handle.evaluate("handle => handle.closest('.noUi-target').getBoundingClientRect().toJSON()")
    for share in (0.35, 0.65):
        if changed(
            played,
            node,
            lambda share=share: played.page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2),
        ):
            return
    yield "the mouse"


def use_dropdown(played: Played, node: Any, select: Any) -> Iterator[str]:
    values = [option.get_attribute("value") for option in select.query_selector_all("option")]
    if len(values) < 2:
        return
    if not changed(played, node, lambda: (select.focus(), press(played, "Space", "ArrowDown", "Enter"))):
        yield "the keyboard"
    [select] = [one for one in [select, *node.query_selector_all("select")] if one.is_visible()][:1]
    if not changed(played, node, lambda: (select.click(), press(played, "ArrowDown", "Enter"))):
        yield "the mouse"


def press(played: Played, *keys: str) -> None:
    """Press keys with a moment between them, in which a list opens."""
    for key in keys:
        played.page.keyboard.press(key)
        played.page.wait_for_timeout(150)


def use_text(played: Played, node: Any, field: Any) -> Iterator[str]:
    field.click()
    if not changed(played, node, lambda: (played.page.keyboard.type(" zebra"), played.page.keyboard.press("Enter"))):
        yield "typing"


def use_button(played: Played, node: Any, button: Any) -> Iterator[str]:
    if not changed(played, node, button.click):
        yield "the mouse"


CONTROLS = {
    ".noUi-handle": use_slider,
    ".widget-dropdown select": use_dropdown,
    ".widget-text input": use_text,
    ".widget-button": use_button,
}
