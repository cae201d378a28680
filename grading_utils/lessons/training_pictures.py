"""Pictures for the lesson on training: attention weights, loss curves, memory.

Every function returns HTML with a text alternative; the numbers come from the notebook, nothing trains here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from grading_utils.lessons.memory_estimate import TrainingMemory
from grading_utils.lessons.showing import figure_html

# Okabe and Ito: safe for color blindness
_COLORS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")


def _plain(value: float, _position: int | None = None) -> str:
    """A tick label without an exponent: 0.0001, 1000."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def attention_html(weights: Any, words: Sequence[str]) -> str:
    """Draw attention weights as one heat map per head.

    Args:
        weights: array or tensor of shape `(heads, words, words)`; row i says where word i looks.
        words: the words of the sentence.
    """
    heads = np.asarray(weights, dtype=float)
    figure = Figure(figsize=(1.2 + 3.0 * len(heads), 3.4), layout="constrained")
    panels = figure.subplots(1, len(heads), squeeze=False)[0]
    for number, (axes, head) in enumerate(zip(panels, heads, strict=True)):
        axes.imshow(head, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(*head.shape):
            value = head[row, column]
            if value > 0:
                shade = "white" if value > 0.6 else "black"
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8.5, color=shade)
        axes.set_xticks(range(len(words)), words, rotation=45, ha="right")
        axes.set_yticks(range(len(words)), words)
        axes.set_title(f"head {number + 1}: each row looks at …", fontsize=10)
    return figure_html(figure, f"Attention weights of {len(heads)} heads over the words {' '.join(words)}")


def losses_html(runs: Mapping[str, Sequence[float]], vocabulary_size: int, title: str, xlabel: str = "epoch") -> str:
    """Draw the loss of each run over the epochs, with the loss of blind guessing as a dashed line.

    Args:
        runs: label → mean loss of each epoch, in nats.
        vocabulary_size: how many words there are to guess from; guessing blindly costs its logarithm.
        title: heading of the picture.
        xlabel: what is counted below it.
    """
    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    axes = figure.subplots()
    for color, (label, losses) in zip(_COLORS * len(runs), runs.items(), strict=False):
        axes.plot(range(1, len(losses) + 1), losses, marker="o", markersize=3, color=color, label=label)
    guess = math.log(vocabulary_size)
    axes.axhline(guess, color="gray", linestyle="--", label=f"blind guess: {guess:.2f}")
    axes.set(xlabel=xlabel, ylabel="mean loss (log scale)", title=title, yscale="log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    ends = "; ".join(f"{label} ends at {losses[-1]:.2f}" for label, losses in runs.items())
    return figure_html(figure, f"{title}: {ends}; a blind guess costs {guess:.2f}")


def memory_html(sizes: Mapping[str, TrainingMemory], batch_size: int, lengths: Sequence[int], limit_gib: float) -> str:
    """Draw the estimated memory of one training step against the sequence length.

    Args:
        sizes: label → estimate of that model.
        batch_size: sequences in one step.
        lengths: sequence lengths in tokens, rising.
        limit_gib: memory of the machine in GiB, drawn as a line.
    """
    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    axes = figure.subplots()
    alt = []
    for color, (label, size) in zip(_COLORS * len(sizes), sizes.items(), strict=False):
        total = [size.total(batch_size, length) / 2**30 for length in lengths]
        scores = [size.attention_scores(batch_size, length) / 2**30 for length in lengths]
        axes.plot(lengths, total, color=color, label=f"{label}, all")
        axes.plot(lengths, scores, color=color, linestyle=":", label=f"{label}, attention scores")
        alt.append(f"{label} needs {total[-1]:.3g} GiB at length {lengths[-1]}")
    axes.axhline(limit_gib, color="#d55e00", linestyle="--", label=f"a limit of {limit_gib:g} GiB")
    axes.set(xlabel="sequence length (tokens)", ylabel="GiB", xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_plain))
    axes.set_title(f"Memory of one step, batch of {batch_size}")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure_html(figure, "; ".join(alt))
