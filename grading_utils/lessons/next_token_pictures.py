"""Pictures and tables of next tokens, with every space to be seen.

What is drawn is a table as students build it, with the columns `tokens` and `probabilities`. Nothing here runs a
model or makes a probability out of a score; a table that is not finished yet is answered with a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from grading_utils.lessons.showing import figure_html, show

_COLUMNS = ("tokens", "probabilities")
_UNFINISHED = "Nothing to show yet: a table with the columns 'tokens' and 'probabilities' is needed."


def print_favorites(scores: Any, tokenizer: Any, count: int = 3) -> None:
    """Print the tokens with the highest scores.

    Args:
        scores: a tensor of shape [vocabulary]; of anything else, nothing is printed.
        tokenizer: turns ids into text.
        count: how many tokens.
    """
    if not isinstance(scores, torch.Tensor) or scores.ndim != 1 or len(scores) < count:
        return
    found = scores.topk(count)
    texts = [f"{tokenizer.decode([int(place)])!r} ({float(value):.1f})" for value, place in zip(*found, strict=True)]
    print("highest scores:", ", ".join(texts))


def token_table(table: Any) -> Styler | None:
    """Return a table of tokens for display: tokens in quotes, larger probabilities darker."""
    if not _is_finished(table):
        print(_UNFINISHED)
        return None
    styled = table.style.format({"tokens": repr, "probabilities": "{:.4f}"}).hide(axis="index")
    shaded: Styler = styled.background_gradient(subset=["probabilities"])
    return shaded


def draw_distributions(tables: Mapping[str, Any]) -> None:
    """Draw the tables of several prompts below each other, all on one scale.

    Args:
        tables: prompt → table of its most likely tokens.
    """
    finished = {prompt: table for prompt, table in tables.items() if _is_finished(table)}
    if not finished:
        print(_UNFINISHED)
        return
    parts = [
        f"after {prompt!r} {table['tokens'].iloc[0]!r} comes first, with {float(table['probabilities'].iloc[0]):.0%}"
        for prompt, table in finished.items()
    ]
    show(figure_html(distributions(finished), "Bar charts: " + "; ".join(parts) + "."))


def distributions(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Return the figure that `draw_distributions` shows: one panel for each prompt, one bar for each token."""
    lengths = [len(table) for table in tables.values()]
    figure = Figure(figsize=(7.5, 0.24 * sum(lengths) + 0.6 * len(tables)), layout="constrained")
    panels = figure.subplots(len(tables), 1, sharex=True, squeeze=False, height_ratios=lengths)[:, 0]
    longest = max(float(table["probabilities"].max()) for table in tables.values())
    for axes, (prompt, table) in zip(panels, tables.items(), strict=True):
        chances = [float(chance) for chance in table["probabilities"]]
        bars = axes.barh(range(len(chances)), chances, color="steelblue")
        axes.bar_label(bars, [f"{chance:.1%}" for chance in chances], padding=3, fontsize=8)
        axes.set_yticks(range(len(chances)), [repr(token) for token in table["tokens"]], fontsize=9)
        axes.invert_yaxis()
        axes.set_title(f"{prompt!r}: these {len(chances)} together {sum(chances):.0%}", fontsize=9, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_visible(False)
    panels[0].set_xlim(0, 1.12 * longest)  # one scale for all panels, with room for the labels
    return figure


def _is_finished(table: Any) -> bool:
    if not isinstance(table, pd.DataFrame) or not set(_COLUMNS) <= set(table.columns) or table.empty:
        return False
    return all(_is_number(chance) for chance in table["probabilities"])


def _is_number(value: Any) -> bool:
    try:
        return float(value) == float(value)
    except (TypeError, ValueError):
        return False
