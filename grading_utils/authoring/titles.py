"""Points that a heading promises, compared with those of the graded cells below it.

`### Question 1 (2 points)` speaks of all graded cells up to the next heading of its own level or a higher one. Without
points in it, or without graded cells below it, a heading promises nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.cells import is_graded, nbgrader_metadata

_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_POINTS = re.compile(r"[(\[]\s*(\d+(?:[.,]\d+)?)\s*(?:points?|pts?\.?|marks?)\s*[)\]]", re.IGNORECASE)
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


def wrong_titles(folder: Path) -> list[str]:
    """What to say of each heading in an assignment's notebooks that promises other points than its cells give."""
    return [
        f"{path.name}: the heading {title!r} has graded cells of {worth:g} points below it"
        for path in sorted(folder.glob("*.ipynb"))
        for title, worth in _wrong(nbformat.read(path, as_version=4).cells)
    ]


def _wrong(cells: list[Any]) -> Iterator[tuple[str, float]]:
    open_ones: list[tuple[int, str, float, list[float]]] = []
    done: list[tuple[str, float, list[float]]] = []
    for cell in cells:
        for level, title in _headings(cell):
            done += [(text, promised, found) for depth, text, promised, found in open_ones if depth >= level]
            open_ones = [one for one in open_ones if one[0] < level]
            if match := _POINTS.search(title):
                open_ones.append((level, title, float(match[1].replace(",", ".")), []))
        if is_graded(cell):
            for *_, found in open_ones:
                found.append(float(nbgrader_metadata(cell)["points"]))
    done += [(text, promised, found) for _, text, promised, found in open_ones]
    for text, promised, found in done:
        if found and abs(sum(found) - promised) > 1e-6:
            yield text, sum(found)


def _headings(cell: Any) -> Iterator[tuple[int, str]]:
    if cell.cell_type != "markdown":
        return
    fenced = False
    for line in cell.source.splitlines():
        fenced ^= bool(_FENCE.match(line))
        if not fenced and (match := _HEADING.match(line)):
            yield len(match[1]), match[2]
