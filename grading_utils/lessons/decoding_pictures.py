"""Pictures of decoding: how temperature, top-k and top-p reshape one distribution, and which beams survive.

Reshaping is left to the library's own logits warpers, the ones that `model.generate` applies, in the same order.
Nothing here chooses a token or runs a model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from grading_utils.lessons.showing import figure_html, show_widget

_KEPT, _DROPPED = "#1f5a8a", "#c9c9c9"
_BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
Path = tuple[str, ...]


class Setting(NamedTuple):
    """One way of reshaping a distribution; the defaults leave it as it is."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __str__(self) -> str:
        parts = [f"temperature {self.temperature:.3g}"]
        parts += [f"top-k {self.top_k}"] if self.top_k else []
        parts += [f"top-p {self.top_p:g}"] if self.top_p < 1 else []
        return ", ".join(parts)


def reshaped(logits: torch.Tensor, setting: Setting) -> torch.Tensor:
    """Return the probabilities that tokens are drawn with under a setting.

    Args:
        logits: scores of shape [vocabulary].
        setting: temperature, then top-k, then top-p, as in `model.generate`.

    Raises:
        ValueError: if the library refuses the setting, such as a temperature of 0.
    """
    no_ids = torch.zeros((1, 0), dtype=torch.long)
    scores = logits.detach().float().reshape(1, -1)
    scores = TemperatureLogitsWarper(float(setting.temperature))(no_ids, scores)
    if setting.top_k:
        scores = TopKLogitsWarper(top_k=setting.top_k)(no_ids, scores)
    if setting.top_p < 1:
        scores = TopPLogitsWarper(top_p=setting.top_p)(no_ids, scores)
    probabilities: torch.Tensor = scores.softmax(dim=-1)[0]
    return probabilities


def draw_settings(tokens: Sequence[str], logits: torch.Tensor, settings: Sequence[Setting], show: int = 12) -> Figure:
    """Draw the most likely tokens under several settings, side by side.

    Args:
        tokens: the text of every entry of the vocabulary, by id.
        logits: scores of shape [vocabulary].
        settings: one panel for each.
        show: how many tokens get a bar; each title says how many can be drawn at all.
    """
    order = logits.argsort(descending=True)[:show].tolist()
    figure = Figure(figsize=(3.0 * len(settings) + 0.6, 0.25 * len(order) + 1.3), layout="constrained")
    panels = figure.subplots(1, len(settings), sharex=True, sharey=True, squeeze=False)[0]
    longest = 0.0
    for axes, setting in zip(panels, settings, strict=True):
        chances = reshaped(logits, setting)
        longest = max(longest, float(chances.max()))
        bars = [float(chances[index]) for index in order]
        drawn = axes.barh(range(len(order)), bars, color=[_KEPT if bar > 0 else _DROPPED for bar in bars])
        axes.bar_label(drawn, [f"{bar:.0%}" if bar > 0 else "never" for bar in bars], padding=3, fontsize=7)
        axes.set_yticks(range(len(order)), [repr(tokens[index]) for index in order], fontsize=8)
        possible = int((chances > 0).sum())
        rest = f", {1 - sum(bars):.0%} not shown" if possible > len(order) else ""
        axes.set_title(f"{setting}\n{possible:,} possible{rest}", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    panels[0].set_xlim(0, 1.25 * longest)  # one scale for all panels, with room for the labels
    return figure


def settings_html(tokens: Sequence[str], logits: torch.Tensor, settings: Sequence[Setting]) -> str:
    """Return `draw_settings` as HTML, with a sentence for those who cannot see it."""
    parts = []
    for setting in settings:
        chances = reshaped(logits, setting)
        best = int(chances.argmax())
        possible = int((chances > 0).sum())
        parts.append(f"{setting}: {possible} tokens possible, the likeliest {tokens[best]!r} at {chances[best]:.0%}")
    return figure_html(draw_settings(tokens, logits, settings), "Bar charts. " + "; ".join(parts) + ".")


def explore_decoding(tokens: Sequence[str], logits: torch.Tensor) -> None:
    """Display sliders for temperature, top-k and top-p over one distribution.

    Where widgets do not run, five settings side by side stand in for them.
    """
    whole_label = {"description_width": "initial"}
    temperature = widgets.FloatLogSlider(
        value=1.0, min=-1, max=1.2, step=0.05, description="temperature", style=whole_label
    )
    top_k = widgets.IntSlider(value=0, min=0, max=50, description="top-k (0: all)", style=whole_label)
    top_p = widgets.FloatSlider(
        value=1.0, min=0.05, max=1.0, step=0.05, description="top-p (1: all)", style=whole_label
    )
    picture = widgets.HTML()

    def redraw(_change: object = None) -> None:
        chosen = Setting(float(temperature.value), int(top_k.value), float(top_p.value))
        picture.value = settings_html(tokens, logits, [Setting(), chosen])

    for slider in (temperature, top_k, top_p):
        slider.continuous_update = False
        slider.observe(redraw, names="value")
    redraw()
    wrapping = widgets.Layout(flex_flow="row wrap")  # on a phone each slider has a line of its own
    box = widgets.VBox([widgets.HBox([temperature, top_k, top_p], layout=wrapping), picture])
    examples = [Setting(), Setting(0.2), Setting(14.0), Setting(top_k=5), Setting(top_p=0.5)]
    show_widget(box, settings_html(tokens, logits, examples))


def draw_beams(probabilities: Mapping[Path, float], kept: Collection[Path]) -> Figure:
    """Draw texts as a tree that grows to the right, one column per word.

    Args:
        probabilities: a path of words → the probability of its last word after the words before it.
        kept: the paths that survive; the others are drawn in gray.
    """
    depth = max(len(path) for path in probabilities)
    leaves = [path for path in probabilities if not any(_follows(other, path) for other in probabilities)]
    height = {path: float(-row) for row, path in enumerate(leaves)}
    for path in sorted({(), *probabilities} - set(leaves), key=len, reverse=True):
        below = [height[other] for other in probabilities if _follows(other, path)]
        height[path] = sum(below) / len(below)
    figure = Figure(figsize=(2.6 * depth + 1.5, 0.55 * len(leaves) + 0.6), layout="constrained")
    axes = figure.subplots()
    for path, chance in probabilities.items():
        color = _KEPT if path in kept else "#6b6b6b"
        width = 2.2 if path in kept else 0.9
        start, end = (len(path) - 1, height[path[:-1]]), (len(path), height[path])
        axes.plot([start[0] + 0.32 * (len(path) > 1), end[0] - 0.06], [start[1], end[1]], color=color, linewidth=width)
        middle = (start[0] + end[0]) / 2 + 0.14, start[1] + 0.64 * (end[1] - start[1])
        axes.text(*middle, f"{chance:g}", fontsize=8, color=color, ha="center", va="center", bbox=_BEHIND_TEXT)
        whole = 1.0
        for length in range(1, len(path) + 1):
            whole *= probabilities[path[:length]]
        axes.text(
            end[0] - 0.04, end[1], f"{path[-1]}  {whole:.2f}", va="center", fontsize=10, color=color,
            fontweight="bold" if path in kept else "normal",
        )  # fmt: skip
    axes.set_xlim(-0.05, depth + 0.55)
    axes.axis("off")
    return figure


def beams_html(probabilities: Mapping[Path, float], kept: Collection[Path]) -> str:
    """Return `draw_beams` as HTML, with a sentence for those who cannot see it."""
    survivors = ", ".join(repr(" ".join(path)) for path in kept)
    return figure_html(draw_beams(probabilities, kept), f"A tree of texts. Kept after each word: {survivors}.")


def _follows(path: Path, parent: Path) -> bool:
    return path[:-1] == parent
