"""How long an assignment takes, by the rule that docs/course.md states."""

from __future__ import annotations

import copy
import re
from typing import Any

from grading_utils.authoring.scaffold import ScaffoldSolutions
from grading_utils.course.cells import nbgrader_metadata

from .notebooks import is_answer

WORDS, LINES = 120, 15
"""Words of text and lines of locked code that are read in a minute."""
BLANK, TASK, PREDICTION, WRITTEN, PLAY = 1, 2, 1, 5, 2
"""Minutes for a blank, for running and mending a task, for a prediction, a written answer, a free cell."""


def minutes_by_the_rule(notebook: Any) -> float:
    """Minutes for a student who reads everything but the folded parts and the checks, and does every task."""
    release, _ = ScaffoldSolutions()(copy.deepcopy(notebook), {"nbgrader": {}})
    total = 0.0
    for cell in release.cells:
        entry = nbgrader_metadata(cell)
        if is_answer(cell):
            total += TASK + BLANK * cell.source.count("...")
        elif cell.cell_type == "markdown" and entry.get("solution"):
            total += WRITTEN
        elif cell.cell_type == "markdown" and entry:
            text = re.sub(r"<details>.*?</details>", "", cell.source, flags=re.DOTALL)
            total += len(text.split()) / WORDS + PREDICTION * text.count("**Predict")
        elif not entry:
            total += PLAY
        elif (
            not entry.get("grade") and cell.id != "setup" and not cell.metadata.get("jupyter", {}).get("source_hidden")
        ):
            total += sum(bool(line.strip()) for line in cell.source.split("\n")) / LINES
    return total
