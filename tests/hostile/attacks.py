"""The attacks as data: what stands in `attacks/*.yaml`, and how each becomes a submission.

An entry has a `name`, says what it is `about`, and hands in the honest solution or, with `base: unanswered`, the
release, changed by any of

* `cells`: sources by `grade_id`, `first` or `last` for a cell of the student's own at either end;
* `tamper`: the name of a function in `tampering.py` that edits the notebook;
* `file`: the name of a function in `beside.py` that puts something in the notebook's place or beside it.

`unsaid` and `shows` are texts that a student must not, or must, get to read.

`earns` names the points that differ from what the base deserves, where an open score counts as no points, and
`status` how grading ends. An attack made of cells
runs to its end and calls `tried()`, unless it is `silent`; it calls `boast(...)` with whatever it got hold of.
`fast` attacks are part of every test run.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from nbformat.v4 import new_code_cell

from ..conftest import cell_named
from .course import POINTS

FOLDER = Path(__file__).parent / "attacks"


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One submission of the hostile class and what it honestly deserves."""

    name: str
    family: str
    about: str
    base: str = "honest"
    cells: dict[str, str] = field(default_factory=dict)
    tamper: str = ""
    file: str = ""
    earns: dict[str, float | None] = field(default_factory=dict)
    status: str = "graded"
    message: str = ""
    """Words that the result's message contains."""
    unsaid: tuple[str, ...] = ()
    """What the messages that the student reads must not hold."""
    shows: tuple[str, ...] = ()
    """What the student's feedback page holds all the same."""
    says: str = ""
    """Words that a cell of the graded notebook says."""
    silent: bool = False
    fast: bool = False
    before: str = ""
    """What it did to the code of c951f83, where it was tried and did anything."""

    def __post_init__(self) -> None:
        assert self.base in ("honest", "unanswered"), self.name
        assert set(self.earns) <= set(POINTS), self.name
        assert bool(self.cells) or bool(self.tamper) or bool(self.file), self.name

    @property
    def must_have_run(self) -> bool:
        """Does a cell of this attack have to say that it ran to its end?"""
        return bool(self.cells) and not self.silent

    @property
    def deserved(self) -> dict[str, float | None]:
        """Points by grade cell; nothing where the submission cannot be graded at all."""
        if self.status == "failed":
            return {}
        answered = self.base == "honest"
        base = POINTS if answered else dict.fromkeys(POINTS, 0)
        return {**base, **self.earns}

    def notebook(self, honest: Any, unanswered: Any, words: dict[str, str]) -> Any:
        """The notebook that is handed in, before any tampering.

        Args:
            honest: The solved notebook.
            unanswered: The released notebook.
            words: Replacements for `@NAME@` in the sources.
        """
        notebook = copy.deepcopy(honest if self.base == "honest" else unanswered)
        for name, source in self.cells.items():
            for word, value in words.items():
                source = source.replace(f"@{word}@", value)
            if name in ("first", "last"):
                notebook.cells.insert(0 if name == "first" else len(notebook.cells), new_code_cell(source))
            else:
                cell_named(notebook, name).source = source
        return notebook


def read_attacks() -> list[Attack]:
    """Every attack of every family, in the order of the files."""
    attacks = [
        Attack(family=path.stem, **entry)
        for path in sorted(FOLDER.glob("*.yaml"))
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]
    names = [attack.name for attack in attacks]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    return attacks
