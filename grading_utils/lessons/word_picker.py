"""You are the model: a dropdown of the words that may come next, the lyrics so far, and a reset button.

With `hidden=True` the lyrics stay folded away and only the context is seen, which is all that the model ever
sees. The follower table is given; the module neither builds one nor chooses a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence

import ipywidgets as widgets

from grading_utils.lessons.lyrics import lyrics_text, token_label
from grading_utils.lessons.showing import follower_table_html, show_widget, text_html

NOTHING = ""  # the value of the entry that asks to choose; no token is empty


class WordPicker:
    """One game: the lyrics picked so far and the widgets that show them.

    Attributes:
        lyrics: the tokens picked so far, beginning with the start.
        widget: what to display.
    """

    def __init__(
        self,
        table: Mapping[Hashable, Sequence[str]],
        start: Sequence[str],
        *,
        hidden: bool = False,
    ) -> None:
        """Set up a game.

        Args:
            table: word → followers or context tuple → followers, with repeats.
            start: the first tokens; with contexts as keys at least one whole context.
            hidden: fold the lyrics away and show the context only.

        Raises:
            ValueError: if the table is empty or the start is too short for it.
        """
        if not table:
            raise ValueError("the table is empty: there is no word to pick")
        key = next(iter(table))
        self._table = table
        self._context_length = len(key) if isinstance(key, tuple) else None
        if len(start) < (self._context_length or 1):
            needed = self._context_length or 1
            raise ValueError(f"the start has {len(start)} tokens, the model needs {needed}")
        self._start = list(start)
        self._hidden = hidden
        self.lyrics: list[str] = list(start)
        self._shown = widgets.HTML()
        self._folded = widgets.HTML()
        self._spoiler = widgets.Accordion(children=[self._folded])
        self._choice = widgets.Dropdown(description="next word", style={"description_width": "initial"})
        self._reset = widgets.Button(description="Reset lyrics", icon="undo")
        self._choice.observe(self._on_choice, names="value")
        self._reset.on_click(lambda _button: self.reset())
        last = [self._spoiler] if hidden else []
        controls = widgets.HBox([self._choice, self._reset], layout=widgets.Layout(flex_flow="row wrap"))
        self.widget = widgets.VBox([self._shown, controls, *last])
        self._refresh()

    def options(self) -> list[str]:
        """Return the different words that may come next, most frequent first."""
        return [word for word, _ in Counter(self._table.get(self._context(), ())).most_common()]

    def pick(self, word: str) -> None:
        """Append one of the possible words to the lyrics.

        Raises:
            ValueError: if the word cannot come next.
        """
        if word not in self.options():
            raise ValueError(f"{word!r} never followed {token_label(self._context())!r}")
        self.lyrics.append(word)
        self._refresh()

    def reset(self) -> None:
        """Go back to the start."""
        self.lyrics = list(self._start)
        self._refresh()

    def _context(self) -> Hashable:
        if self._context_length is None:
            return self.lyrics[-1]
        return tuple(self.lyrics[-self._context_length :])

    def _on_choice(self, change: Mapping[str, str]) -> None:
        if change["new"] != NOTHING:
            self.pick(change["new"])

    def _refresh(self) -> None:
        options = self.options()
        first = ("choose…" if options else "nothing ever came next", NOTHING)
        self._choice.options = [first] + [(token_label(word), word) for word in options]
        self._choice.value = NOTHING
        text = text_html(lyrics_text(self.lyrics))
        if self._hidden:
            self._shown.value = text_html("… " + token_label(self._context()))
            self._folded.value = text
            words = "word" if len(self.lyrics) == 1 else "words"
            self._spoiler.titles = (f"Spoiler: your {len(self.lyrics)} {words} so far",)
        else:
            self._shown.value = text


def pick_words(table: Mapping[Hashable, Sequence[str]], start: Sequence[str], *, hidden: bool = False) -> None:
    """Display a game; where widgets do not run, a table of what may follow what is shown to play by hand.

    Args:
        table: word → followers or context tuple → followers, with repeats.
        start: the first tokens.
        hidden: fold the lyrics away and show the context only.
    """
    game = WordPicker(table, start, hidden=hidden)
    show_widget(game.widget, follower_table_html(table))


class BlindfoldedGame:
    """A hidden game for a context length that a slider chooses; another length starts a new game.

    Attributes:
        game: the game that is being played.
        widget: what to display.
    """

    def __init__(
        self,
        build_model: Callable[[list[str], int], Mapping[Hashable, Sequence[str]]],
        tokens: Sequence[str],
        *,
        longest: int = 8,
    ) -> None:
        """Set up the slider and a game of context length 1.

        Args:
            build_model: (tokens, context length) → {context tuple: followers}.
            tokens: the source text; a game starts with its first tokens.
            longest: where the slider ends.
        """
        self._build_model = build_model
        self._tokens = list(tokens)
        self._slider = widgets.IntSlider(
            value=1, min=1, max=longest, description="context length", continuous_update=False,
            style={"description_width": "initial"}, layout=widgets.Layout(width="70%"),
        )  # fmt: skip
        self._slider.observe(lambda _change: self._start(), names="value")
        self.widget = widgets.VBox([self._slider])
        self._start()

    def set_context_length(self, context_length: int) -> None:
        """Move the slider."""
        self._slider.value = context_length

    def _start(self) -> None:
        length = self._slider.value
        self.game = WordPicker(self._build_model(self._tokens, length), self._tokens[:length], hidden=True)
        self.widget.children = (self._slider, self.game.widget)


def pick_words_blindfolded(
    build_model: Callable[[list[str], int], Mapping[Hashable, Sequence[str]]], tokens: Sequence[str]
) -> None:
    """Display the hidden game; where widgets do not run, the table of context length 1 is shown to play by hand."""
    show_widget(BlindfoldedGame(build_model, tokens).widget, follower_table_html(build_model(list(tokens), 1)))
