"""Pictures of prompting: which label a model leans to under each wording, and what examples do to the accuracy.

Everything drawn is given or asked through a function; nothing here runs a model, decides or counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import ipywidgets as widgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from grading_utils.lessons.showing import figure_html, show_widget

_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_MARKERS = "osD^"

Score = Callable[[str, str], float]


def share(score: Score, prompt: str, labels: tuple[str, str]) -> float:
    """Return how much of the probability of two labels belongs to the first, between 0 and 1.

    Args:
        score: prompt and continuation in, log-probability out.
        prompt: what the labels would follow.
        labels: each as it would stand in the text, with a leading space.
    """
    first, second = (score(prompt, label) for label in labels)
    return 1 / (1 + math.exp(min(500.0, second - first)))


def leanings_html(shares: pd.DataFrame, label: str) -> str:
    """Draw shares of one label as a grid, rows by columns of the table, with the numbers written in.

    Args:
        shares: numbers between 0 and 1; the index names the rows.
        label: what a share of 1 means.
    """
    rows, columns = shares.shape
    numbers = shares.to_numpy(dtype=float)
    figure = Figure(figsize=(1.5 * columns + 4.2, 0.36 * rows + 1.0), layout="constrained")
    axes = figure.subplots()
    axes.imshow(numbers, cmap="PuOr", vmin=0, vmax=1, aspect="auto")
    for row in range(rows):
        for column in range(columns):
            value = numbers[row, column]
            ink = "white" if abs(value - 0.5) > 0.28 else "black"
            axes.text(column, row, f"{value:.0%}", ha="center", va="center", fontsize=9, color=ink)
    axes.set_xticks(range(columns), [str(name) for name in shares.columns], fontsize=9)
    axes.set_yticks(range(rows), [str(name) for name in shares.index], fontsize=9)
    axes.set_title(f"share of {label!r}", fontsize=10)
    axes.tick_params(length=0)
    text = "; ".join(
        f"{name}: " + ", ".join(f"{column} {value:.0%}" for column, value in zip(shares.columns, row, strict=True))
        for name, row in zip(shares.index, numbers, strict=True)
    )
    return figure_html(figure, f"Grid of the share of {label!r}. {text}.")


def explore_wordings(
    score: Score, reviews: Sequence[str], wordings: Mapping[str, str], labels: tuple[str, str]
) -> None:
    """Display choosers of a review and a wording, with the shares of both labels.

    Where widgets do not run, the grid of all reviews under all wordings stands in for them.

    Args:
        score: prompt and continuation in, log-probability out.
        reviews: the texts.
        wordings: name → template with `{}` for the review.
        labels: two continuations.
    """
    review = widgets.Dropdown(options=list(reviews), description="review", layout={"width": "60%"})
    wording = widgets.Dropdown(options=list(wordings), description="wording", layout={"width": "60%"})
    result = widgets.HTML()
    numbers = [[share(score, template.format(text), labels) for template in wordings.values()] for text in reviews]
    grid = pd.DataFrame(
        numbers,
        index=[text if len(text) < 46 else text[:44] + "…" for text in reviews],
        columns=list(wordings),
    )

    def redraw(_change: object = None) -> None:
        row, column = list(reviews).index(review.value), list(wordings).index(wording.value)
        first = numbers[row][column]
        bars = "".join(
            f'<div style="margin:2px 0"><code>{label}</code> '
            f'<span style="display:inline-block;height:12px;width:{value * 300:.0f}px;background:{color}"></span> '
            f"{value:.0%}</div>"
            for label, value, color in zip(labels, (first, 1 - first), _COLORS, strict=False)
        )
        result.value = bars

    review.observe(redraw, names="value")
    wording.observe(redraw, names="value")
    redraw()
    show_widget(widgets.VBox([review, wording, result]), leanings_html(grid, labels[0]))


def accuracy_html(table: pd.DataFrame, chance: float) -> str:
    """Draw accuracy against the number of examples, one line per order of the examples.

    Args:
        table: columns `order`, `examples` and `accuracy`.
        chance: the accuracy of guessing, drawn as a dashed line.
    """
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    spoken = []
    names = list(dict.fromkeys(table["order"]))
    for number, name in enumerate(names):
        rows = table[table["order"] == name]
        # Lines that coincide stay visible when they are moved apart a little.
        aside = (number - (len(names) - 1) / 2) * 0.006
        heights = rows["accuracy"].astype(float).to_numpy() + aside
        marker, color = _MARKERS[number % len(_MARKERS)], _COLORS[number % len(_COLORS)]
        axes.plot(rows["examples"].astype(int).to_numpy(), heights, label=name, marker=marker, color=color)
        pairs = zip(rows["examples"], rows["accuracy"], strict=True)
        spoken.append(f"{name}: " + ", ".join(f"{count} examples {float(value):.0%}" for count, value in pairs))
    axes.axhline(chance, color="gray", linestyle="--", linewidth=1)
    axes.text(0, chance - 0.01, "guessing", fontsize=8, color="gray", va="top")
    axes.set_ylim(-0.03, 1.05)
    axes.set_xticks(np.unique(table["examples"].astype(int)))
    axes.set(xlabel="examples in the prompt", ylabel="accuracy")
    axes.legend(title="order of the examples", fontsize=8, title_fontsize=8, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    return figure_html(figure, f"Accuracy by number of examples. {'; '.join(spoken)}. Guessing: {chance:.0%}.")
