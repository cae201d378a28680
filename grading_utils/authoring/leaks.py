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
from grading_utils.course.regions import Grammar

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


def find_leaks(source: Any, release: Any, grammar: Grammar) -> list[Leak]:
    """Every secret line of an instructor's notebook that its release shows.

    Args:
        source: The instructor's notebook.
        release: The student's notebook made from it.
        grammar: How the course marks what is secret.
    """
    secrets = secret_lines(source, grammar)
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
        leaks += [
            Leak(marker, "an author's marker", where) for marker in map(grammar.marker_in, text.split("\n")) if marker
        ]
    whole = _squeeze(json.dumps(release.metadata))
    leaks += [
        Leak(line, kind, "the notebook's metadata") for squeezed, (line, kind) in secrets.items() if squeezed in whole
    ]
    return leaks


def secret_lines(source: Any, grammar: Grammar) -> dict[str, tuple[str, str]]:
    """Lines of a source notebook that no student may read: squeezed text → (line, what it belongs to)."""
    secrets: dict[str, tuple[str, str]] = {}
    shown: set[str] = set()
    for cell in source.cells:
        lines = cell.source.split("\n")
        solutions = grammar.solutions(cell.source)
        if nbgrader_metadata(cell).get("solution") and not solutions:
            answers = [range(1, len(lines) + 1)]
        else:
            answers = [region.answer for region in solutions]
        regions = [(numbers, "a solution") for numbers in answers]
        for markers, kind in ((grammar.hidden_tests, "a hidden test"), (grammar.mark_scheme, "a mark scheme")):
            regions += [(range(first + 1, last), kind) for first, last in markers.ranges(cell.source)]
        for number, line in enumerate(lines, start=1):
            kind = next((kind for numbers, kind in regions if number in numbers), "")
            squeezed = _squeeze(line)
            if kind and len(squeezed) >= _SHORTEST and not _is_plain(line):
                secrets.setdefault(squeezed, (line.strip(), kind))
            if any(number in region.shown for region in solutions):
                shown.add(_squeeze(re.sub(r"^\s*# ?", "", line)))
    return {squeezed: secret for squeezed, secret in secrets.items() if squeezed not in shown}


def _is_plain(line: str) -> bool:
    return line.strip().startswith("#") or _PLAIN.match(line.strip()) is not None


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)
