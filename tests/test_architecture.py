"""The tables of docs/architecture.md say who imports whom: exactly what the import graph says."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import grimp
import pytest

from .conftest import ROOT


def table(*, rooms: bool) -> dict[str, set[str]]:
    """What the page says a folder, or a room of `boundary/`, imports."""
    said: dict[str, set[str]] = {}
    for line in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines():
        columns = [column.strip() for column in line.strip().strip("|").split("|")]
        names = re.findall(r"`([\w/.]+?)(?:/|\.py)`", columns[0])
        if len(columns) != 3 or not names or all("/" in name for name in names) != rooms:
            continue
        for name in names:
            said[name.rpartition("/")[2]] = set(re.findall(r"`(\w+)`", columns[2]))
    return said


def graph(*, depth: int) -> dict[str, set[str]]:
    """What folders (depth 1) or rooms of `boundary/` (depth 2) import of each other."""
    found: dict[str, set[str]] = defaultdict(set)
    imports = grimp.build_graph("grading_utils", exclude_type_checking_imports=True)
    for module in imports.modules:
        here = module.split(".")
        if len(here) <= depth or (depth == 2 and here[1] != "boundary"):
            continue
        found[here[depth]] |= set()
        for other in imports.find_modules_directly_imported_by(module):
            there = other.split(".")
            if len(there) > depth and there[:depth] == here[:depth] and there[depth] != here[depth]:
                found[here[depth]].add(there[depth])
    return dict(found)


def test_the_table_of_folders_is_the_import_graph() -> None:
    assert table(rooms=False) == graph(depth=1)


def test_the_table_of_rooms_is_the_import_graph() -> None:
    assert table(rooms=True) == graph(depth=2)


@pytest.mark.parametrize("path", sorted((ROOT / "grading_utils").rglob("*.py")), ids=lambda path: path.name)
def test_no_module_is_long_and_each_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    assert ast.get_docstring(ast.parse(text))
