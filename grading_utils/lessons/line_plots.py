"""Draw a few curves over one axis, with a mark at each computed value and a legend.

The numbers are given; nothing is computed, smoothed or interpolated here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure


def draw_lines(
    x: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log_x: bool = False,
) -> Figure:
    """Draw one line per curve; values that are not finite leave a gap.

    Args:
        x: positions, the same for all curves.
        curves: label → values, one value per position.
        xlabel: what the positions are.
        ylabel: what the values are.
        title: written above the picture.
        log_x: put the positions on a logarithmic scale.

    Raises:
        ValueError: if a curve does not have one value per position.
    """
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for label, values in curves.items():
        if len(values) != len(x):
            raise ValueError(f"the curve {label!r} has {len(values)} values for {len(x)} positions")
        heights = [float(value) if math.isfinite(value) else math.nan for value in values]
        axes.plot(x, heights, marker="o", markersize=4, label=label)
    if log_x:
        axes.set_xscale("log")
        axes.set_xticks(list(x), [f"{value:g}" for value in x], fontsize=8)
        axes.minorticks_off()
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_ylim(bottom=0)
    axes.set_title(title, fontsize=11, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if len(curves) > 1:
        axes.legend(frameon=False, fontsize=9)
    return figure


def describe_lines(x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str) -> str:
    """Return first and last value of every curve as a sentence, for those who cannot see the picture."""
    parts = [
        f"{label}: {float(values[0]):.3g} at {x[0]:g}, {float(values[-1]):.3g} at {x[-1]:g}"
        for label, values in curves.items()
    ]
    return f"Line plot over {xlabel}. " + "; ".join(parts) + "."
