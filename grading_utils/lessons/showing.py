"""Put results on the page: pictures with a text alternative, widgets with a static fallback, polite notes.

A widget is shown together with a folded HTML version of the same thing, for wherever widgets do not run (an
exported page, feedback, a plain viewer). Nothing here knows what is being drawn.
"""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import ipywidgets as widgets
from IPython import get_ipython
from IPython.display import HTML, display
from matplotlib.figure import Figure

from grading_utils.lessons.lyrics import token_label


def figure_html(figure: Figure, alt: str) -> str:
    """Return the figure as an HTML image; `alt` is read to those who cannot see it, and where nothing is drawn."""
    text = html.escape(alt, quote=True)
    if not _draws():
        return f"<p>[picture: {text}]</p>"
    buffer = io.BytesIO()
    # a figure with a layout engine fits its page already; cropping would render it twice
    crop = "tight" if figure.get_layout_engine() is None else None
    figure.savefig(buffer, format="png", dpi="figure", bbox_inches=crop, facecolor="white")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    # on a phone a picture shrinks to three quarters, and then one scrolls sideways: its letters have to be read
    least = round(0.75 * figure.get_figwidth() * figure.dpi)
    picture = f'<img alt="{text}" style="max-width:max(100%,{least}px)" src="data:image/png;base64,{data}">'
    return f'<div style="overflow-x:auto">{picture}</div>'


def _draws() -> bool:
    """Does this notebook show pictures? While it is graded, usually nobody looks at them."""
    shell = get_ipython()
    return shell is None or bool(shell.display_formatter.formatters["image/png"].enabled)


def table_html(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table of plain-text cells, aligned left."""

    def line(cells: Sequence[str], tag: str) -> str:
        style = 'style="text-align:left;vertical-align:top;padding:2px 12px 2px 0"'
        return "<tr>" + "".join(f"<{tag} {style}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(header, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def follower_table_html(table: Mapping[Hashable, Sequence[Hashable]]) -> str:
    """Return a follower table as HTML, to scroll through: each key with its followers and their counts."""
    rows = []
    for key, followers in table.items():
        counts = Counter(followers).most_common()
        rows.append([token_label(key), ", ".join(f"{token_label(word)} ×{count}" for word, count in counts)])
    return f'<div style="max-height:24em;overflow:auto">{table_html(["after", "came"], rows)}</div>'


def text_html(text: str) -> str:
    """Return text as an HTML block that keeps its line breaks and spaces."""
    style = "white-space:pre-wrap;line-height:1.4;margin:4px 0"
    return f'<pre style="{style}">{html.escape(text)}</pre>'


def spoiler_html(summary: str, content: str) -> str:
    """Return HTML content folded away behind one line of plain text."""
    return f"<details><summary>{html.escape(summary)}</summary>{content}</details>"


def show(content: str) -> None:
    """Display a piece of HTML as the output of the cell."""
    display(HTML(content))


def show_widget(widget: widgets.Widget, fallback: str) -> None:
    """Display a widget and, folded away below it, HTML that stands in for it where widgets do not run."""
    bundle = widget._repr_mimebundle_() or {}
    display({**bundle, "text/html": "<p>Widgets do not run here.</p>"}, raw=True)
    show(spoiler_html("No widget above? Open this instead.", fallback))


@contextmanager
def when_ready(*tasks: str) -> Iterator[None]:
    """Run a demonstration of the student's own functions; before they work, say which task comes first.

    Args:
        tasks: names of the functions that the demonstration calls.
    """
    try:
        yield
    except Exception as error:  # whatever unfinished student code raises, the reader needs the same hint
        names = " and ".join(f"<code>{html.escape(task)}</code>" for task in tasks)
        reason = html.escape(f"{type(error).__name__}: {error}"[:200])
        show(
            f"<p>This cell shows what your {names} can do. Get the check of that task to pass, "
            f"then run this cell again.</p><p><small>What happened now: {reason}</small></p>"
        )
