"""Draw probabilities over words as horizontal bars, one panel per situation, side by side.

The probabilities are given; this module does not compute or normalize them.
"""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from grading_utils.lessons.lyrics import token_label


def draw_share_bars(panels: Mapping[str, Mapping[str, float]], *, title: str = "") -> Figure:
    """Draw one panel of bars per distribution, all on the scale from 0 to 1.

    Args:
        panels: title of the panel → {word: probability}, drawn in the order given.
        title: written above all panels.

    Raises:
        ValueError: if there is nothing to draw.
    """
    if not panels:
        raise ValueError("no distribution to draw")
    rows = max(len(shares) for shares in panels.values())
    figure = Figure(figsize=(2.7 * len(panels) + 0.5, 0.33 * rows + 1.2), layout="constrained")
    if title:
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
    for number, (name, shares) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), number)
        labels = [token_label(word) for word in shares]
        values = [float(share) for share in shares.values()]
        bars = axes.barh(range(len(labels)), values, color="#1f5a8a")
        axes.bar_label(bars, [f"{value:.0%}" for value in values], padding=3, fontsize=8)
        axes.set_yticks(range(len(labels)), labels, fontsize=9)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.18)
        axes.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
        axes.set_title(name, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def describe_shares(panels: Mapping[str, Mapping[str, float]]) -> str:
    """Return the bars as a sentence, for those who cannot see them."""
    parts = []
    for name, shares in panels.items():
        listed = ", ".join(f"{token_label(word)} {float(share):.0%}" for word, share in shares.items())
        parts.append(f"{name}: {listed}")
    return "Bar charts. " + "; ".join(parts) + "."
