"""Does a release give anything away? Compares every secret line of the source with every word of the release.

Secret are: lines of solutions that no scaffold shows, lines of hidden tests, mark schemes, and model answers. Lines
too plain to give anything away (`return x`, `else:`) do not count.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from grading_utils.course.cells import nbgrader_metadata

_REGIONS = (
    (re.compile("BEGIN SOLUTION"), re.compile("SCAFFOLD|END SOLUTION"), "a solution"),
    (re.compile("BEGIN HIDDEN TESTS"), re.compile("END HIDDEN TESTS"), "a hidden test"),
    (re.compile("BEGIN MARK SCHEME"), re.compile("END MARK SCHEME"), "a mark scheme"),
)
_MARKERS = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)|### SCAFFOLD")
_SHORTEST = 12
"""Characters without spaces that a line must have to give something away."""
_PLAIN = re.compile(
    r"""^(import .*|from .* import .*|return( \w+)?|(el)?if .{0,8}:|else:|try:|for \w+ in \w+:|\w+ = \[\]"""
    r"""|[\])}'",]+|[\w.]+[(,]|[\w.]+ = [\w.]+\()$"""
)


@dataclass(frozen=True)
class Leak:
    """One secret line that a student could read."""

    line: str
    kind: str
    where: str

    def __str__(self) -> str:
        return f"{self.where} shows {self.kind}: {self.line!r}"


def find_leaks(source: Any, release: Any) -> list[Leak]:
    """Every secret line of an instructor's notebook that its release shows.

    Args:
        source: The instructor's notebook.
        release: The student's notebook made from it.
    """
    secrets = secret_lines(source)
    leaks = []
    for number, cell in enumerate(release.cells, start=1):
        where = f"cell {cell.get('id') or number}"
        text = cell.source
        lines = {_squeeze(line) for line in text.split("\n")}
        whole = _squeeze(json.dumps([cell.get("outputs"), cell.get("attachments"), cell.metadata]))
        leaks += [
            Leak(line, kind, where)
            for squeezed, (line, kind) in secrets.items()
            if squeezed in lines or any(squeezed in other for other in lines) or squeezed in whole
        ]
        if marker := _MARKERS.search(text):
            leaks.append(Leak(marker.group(), "an author's marker", where))
    whole = _squeeze(json.dumps(release.metadata))
    leaks += [
        Leak(line, kind, "the notebook's metadata") for squeezed, (line, kind) in secrets.items() if squeezed in whole
    ]
    return leaks


def secret_lines(source: Any) -> dict[str, tuple[str, str]]:
    """Lines of a source notebook that no student may read: squeezed text → (line, what it belongs to)."""
    secrets: dict[str, tuple[str, str]] = {}
    for cell in source.cells:
        kind: str | None = None
        end: re.Pattern[str] | None = None
        whole_is_secret = bool(nbgrader_metadata(cell).get("solution")) and "BEGIN SOLUTION" not in cell.source
        for line in cell.source.split("\n"):
            opened = next(((stop, name) for start, stop, name in _REGIONS if start.search(line)), None)
            if opened:
                end, kind = opened
            elif end is not None and end.search(line):
                end, kind = None, None
            elif kind or whole_is_secret:
                squeezed = _squeeze(line)
                if len(squeezed) >= _SHORTEST and not _PLAIN.match(line.strip()) and not line.strip().startswith("#"):
                    secrets.setdefault(squeezed, (line.strip(), kind or "a solution"))
    for shown in _scaffold_lines(source):
        secrets.pop(shown, None)
    return secrets


def _scaffold_lines(source: Any) -> set[str]:
    """What scaffolds show on purpose, squeezed."""
    shown: set[str] = set()
    for cell in source.cells:
        inside = False
        for line in cell.source.split("\n"):
            if "### SCAFFOLD" in line:
                inside = True
            elif "END SOLUTION" in line:
                inside = False
            elif inside:
                shown.add(_squeeze(re.sub(r"^\s*# ?", "", line)))
    return shown


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)
