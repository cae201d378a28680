"""Every sentence of docs/security.md is tied, by `security.yaml`, to what would notice that it is no longer true."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from grading_utils.boundary.tester.loops import MOST_AT_ONCE
from grading_utils.boundary.tester.notebook import MAX_FRESH_STARTS
from grading_utils.boundary.tester.wording import Allowance
from grading_utils.sandbox import students
from grading_utils.sandbox.policy import Policy

from .conftest import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TESTS = ROOT / "tests"
TABLE = yaml.safe_load((TESTS / "security.yaml").read_text(encoding="utf-8"))
BEGINNINGS = [*TABLE["promises"], *(beginning for group in TABLE["no_promises"].values() for beginning in group)]


def sentences(page: str) -> list[str]:
    """The sentences and rows of a page, without headings, headlines in bold and blocks of commands."""
    text = re.sub(r"^```.*?^```$|^#.*?$|^\|---.*?$|\*\*.+?\*\*", "", page, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"\n\s*\n|\n(?=\||- )", text)
    found = [
        piece for part in parts for piece in re.split(r"(?<=[.!?])\s+(?=[A-Z*`])", part.strip().removeprefix("- "))
    ]
    return [" ".join(sentence.split()) for sentence in found if sentence.strip()]


@cache
def names_in(path: Path) -> set[str]:
    """The names of tests in a Python file, or of entries in a file of data."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        return {entry["name"] for entry in yaml.safe_load(text)}
    return {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}


def test_every_sentence_is_in_the_table_once() -> None:
    for sentence in sentences(PAGE):
        assert len([beginning for beginning in BEGINNINGS if sentence.startswith(beginning)]) == 1, sentence


def test_the_table_has_no_other_sentences() -> None:
    said = sentences(PAGE)
    assert [beginning for beginning in BEGINNINGS if sum(s.startswith(beginning) for s in said) != 1] == []


@pytest.mark.parametrize("beginning", TABLE["promises"])
def test_what_a_promise_is_shown_by_exists(beginning: str) -> None:
    shown = TABLE["promises"][beginning]
    assert shown
    for reference in shown:
        file, _, name = reference.partition("::")
        assert (TESTS / file).is_file(), reference
        assert not name or name in names_in(TESTS / file), reference


def test_numbers_between_the_words_are_those_that_hold() -> None:
    assert MAX_FRESH_STARTS == 6
    assert "after six such restarts" in " ".join(PAGE.split())
    assert f"a notebook takes {Policy().patience:g} times" in " ".join(PAGE.split())
    assert f"up to {1 / students._LOOK_AT_MANY_EVERY:g} times a second" in PAGE
    assert f"learns up to {MOST_AT_ONCE} of them" in " ".join(PAGE.split())
    doors = yaml.safe_load((TESTS / "hostile" / "doors.yaml").read_text(encoding="utf-8"))
    assert sum(len(entry["attacks"]) for entry in doors) > 120  # "well over 100"
    assert f"have said {Allowance().bits:g} bits" in " ".join(PAGE.split())
