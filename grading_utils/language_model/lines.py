"""The table of an evaluation: its lines, as text and as JSON. Measures nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

EVALUATION_FILE = "evaluation.json"


@dataclass(frozen=True)
class Line:
    """One line of the evaluation table."""

    name: str
    value: float | None
    wanted: str
    passed: bool | None = None
    """None for what is only reported."""
    detail: str = ""


def render(lines: Sequence[Line]) -> str:
    """The table as text: verdict, name, value, what was wanted, detail."""
    rows = []
    for line in lines:
        verdict = {True: "pass", False: "falls short", None: ""}[line.passed]
        value = "" if line.value is None else f"{line.value:.2f}" if line.value < 10 else f"{line.value:.0f}"
        rows.append(f"{verdict:<12}{line.name:<62}{value:>6}  {line.wanted}")
        if line.detail:
            rows.append(f"{'':<14}{line.detail}")
    short = sum(line.passed is False for line in lines)
    passed = sum(line.passed is True for line in lines)
    return "\n".join([*rows, "", f"{passed} lines pass, {short} fall short, the others are reported only."])


def write_json(lines: Sequence[Line], path: Path) -> None:
    """Write the table for other tools."""
    path.write_text(json.dumps([asdict(line) for line in lines], indent=1, ensure_ascii=False) + "\n", "utf-8")
