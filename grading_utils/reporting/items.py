"""Item analysis: how well each question of an assignment tells the students apart who know more from the others."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from grading_utils.reporting.standings import Standing

LEAST = 10
"""With fewer students the figure is noise, and none is given."""


def discrimination(rows: Sequence[Standing]) -> dict[str, float | None]:
    """The corrected item-total correlation of each question, between -1 and 1.

    Pearson's r between the share of points that students earned on the question and the share that they earned on all
    *other* questions: with the question itself in the total, every question would agree with it a little. Source:
    S. Henrysson, "Correction of item-total correlations in item analysis", Psychometrika 28 (1963), 211-218. Ebel and
    Frisbie (Essentials of Educational Measurement, 5th ed. 1991, chapter 13) call 0.4 and more very good, less than
    0.2 poor; below 0, students who know more do worse, so the question or its check deserves a look.

    Args:
        rows: The submissions of one assignment. Questions that have no score yet in one are left out there.

    Returns:
        By question; None with fewer than `LEAST` students, or where all earned the same.
    """
    names = {cell.grade_id for row in rows for cell in row.cells}
    return {name: _correlation(_pairs(rows, name)) for name in names}


def _pairs(rows: Sequence[Standing], name: str) -> list[tuple[float, float]]:
    """Share on a question, and on all others, of every student who has both."""
    pairs = []
    for row in rows:
        decided = [cell for cell in row.cells if cell.score is not None and cell.max_score > 0]
        own = [cell for cell in decided if cell.grade_id == name]
        rest = [cell for cell in decided if cell.grade_id != name]
        possible = sum(cell.max_score for cell in rest)
        if own and possible > 0:
            share = (own[0].score or 0.0) / own[0].max_score
            pairs.append((share, sum(cell.score or 0.0 for cell in rest) / possible))
    return pairs


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len(pairs) < LEAST:
        return None
    own, rest = zip(*pairs, strict=True)
    if math.isclose(min(own), max(own)) or math.isclose(min(rest), max(rest)):
        return None
    return statistics.correlation(own, rest)
