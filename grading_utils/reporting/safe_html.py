"""Text that students control, turned into HTML that cannot run, load or submit anything.

Every function returns `Markup` that may stand in a page as it is. Equal inputs are rendered once: most cells of
a class's notebooks are the instructor's and the same for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from markupsafe import Markup, escape
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from grading_utils.harmless_html import DATA_IMAGE, MAX_IMAGE, harmless
from grading_utils.reporting.formulas import formula

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of a page that shows student work: no script, no request, no form."""

MAX_TEXT = 60_000
MAX_RENDERED = 20_000
"""Characters of Markdown or of code; longer ones are shown as they are, since what they can cost grows faster."""
MAX_HTML = 400_000
MAX_FORMULAS = 40  # in one cell; setting one takes some milliseconds

_PLACE = re.compile("\ue000([0-9]{1,6})\ue001")


def html(source: str) -> Markup:
    """Somebody else's HTML, with only what `harmless_html` allows left."""
    return Markup(harmless(source))


def markdown(source: str, attachments: Mapping[str, Mapping[str, str]] | None = None) -> Markup:
    """Markdown as notebooks write it, cleaned, with its formulas set."""
    if attachments:
        return _markdown(source, dict(attachments))
    return _cached_markdown(source)


@lru_cache(maxsize=4096)
def _cached_markdown(source: str) -> Markup:
    return _markdown(source, {})


def _markdown(source: str, attachments: Mapping[str, Mapping[str, str]]) -> Markup:
    if len(source) > MAX_RENDERED:
        return text(source)
    renderer = _Renderer(attachments)
    try:
        rendered = MarkdownWithMath(renderer=renderer).render(source)
    except InvalidNotebook:  # a picture that the student's notebook names but does not hold
        return text(source)
    return Markup(_PLACE.sub(lambda place: renderer.formula_at(int(place[1])), html(rendered)))


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, with a place marked for each formula, which is put in after cleaning."""

    def __init__(self, attachments: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(escape=False, attachments=dict(attachments), exclude_anchor_links=True)
        self._formulas: list[Markup] = []

    def formula_at(self, number: int) -> Markup:
        return self._formulas[number] if number < len(self._formulas) else Markup()

    def inline_math(self, body: str) -> str:
        return self._place(body, display=False)

    def block_math(self, body: str) -> str:
        return self._place(body, display=True)

    def _place(self, body: str, *, display: bool) -> str:
        if len(self._formulas) == MAX_FORMULAS:
            return str(escape(body))
        self._formulas.append(formula(body, display=display))
        return f"\ue000{len(self._formulas) - 1}\ue001"


@lru_cache(maxsize=8192)
def code(source: str) -> Markup:
    """Python source with syntax colors (classes of Pygments inside one `pre`)."""
    if len(source) > MAX_RENDERED:
        return text(source)
    formatter = HtmlFormatter(nowrap=True)
    colored = Markup(highlight(source, PythonLexer(stripnl=False), formatter))
    return Markup("<pre>{}</pre>").format(colored)


def text(source: str) -> Markup:
    """What a program printed, with its terminal colors; the middle of a very long text is left out."""
    if len(source) > MAX_TEXT:
        half = MAX_TEXT // 2
        cut = len(source) - 2 * half
        source = f"{source[:half]}\n\n⋯ {cut} characters left out ⋯\n\n{source[-half:]}"
    return Markup("<pre>{}</pre>").format(Markup(ansi2html(source)))


def image(kind: str, content: str, alt: str) -> Markup:
    """A picture as a data URL, in which even an SVG cannot run anything.

    Args:
        kind: The MIME type, for example `image/png`.
        content: The picture in base64.
        alt: What to show or read out instead.
    """
    address = f"data:{kind};base64,{''.join(content.split())}"
    if len(address) > MAX_IMAGE or DATA_IMAGE.fullmatch(address) is None:
        return Markup("<pre>{}</pre>").format(f"[{alt}: cannot be shown]")
    return Markup('<img src="{}" alt="{}">').format(address, alt)
