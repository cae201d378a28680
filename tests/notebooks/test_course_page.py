"""`docs/course.md` says what is in the notebooks: minutes, points, and how many mistakes are planted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from grading_utils.authoring.mutants import mutants_of
from grading_utils.course.regions import Grammar

from .minutes import BLANK, LINES, PLAY, PREDICTION, TASK, WORDS, WRITTEN, minutes_by_the_rule
from .notebooks import NOTEBOOKS, ROOT, is_answer, metadata, read

ROWS = {
    cells[0].strip("[").partition("]")[0]: cells
    for line in (ROOT / "docs" / "course.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| [")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_every_assignment_has_its_row() -> None:
    assert list(ROWS) == [path.stem for path in NOTEBOOKS]


@every_notebook
def test_minutes_of_sections_title_and_page_agree(path: Path) -> None:
    title, *texts = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    stated = re.search(r"About (\d+) minutes", title)
    assert stated is not None
    sections = [int(number) for text in texts for number in re.findall(r"\((\d+) minutes\)", text)]
    assert str(sum(sections)) == stated[1] == ROWS[path.stem][2]


@every_notebook
def test_minutes_are_what_the_stated_rule_gives_and_fit_a_double_lesson(path: Path) -> None:
    found = minutes_by_the_rule(read(path))
    assert abs(found - int(ROWS[path.stem][2])) <= 3, f"{found:.0f} minutes by the rule"
    assert int(ROWS[path.stem][2]) <= 90, "no notebook takes longer than a double lesson: trim it"


def test_the_page_states_the_rule() -> None:
    page = " ".join((ROOT / "docs" / "course.md").read_text(encoding="utf-8").split())
    assert f"{WORDS} words of text or {LINES} lines of code a minute" in page
    assert f"{BLANK} minute for each blank, {TASK} for running and mending each task" in page
    assert "Folded hints, folded code, checks and the stretch task are not counted." in page
    assert f"{PREDICTION} for each prediction, {WRITTEN} for each written answer, {PLAY} for each cell of" in page


@every_notebook
def test_points_of_cells_title_and_page_agree(path: Path) -> None:
    notebook = read(path)
    graded = [metadata(cell) for cell in notebook.cells if metadata(cell).get("grade")]
    written = sum(entry["points"] for entry in graded if entry["solution"])
    total = sum(entry["points"] for entry in graded)
    assert f"{total:g} points: {total - written:g} checked automatically, {written:g} for" in notebook.cells[0].source
    assert ROWS[path.stem][3] == f"{total:g} ({written:g})"


@every_notebook
def test_the_page_counts_all_mistakes_that_are_planted(path: Path) -> None:
    listed = ROOT / "mutants" / f"{path.stem}.yaml"
    entries = yaml.safe_load(listed.read_text(encoding="utf-8")) if listed.exists() else []
    harmless = {(entry["cell"], entry["before"], entry["becomes"]) for entry in entries}
    planted = [(cell.id, m) for cell in filter(is_answer, read(path).cells) for m in mutants_of(cell.source, Grammar())]
    mistakes = sum((cell, m.before, m.changed_line) not in harmless for cell, m in planted)
    assert ROWS[path.stem][5] == f"{mistakes} of {mistakes}"


SOURCES = {"lyrics app", "Markov sampler", "SmolLM2 introduction", "next-token task", "practical guide"}


@every_notebook
def test_the_page_counts_the_predictions_that_a_cell_resolves(path: Path) -> None:
    sources = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    made = sum("# My prediction" in source for source in sources)
    resolved = sum("show_prediction(" in source for source in sources)
    assert ROWS[path.stem][7] == f"{resolved} of {made}"
    assert resolved == made


def test_every_element_of_the_sources_is_in_the_cell_that_the_page_names() -> None:
    page = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| `(\d\d)/([a-z0-9-]+)` \| ([^|]+) \|$", page, re.MULTILINE)
    stated = re.search(r"They have (\d+) elements", page)
    assert stated is not None
    assert len({(source, element) for source, element, *_ in rows}) == len(rows) == int(stated[1]) >= 130
    assert {source for source, *_ in rows} == SOURCES
    notebooks = {
        path.stem[:2]: {cell.id: " ".join(cell.source.split()) for cell in read(path).cells} for path in NOTEBOOKS
    }
    lost = [row for row in rows if row[4] not in notebooks[row[2]].get(row[3], "")]
    assert lost == []
