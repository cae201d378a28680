"""Temperature and beams for a model of whole words, on top of a function that lists the likely next words.

The function is the student's own: text and k in, a table with the columns `word` and `probability` out. This
module reshapes and searches what it returns; it neither runs a model nor turns logits into probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from grading_utils.lessons.showing import figure_html, show_widget

_TINY = 1e-300  # the logarithm of an impossible word must still be a number

NextWords = Callable[[str, int], pd.DataFrame]


class Beam(NamedTuple):
    """One candidate text and the sum of the log-probabilities of its new words."""

    text: str
    log_probability: float


def reheated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return the distribution at another temperature: p^(1/T), made to sum to one.

    Raises:
        ValueError: if the temperature is not positive.
    """
    if not temperature > 0:
        raise ValueError(f"the temperature must be positive, not {temperature}")
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(probabilities, dtype=float)) / temperature
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def temperature_html(table: pd.DataFrame, text: str, temperatures: list[float]) -> str:
    """Draw the next-word distribution after a text at several temperatures, side by side."""
    figure = Figure(figsize=(3.1 * len(temperatures), 3.2), layout="constrained")
    words = [str(word) for word in table["word"]]
    tops = []
    panels = figure.subplots(1, len(temperatures), sharey=True, squeeze=False)[0]
    for axes, temperature in zip(panels, temperatures, strict=True):
        heated = reheated(table["probability"].to_numpy(), temperature)
        axes.barh(words, heated, color="#0072b2")
        axes.set(xlim=(0, 1), title=f"temperature {temperature:g}", xlabel="probability")
        tops.append(f"at {temperature:g}: {words[int(heated.argmax())]} {heated.max():.2f}")
    panels[0].invert_yaxis()
    figure.suptitle(f"{text} …", fontsize=10)
    return figure_html(figure, f"Next word after {text!r} " + "; ".join(tops))


def explore_temperature(next_words: NextWords, texts: list[str], k: int = 8) -> None:
    """Display a chooser of texts and a temperature slider over the next-word distribution.

    Where widgets do not run, the first text at the temperatures 0.3, 1 and 3 stands in for them.
    """
    tables = {text: next_words(text, k) for text in texts}
    chosen = widgets.Dropdown(options=texts, description="text")
    slider = widgets.FloatSlider(
        value=1.0, min=0.1, max=5.0, step=0.1, description="temperature", style={"description_width": "initial"},
        layout=widgets.Layout(width="320px"),
    )  # fmt: skip
    picture = widgets.HTML()

    def redraw(_change: object = None) -> None:
        picture.value = temperature_html(tables[chosen.value], chosen.value, [slider.value])

    chosen.observe(redraw, names="value")
    slider.observe(redraw, names="value")
    redraw()
    wrapping = widgets.Layout(flex_flow="row wrap")  # on a phone the slider moves below the list
    box = widgets.VBox([widgets.HBox([chosen, slider], layout=wrapping), picture])
    show_widget(box, temperature_html(tables[texts[0]], texts[0], [0.3, 1.0, 3.0]))


def _pairs(table: pd.DataFrame) -> zip[tuple[str, float]]:
    return zip(table["word"], table["probability"], strict=True)


def beam_search(next_words: NextWords, text: str, width: int, steps: int) -> list[Beam]:
    """Extend a text word by word, keeping the `width` most probable texts after every step.

    Args:
        next_words: lists the likely next words of a text.
        text: where to begin.
        width: how many texts survive a step; 1 is greedy search.
        steps: how many words to add.

    Returns:
        The survivors, most probable first.
    """
    beams = [Beam(text, 0.0)]
    for _ in range(steps):
        grown = [
            Beam(f"{beam.text} {word}", beam.log_probability + math.log(max(probability, _TINY)))
            for beam in beams
            for word, probability in _pairs(next_words(beam.text, width))
        ]
        beams = sorted(grown, key=lambda beam: beam.log_probability, reverse=True)[:width]
    return beams
