"""A class in one Markdown table, for the page that a CI job ends with.

Ids and statuses only, escaped: nothing that a student wrote can make a heading, a link or a workflow command here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from grading_utils.reporting.records import in_order
from grading_utils.reporting.standings import Standing

MOST_BYTES = 900_000
"""GitHub drops a summary of more than 1 MiB."""

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+.!|~:&$@-])")


def summary(standings: Iterable[Standing]) -> str:
    """The table, cut with a word about it where it would be too long."""
    lines = ["| assignment | student | status | points | of | waits for a person |", "|---|---|---|---:|---:|---:|"]
    size = 0
    told = in_order(standings)
    for number, standing in enumerate(told):
        cells = (
            _plain(standing.assignment), _plain(standing.student), str(standing.status),
            f"{standing.score:.10g}", f"{standing.max_score:.10g}", str(len(standing.waiting)),
        )  # fmt: skip
        line = f"| {' | '.join(cells)} |"
        size += len(line.encode()) + 1
        if size > MOST_BYTES:
            lines.append(f"\n{len(told) - number} more rows are left out; the CSV has them all.")
            break
        lines.append(line)
    return "\n".join(lines) + "\n"


def write_summary(standings: Iterable[Standing], path: Path) -> None:
    """Add the table to a file, which a CI platform may have begun."""
    with path.open("a", encoding="utf-8") as file:
        file.write(summary(standings))


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    printable = "".join(character if character.isprintable() else "�" for character in text[:200])
    return _MARKDOWN.sub(r"\\\1", printable)
