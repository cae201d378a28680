"""Which of the files that were handed in is which notebook of the assignment.

Learning platforms and operating systems change names on the way: `hw.ipynb.txt`, `HW.IPYNB`, `hw.json`, a folder
around the folder, accents taken apart. Where only the name differs in such a way, the file is the notebook. Where a
student chose another name, it is the notebook if nothing else can be meant, and a person is told. Decides by names
only; whether a file is a notebook is for `reading` to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from grading_utils.intake.folder import Entry

_ADDED = re.compile(r"(\.ipynb)(\.(txt|json|html?|download))+$")
_TEXT = re.compile(r"\.(json|txt)$")


@dataclass
class Naming:
    """Which entry is which notebook.

    Attributes:
        notebooks: Entries by the name of the notebook, without `.ipynb`.
        place: The folder that they lie in, which is where the student ran them.
        attention: Guesses that a person should look at.
        repairs: Names that were changed on the way.
    """

    notebooks: dict[str, Entry] = field(default_factory=dict)
    place: PurePosixPath = field(default_factory=PurePosixPath)
    attention: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)

    def missing(self, expected: Iterable[str]) -> list[str]:
        """Names of notebooks that were not found, sorted."""
        return sorted(set(expected) - set(self.notebooks))


def find_notebooks(entries: list[Entry], expected: set[str]) -> Naming:
    """Find the notebooks of an assignment.

    Args:
        entries: What was handed in.
        expected: Names of the notebooks, without `.ipynb`.
    """
    naming = Naming()
    for name in sorted(expected):
        meant = [entry for entry in entries if _stem(entry) == _plain(name)]
        if not meant:
            continue
        chosen, *others = sorted(meant, key=lambda entry: _distance(entry, name))
        naming.notebooks[name] = chosen
        if str(chosen.name) != f"{name}.ipynb":
            naming.repairs.append(f"the notebook was handed in as {chosen.name}")
        for other in filter(_is_notebook, others):
            notes = naming.attention if other.name.parent == chosen.name.parent else naming.repairs
            notes.append(f"{other.name} was handed in too, and was not graded")
    others = [entry for entry in entries if _is_notebook(entry) and _stem(entry) not in map(_plain, expected)]
    places = [entry.name.parent for entry in (*naming.notebooks.values(), *others)]
    if places:
        naming.place = min(places, key=lambda place: len(place.parts))
    _guess(naming, expected, [entry for entry in others if entry.name.parent == naming.place])
    return naming


def _distance(entry: Entry, name: str) -> tuple[bool, bool, int, bool]:
    """What is nearest to what was asked for: a file, with a notebook's ending, not deep in a folder, named exactly."""
    return not entry.is_file, not _is_notebook(entry), len(entry.name.parts), entry.name.name != f"{name}.ipynb"


def _guess(naming: Naming, expected: set[str], strange: list[Entry]) -> None:
    """Take notebooks with other names for the missing ones, as far as nothing else can be meant."""
    for name in naming.missing(expected):
        alike = [entry for entry in strange if _letters(name) in _letters(_stem(entry))]
        if len(naming.missing(expected)) == len(strange) == 1:
            alike = strange
        if len(alike) == 1:
            naming.notebooks[name] = alike[0]
            strange = [entry for entry in strange if entry is not alike[0]]
            naming.attention.append(f"the notebook is named {alike[0].name} instead of {name}.ipynb; it was graded")
    if strange:
        listed = ", ".join(str(entry.name) for entry in strange[:10])
        naming.attention.append(f"not part of the assignment, and not graded: {listed}")


def _is_notebook(entry: Entry) -> bool:
    return _ADDED.sub(r"\1", _plain(entry.name.name)).endswith(".ipynb")


def _stem(entry: Entry) -> str:
    """The name without endings, in one spelling; the name itself where it has no ending that a notebook may get."""
    name = _ADDED.sub(r"\1", _plain(entry.name.name))
    return name.removesuffix(".ipynb") if name.endswith(".ipynb") else _TEXT.sub("", name)


def _letters(name: str) -> str:
    """A name without what platforms put in place of spaces and signs."""
    return "".join(filter(str.isalnum, _plain(name)))


def _plain(name: str) -> str:
    """A name in one spelling: composed accents, small letters, no spaces around it."""
    return unicodedata.normalize("NFC", name).casefold().strip()
