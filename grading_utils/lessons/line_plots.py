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
    log_y: bool = False,
    bands: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Figure:
    """Draw one line per curve; values that are not finite leave a gap.

    Args:
        x: positions, the same for all curves.
        curves: label → values, one value per position.
        xlabel: what the positions are.
        ylabel: what the values are.
        title: written above the picture.
        log_x: put the positions on a logarithmic scale.
        log_y: put the values on a logarithmic scale, marked with plain numbers.
        bands: label of a curve → how far its values may be off, (low, high) per position; shaded behind the curve.

    Raises:
        ValueError: if a curve does not have one value per position.
    """
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    for label, values in curves.items():
        if len(values) != len(x):
            raise ValueError(f"the curve {label!r} has {len(values)} values for {len(x)} positions")
        heights = [float(value) if math.isfinite(value) else math.nan for value in values]
        (line,) = axes.plot(x, heights, marker="o", markersize=4, label=label)
        if bands and label in bands:
            lows, highs = zip(*bands[label], strict=True)
            axes.fill_between(x, lows, highs, color=line.get_color(), alpha=0.2, linewidth=0)
    if log_x:
        axes.set_xscale("log")
        axes.set_xticks(list(x), [f"{value:g}" for value in x], fontsize=8)
        axes.minorticks_off()
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if log_y:
        axes.set_yscale("log")
        axes.set_yticks(*_plain_ticks([value for values in curves.values() for value in values]))
        axes.minorticks_off()
    else:
        axes.set_ylim(bottom=0)
    axes.set_title(title, fontsize=11, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if len(curves) > 1:
        axes.legend(frameon=False, fontsize=9)
    return figure


def _plain_ticks(values: Sequence[float]) -> tuple[list[float], list[str]]:
    """1, 2, 5, 10, 20, … around the values, written without exponents."""
    finite = [value for value in values if math.isfinite(value) and value > 0]
    powers = range(math.floor(math.log10(min(finite))), math.ceil(math.log10(max(finite))) + 1)
    steps = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    kept = [step for step in steps if min(finite) / 2 < step < max(finite) * 2]
    return kept, [f"{step:g}" for step in kept]


def describe_lines(x: Sequence[float], curves: Mapping[str, Sequence[float]], xlabel: str) -> str:
    """Return first and last value of every curve as a sentence, for those who cannot see the picture."""
    parts = [
        f"{label}: {float(values[0]):.3g} at {x[0]:g}, {float(values[-1]):.3g} at {x[-1]:g}"
        for label, values in curves.items()
    ]
    return f"Line plot over {xlabel}. " + "; ".join(parts) + "."
