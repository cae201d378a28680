"""Slide the context length and watch table, graph and generated verse follow; a button asks for another verse.

The student's own functions do the work: one builds the model for a context length, one generates. The module
only calls them and shows what comes back.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Mapping, Sequence

import ipywidgets as widgets

from grading_utils.lessons.follower_graph import MOST_BOXES, describe_follower_graph, draw_follower_graph
from grading_utils.lessons.lyrics import lyrics_text
from grading_utils.lessons.showing import (
    figure_html,
    follower_table_html,
    show_widget,
    spoiler_html,
    table_html,
    text_html,
)

Model = Mapping[Hashable, Sequence[str]]
BuildModel = Callable[[list[str], int], Model]
Generate = Callable[[Model, tuple[str, ...], random.Random], Sequence[str]]


class ContextExplorer:
    """The widgets for one text, and what they show.

    Attributes:
        seed: the seed of the verse that is shown; the button adds one.
        widget: what to display.
    """

    def __init__(
        self,
        build_model: BuildModel,
        generate: Generate,
        tokens: Sequence[str],
        *,
        context_length: int = 2,
        longest: int = 8,
    ) -> None:
        """Build the widgets and show the first context length.

        Args:
            build_model: (tokens, context length) → {context tuple: followers}.
            generate: (model, first context, random generator) → tokens.
            tokens: the source text.
            context_length: where the slider stands at first.
            longest: where the slider ends.
        """
        self._build_model = build_model
        self._generate = generate
        self._tokens = list(tokens)
        self.seed = 0
        self._slider = widgets.IntSlider(
            value=context_length, min=1, max=longest, description="context length", continuous_update=False,
            style={"description_width": "initial"}, layout=widgets.Layout(width="70%", min_width="260px"),
        )  # fmt: skip
        self._button = widgets.Button(description="New verse", icon="refresh")
        self._verse = widgets.HTML()
        self._model = widgets.HTML()
        self._slider.observe(lambda _change: self._show_all(), names="value")
        self._button.on_click(lambda _button: self.next_verse())
        wrapping = widgets.Layout(flex_flow="row wrap")  # on a phone the button moves below the slider
        controls = widgets.HBox([self._slider, self._button], layout=wrapping)
        self.widget = widgets.VBox([controls, self._verse, self._model])
        self._show_all()

    def set_context_length(self, context_length: int) -> None:
        """Move the slider."""
        self._slider.value = context_length

    def next_verse(self) -> None:
        """Show the verse of the next seed, with the same model."""
        self.seed += 1
        self._show_verse()

    def verse(self, context_length: int) -> str:
        """Return the verse that the current seed gives at a context length."""
        model = self._build_model(self._tokens, context_length)
        start = tuple(self._tokens[:context_length])
        verse: str = lyrics_text(self._generate(model, start, random.Random(self.seed)))
        return verse

    def model_html(self, context_length: int) -> str:
        """Return graph and (folded) table of the model for a context length."""
        model = self._build_model(self._tokens, context_length)
        choices = sum(len(set(followers)) > 1 for followers in model.values())
        shown = min(MOST_BOXES, len(model))
        picture = draw_follower_graph(model, title=f"The {shown} contexts nearest to the start, of {len(model)}")
        facts = f"<p>{len(model)} contexts, {choices} of them with more than one possible follower.</p>"
        table = spoiler_html(f"The table, all {len(model)} rows", follower_table_html(model))
        return facts + figure_html(picture, describe_follower_graph(model)) + table

    def _show_verse(self) -> None:
        caption = f"<b>A verse by chance (seed {self.seed})</b>"
        self._verse.value = caption + text_html(self.verse(self._slider.value))

    def _show_all(self) -> None:
        self._show_verse()
        self._model.value = self.model_html(self._slider.value)

    def static_html(self) -> str:
        """Return a verse for every context length and the model of the current one, for pages without widgets."""
        rows = [[str(n), self.verse(n).replace("\n", " / ")] for n in range(1, self._slider.max + 1)]
        return f"{table_html(['context length', 'a verse by chance'], rows)}{self._model.value}"


def explore_context(build_model: BuildModel, generate: Generate, tokens: Sequence[str]) -> None:
    """Display the slider, the button, and what they control; the arguments are those of `ContextExplorer`."""
    explorer = ContextExplorer(build_model, generate, tokens)
    show_widget(explorer.widget, explorer.static_html())
