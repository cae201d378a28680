"""Every instructor notebook keeps the format and the teaching standard of `docs/writing-assignments.md`.

These tests read notebooks, they run nothing.
"""

from __future__ import annotations

import ast
import copy
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.nbgraderformat import MetadataValidator

from grading_utils.authoring.scaffold import ScaffoldSolutions
from grading_utils.course.cells import time_limit

from .notebooks import NOTEBOOKS, ROOT, every_notebook, is_answer, is_check, metadata, read

FILL_IN = "..."


def cleared(notebook: Any) -> dict[str, str]:
    """What students see of every answer cell, by id."""
    release, _ = ScaffoldSolutions()(copy.deepcopy(notebook), {"nbgrader": {}})
    return {cell.id: cell.source for cell in release.cells if is_answer(cell)}


def words(cell: Any) -> str:
    return cell.source if cell.cell_type == "markdown" else ""


def test_there_are_notebooks_to_check() -> None:
    assert NOTEBOOKS


@every_notebook
def test_it_is_a_valid_notebook_of_format_4_5_for_python_3(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert path.stem == path.parent.name


@every_notebook
def test_it_has_a_length_that_fits_one_sitting(path: Path) -> None:
    notebook = read(path)
    lesson = [cell for cell in notebook.cells if cell.id != "progress"]
    assert 25 <= len(lesson) <= 45, f"{len(lesson)} cells"
    minutes = re.search(r"(\d+) minutes", notebook.cells[0].source)
    assert minutes, "the first cell says how many minutes the assignment takes"
    assert 30 <= int(minutes[1]) <= 150


@every_notebook
def test_nothing_is_left_of_a_run(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type == "code":
            assert cell.outputs == [], cell.id
            assert cell.execution_count is None, cell.id


@every_notebook
def test_cell_ids_are_readable_and_are_the_grade_ids(path: Path) -> None:
    for cell in read(path).cells:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id), cell.id
        assert metadata(cell).get("grade_id", cell.id) == cell.id


@every_notebook
def test_students_cannot_edit_what_is_not_theirs(path: Path) -> None:
    for cell in read(path).cells:
        entry = metadata(cell)
        if not entry:
            continue
        assert entry["schema_version"] == 3, cell.id
        assert entry["locked"] is not entry["solution"], f"{cell.id} is either locked or an answer"


@every_notebook
def test_the_first_code_cell_is_the_locked_setup(path: Path) -> None:
    first = next(cell for cell in read(path).cells if cell.cell_type == "code")
    entry = metadata(first)
    assert entry["locked"]
    assert not entry["grade"]
    assert "import" in first.source
    if "from_pretrained" in first.source:
        assert time_limit(first) >= 120, "loading a model may take long on a busy machine"


@every_notebook
def test_without_the_package_the_first_cell_says_in_one_sentence_what_to_install(path: Path) -> None:
    setup = next(cell for cell in read(path).cells if cell.cell_type == "code")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", setup.source],  # without site-packages nothing of ours is there
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""
    said = done.stderr.strip().splitlines()[-1]
    assert said.startswith("AssertionError: This notebook needs the course's package: ")
    assert "`python -m pip install -r requirements.txt`" in said
    assert re.findall(r"[.!?]( |$)", said) == [""], "one sentence"


@every_notebook
def test_points_add_up_to_a_round_number(path: Path) -> None:
    total = sum(metadata(cell).get("points", 0) for cell in read(path).cells)
    assert total > 0
    assert total % 5 == 0, f"{total} points"


@every_notebook
def test_scaffolds_parse_and_leave_something_to_do(path: Path) -> None:
    notebook = read(path)
    for name, source in cleared(notebook).items():
        ast.parse(source)
        assert FILL_IN in source, f"{name} has no blank"


@every_notebook
def test_every_answer_is_checked_right_away(path: Path) -> None:
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    for cell, following in pairwise(code):
        if is_answer(cell):
            assert is_check(following) or is_answer(following), f"{cell.id} is followed by {following.id}"
    assert not is_answer(code[-1])


@every_notebook
def test_every_task_asks_for_a_prediction_and_has_folded_hints(path: Path) -> None:
    notebook = read(path)
    section = ""
    for cell, scaffold in ((cell, cleared(notebook).get(cell.id)) for cell in notebook.cells):
        section += words(cell)
        if scaffold is None:
            continue
        assert "<details>" in section, f"no folded hint before {cell.id}"
        assert re.search("predict", section, re.IGNORECASE), f"no prediction before {cell.id}"
        assert section.count("<details>") == section.count("</details>"), f"a hint before {cell.id} is left open"
        section = ""


@every_notebook
def test_every_assert_of_a_check_has_a_message(path: Path) -> None:
    for cell in filter(is_check, read(path).cells):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Assert):
                assert node.msg is not None, f"{cell.id}, line {node.lineno}: a bare assert teaches nothing"


@every_notebook
def test_checks_are_folded_so_that_the_page_reads_as_a_lesson(path: Path) -> None:
    for cell in filter(is_check, read(path).cells):
        assert cell.metadata.get("jupyter", {}).get("source_hidden") is True, cell.id


@every_notebook
def test_every_check_has_a_title(path: Path) -> None:
    for cell in filter(is_check, read(path).cells):
        assert ast.get_docstring(ast.parse(cell.source)), cell.id


@every_notebook
def test_written_questions_have_a_model_answer_and_a_rubric(path: Path) -> None:
    written = [cell for cell in read(path).cells if cell.cell_type == "markdown" and metadata(cell).get("grade")]
    assert written, "at least one reflection question"
    for cell in written:
        assert "**Rubric**" in cell.source, cell.id
        assert "**Model answer.**" in cell.source, cell.id
        assert "point" in cell.source.split("**Rubric**")[1], cell.id


@every_notebook
def test_pictures_are_local(path: Path) -> None:
    for cell in read(path).cells:
        assert not re.search(r"!\[[^]]*\]\(http|<img[^>]+src=.http", words(cell)), cell.id


@every_notebook
def test_links_to_other_notebooks_are_relative_and_lead_into_the_course(path: Path) -> None:
    text = "\n".join(map(words, read(path).cells))
    links = re.findall(r"\]\((\.\./[^)#]+\.ipynb)", text)
    assert links or path == NOTEBOOKS[-1], "a link to the next notebook"
    for link in links:
        target = (path.parent / link).resolve()
        assert target.parent.parent == ROOT / "source", link
        assert target.stem == target.parent.name, link
