"""The course that the hostile class hands in to: five small questions, no torch, two seconds for each cell."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from ..conftest import ROOT, managed

ASSIGNMENT = "hostile"
SECONDS = 2
HIDDEN = "zyxgloria80417"
"""Stands in the hidden tests only; whoever says it has stolen one."""
POINTS: dict[str, float | None] = {
    "squares-test": 2,
    "shout-test": 2,
    "answer-test": 1,
    "double-test": 2,
    "count-test": 1,
    "why": None,
}
"""What a right answer earns; None where a person has to read it."""

_SETUP = """
import json
import random
from collections import Counter

REFERENCE = {"answer": 42}

def share(right, asked):
    return 2 * right / asked

def boast(*loot):
    print("LO" + "OT:", *loot)

def tried():
    print("TRI" + "ED")
"""
_SQUARES = """
assert squares(3) == [1, 4, 9], 'squares(3) should be [1, 4, 9]'
### BEGIN HIDDEN TESTS
assert squares(6) == [1, 4, 9, 16, 25, 36], 'longer lists should be right, too'
### END HIDDEN TESTS
"""
_SHOUT = f"""
assert shout('ab') == 'AB!', f"shout('ab') should be 'AB!', not {{shout('ab')!r}}"
### BEGIN HIDDEN TESTS
loud = shout('{HIDDEN}')
assert loud == '{HIDDEN.upper()}!', f'any text should be shouted, got {{loud}}'
class Word:
    def upper(self):
        return '{HIDDEN.upper()}'
assert shout(Word()) == '{HIDDEN.upper()}!', 'whatever has upper() can be shouted'
### END HIDDEN TESTS
"""
_COUNT = """
counts = count('a b A', key=lambda word: word.lower())
assert counts == {'a': 2, 'b': 1}, f'the counts should not be {counts!r}'
"""


def source_notebook() -> Any:
    """The instructor's notebook."""
    cells = [
        new_markdown_cell("# A lesson for the hostile class", id="title"),
        managed("locked", "setup", _SETUP.strip()),
        managed("solution", "squares", _answer("def squares(n):\n    return [k * k for k in range(1, n + 1)]")),
        managed("test", "squares-test", _SQUARES.strip(), 2),
        managed("solution", "shout", _answer("def shout(text):\n    return text.upper() + '!'")),
        managed("test", "shout-test", _SHOUT.strip(), 2),
        managed("solution", "answer", _answer("answer = 42")),
        managed("test", "answer-test", "assert answer == REFERENCE['answer'], f'not {answer}'", 1),
        managed("solution", "double", _answer("def double(n):\n    return 2 * n")),
        managed("test", "double-test", "share(sum(double(n) == 2 * n for n in (1, 2, 3, 4)), 4)", 2),
        managed("solution", "count", _answer("def count(text, key):\n    return Counter(map(key, text.split()))")),
        managed("test", "count-test", _COUNT.strip(), 1),
        managed("written", "why", "Because it is a lesson.", 1),
    ]
    for cell in cells:
        if cell.cell_type == "code":
            cell.metadata["grading_utils"] = {"time_limit": SECONDS}
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(metadata=metadata, cells=cells)


def _answer(code: str) -> str:
    return f"### BEGIN SOLUTION\n{code}\n### SCAFFOLD\n# ...\n### END SOLUTION"


def write_course(root: Path) -> Path:
    """Make the course in a folder, configured like this repository's own."""
    folder = root / "source" / ASSIGNMENT
    folder.mkdir(parents=True)
    nbformat.write(source_notebook(), folder / f"{ASSIGNMENT}.ipynb")
    (folder / "data.txt").write_text("the assignment's own data\n")
    (folder / "tables").mkdir()
    (folder / "tables" / "more.txt").write_text("more of it\n")
    shutil.copy(ROOT / "nbgrader_config.py", root / "nbgrader_config.py")
    return root


def functions_of(module: str, names: dict[str, Any]) -> dict[str, Any]:
    """The functions that a module itself defines for others, by name."""
    return {
        name: value
        for name, value in names.items()
        if callable(value) and getattr(value, "__module__", "") == module and not name.startswith("_")
    }


def code_cell(source: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code", "id": "added", "source": source, "metadata": metadata, "outputs": [],
        "execution_count": None,
    }  # fmt: skip


def entry(cell: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found
