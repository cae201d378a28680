"""Filters that make nbconvert's HTML harmless, for the pages that nbgrader itself writes and serves.

The formgrader and `nbgrader generate_feedback` show a student's notebook through nbconvert's `HTMLExporter`, which puts
Markdown and HTML into the page as they are. `nbgrader_config.py` names these in place of the exporter's own::

    c.HTMLExporter.sanitize_html = True
    c.HTMLExporter.filters = {
        "markdown2html": "grading_utils.reporting.exporting.markdown2html",
        "clean_html": "grading_utils.reporting.exporting.clean_html",
        "highlight_code": "grading_utils.reporting.exporting.highlight_code",
    }
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from nbconvert.filters.highlight import Highlight2HTML

from grading_utils.harmless_html import harmless
from grading_utils.reporting import safe_html


@pass_context
def markdown2html(context: Context, source: str) -> Markup:
    """A text cell or a Markdown output, with only what can't run, and with its formulas drawn."""
    return safe_html.markdown(source, context.get("cell", {}).get("attachments"))


def clean_html(source: str | bytes) -> str:
    """An HTML output with only what can't run."""
    return harmless(source.decode("utf-8", "replace") if isinstance(source, bytes) else str(source))


def highlight_code(source: str, language: str = "ipython3", metadata: Any = None) -> str:
    """Code with syntax colors, or plain where it is so long that colors could take hours."""
    if len(source) > safe_html.MAX_RENDERED:
        return str(Markup('<div class="highlight">{}</div>').format(safe_html.text(source)))
    colored: str = _highlighter()(source, language, metadata)
    return colored


@lru_cache(maxsize=1)
def _highlighter() -> Any:
    return Highlight2HTML(pygments_lexer="ipython3")
