"""Tokens as colored boxes with their ids below, and widgets that recolor while one types or moves a slider.

The module shows how a text was split; it splits nothing itself. Spaces and newlines are made visible.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any

import ipywidgets as widgets

from grading_utils.lessons.showing import show_widget

# Light tints of the Okabe-Ito palette, dark text on them is easy to read
_TINTS = ("#cfe3f2", "#fbe3b8", "#c4e8dc", "#f6d0bd", "#ecd3e3", "#dcecf8")
_VISIBLE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})

Split = Sequence[tuple[int | None, str]]


def library_split(tokenizer: Any, text: str) -> list[tuple[int, str]]:
    """Split a text with a Hugging Face tokenizer: each id with the part of the text that it stands for.

    A character that takes several tokens is shown with the first of them; the others stand for "…".
    """
    encoded = tokenizer(text, return_offsets_mapping=True)
    parts: list[tuple[int, str]] = []
    reached = 0
    for number, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
        parts.append((number, text[max(start, reached) : end] or "…"))
        reached = max(reached, end)
    return parts


def tokens_html(parts: Split) -> str:
    """Return the tokens as colored boxes in a row, ids below them where there are any."""
    boxes = []
    for tint, (number, text) in zip(cycle(_TINTS), parts, strict=False):
        shown = html.escape(text.translate(_VISIBLE))
        below = "" if number is None else f'<div style="font-size:70%;opacity:.75;padding:0 3px">{number}</div>'
        boxes.append(
            f'<div style="display:inline-block;text-align:center;margin:0 3px 4px 0;vertical-align:top">'
            f'<div style="background:{tint};color:#111;padding:1px 4px;border-radius:3px;font-family:monospace">'
            f"{shown}</div>{below}</div>"
        )
    count = f'<div style="font-size:80%;opacity:.75">{len(parts)} tokens</div>'
    return f'<div style="line-height:1.3">{"".join(boxes)}{count}</div>'


def many_tokens_html(splits: Sequence[Split]) -> str:
    """Return several splits, one below the other."""
    return "".join(f'<div style="margin-bottom:6px">{tokens_html(parts)}</div>' for parts in splits)


def explore_tokens(split: Callable[[str], Split], texts: Sequence[str]) -> None:
    """Display a text field whose tokens are colored while one types.

    Where widgets do not run, the given texts are shown split.
    """
    field = widgets.Text(value=texts[0], description="text", layout=widgets.Layout(width="90%"))
    shown = widgets.HTML(tokens_html(split(texts[0])))

    def redraw(change: dict[str, str]) -> None:
        shown.value = tokens_html(split(change["new"]))

    field.observe(redraw, names="value")
    show_widget(widgets.VBox([field, shown]), many_tokens_html([split(text) for text in texts]))


def explore_merges(encode: Callable[[str, int], Sequence[str]], text: str, most: int) -> None:
    """Display a slider over the number of merges and the text split with that many of them.

    Args:
        encode: gives the symbols of a text with the first so many merges.
        text: what to split.
        most: the largest number of merges.

    Where widgets do not run, the splits with none, a quarter, half and all of the merges are shown.
    """
    splits = {
        number: [(None, symbol) for symbol in encode(text, number)]
        for number in sorted({0, most // 4, most // 2, most})
    }
    slider = widgets.IntSlider(value=0, min=0, max=most, description="merges")
    shown = widgets.HTML(tokens_html(splits[0]))

    def redraw(change: dict[str, int]) -> None:
        shown.value = tokens_html([(None, symbol) for symbol in encode(text, change["new"])])

    slider.observe(redraw, names="value")
    show_widget(widgets.VBox([slider, shown]), many_tokens_html(list(splits.values())))
