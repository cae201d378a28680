"""What a student wrote cannot run, load or submit anything in a page."""

from __future__ import annotations

import base64
from collections.abc import Callable
from html.parser import HTMLParser

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grading_utils.reporting import notebook_view, safe_html
from grading_utils.reporting.exporting import highlight_code
from grading_utils.reporting.formulas import formula

ATTACKS = (
    "<script>alert(1)</script>",
    "<script src=https://example.org/x.js>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://example.org/pixel.png'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='  JaVaScRiPt:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<iframe src='https://example.org'></iframe>",
    "<object data='x'></object><embed src=x><base href='https://example.org'>",
    "<form action='https://example.org'><input name=a><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=https://example.org'><link rel=stylesheet href='https://example.org'>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "<div style='position:fixed;top:0;background:url(https://example.org)'>x</div>",
    "<style>body { background: url(https://example.org) }</style>",
    "<style>#T_a { color: red } </style><style>@import 'https://example.org';</style>",
    "<style>#T_a { font-family: '\\3c/style\\3e\\3cscript\\3e alert(1)' }</style>",
    "<div class='fb-score' id='predict'>100 / 100</div>",
    "<<script>script>alert(1)<</script>/script>",
    "<scr<script></script>ipt>alert(1)</scr<script></script>ipt>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
)
FORBIDDEN = {"script", "iframe", "object", "embed", "base", "form", "input", "button", "meta", "link", "svg", "math"}


class Inspector(HTMLParser):
    """Collects every start tag."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def assert_harmless(page: str) -> None:
    inspector = Inspector()
    inspector.feed(page)
    for tag, attributes in inspector.tags:
        assert tag not in FORBIDDEN
        assert not [name for name in attributes if name.startswith("on")]
        assert str(attributes.get("href", "https:")).startswith(("http", "mailto:"))
        assert str(attributes.get("src", "data:image/")).startswith("data:image/")
        assert "url(" not in str(attributes.get("style"))
        assert "position" not in str(attributes.get("style"))
        assert not str(attributes.get("class", "")).startswith("fb-")
        assert str(attributes.get("id", "T_")).startswith("T_")
    assert "@import" not in page
    assert "url(" not in page


@pytest.mark.parametrize("attack", ATTACKS)
def test_html_from_students_is_harmless(attack: str) -> None:
    assert_harmless(safe_html.html(attack))


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_from_students_is_harmless(attack: str) -> None:
    for text in (attack, f"a {attack} b", f"# {attack}", f"[x](<{attack}>)", f"| {attack} |\n|---|\n| b |"):
        assert_harmless(safe_html.markdown(text))


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("show", [safe_html.text, safe_html.code])
def test_source_and_printed_text_are_shown_literally(attack: str, show) -> None:
    inspector = Inspector()
    inspector.feed(show(attack))
    assert {tag for tag, _ in inspector.tags} <= {"pre", "span"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_formulas_are_harmless(attack: str) -> None:
    inspector = Inspector()
    inspector.feed(formula(f"x \\text{{{attack}}}", display=False))
    assert {tag for tag, _ in inspector.tags} <= {"svg", "path", "code"}
    assert not [name for _, attributes in inspector.tags for name in attributes if name.startswith("on")]


def test_an_svg_is_shown_as_a_picture_in_which_nothing_runs() -> None:
    content = base64.b64encode(b"<svg onload='alert(1)'/>").decode()
    assert_harmless(safe_html.image("image/svg+xml", content, "a drawing"))


@pytest.mark.parametrize("content", ['"><script>alert(1)</script>', "' onerror='alert(1)", "A" * 7_000_000])
def test_a_picture_that_is_none_is_named(content: str) -> None:
    assert safe_html.image("image/png", content, "plot <1>") == "<pre>[plot &lt;1&gt;: cannot be shown]</pre>"


def test_a_table_keeps_its_color_gradient() -> None:
    table = pd.DataFrame({"tokens": ["a", "b"], "probabilities": [0.9, 0.1]})
    page = safe_html.html(table.style.background_gradient()._repr_html_())
    assert "background-color: #023858" in page
    assert page.count("<td") == 4


def test_a_formula_is_drawn_and_one_that_cannot_be_drawn_keeps_its_source() -> None:
    drawn = safe_html.markdown(r"the shape $(B, T, V)$ and $\nonsense{x}$")
    assert 'aria-label="(B, T, V)"' in drawn
    assert r"$\nonsense{x}$" in drawn


def test_a_picture_that_is_not_attached_does_not_stop_the_page() -> None:
    assert "attachment:gone.png" in safe_html.markdown("![x](attachment:gone.png)", {"other.png": {}})
    assert "x" in safe_html.markdown("![x](attachment:gone.png)")


def test_very_long_text_keeps_its_beginning_and_its_end() -> None:
    shown = safe_html.text("start" + "x" * 1_000_000 + "end")
    assert shown.startswith("<pre>start")
    assert shown.endswith("end</pre>")
    assert len(shown) < 2 * safe_html.MAX_TEXT


@pytest.mark.parametrize("show", [safe_html.markdown, safe_html.code, highlight_code])
def test_what_would_take_hours_to_render_is_shown_as_it_was_typed(show: Callable[[str], str]) -> None:
    long = "<b>*a*</b> \\[ \n" * 4_000  # unclosed formulas, and lines of nothing but a space
    shown = show(long)
    assert "&lt;b&gt;*a*&lt;/b&gt;" in shown
    assert "<span" not in shown
    assert "<em>" in safe_html.markdown("*a*")
    assert "<span" in highlight_code("x = 1")


def test_a_page_that_has_cost_too_much_shows_the_rest_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [new_markdown_cell("*a* <script>1</script>"), new_code_cell("x = <b>"), new_code_cell("")]
    assert "<em>" in notebook_view.view(new_notebook(cells=cells))[0].body
    monkeypatch.setattr(notebook_view, "PAGE_SECONDS", -1.0)
    bodies = [cell.body for cell in notebook_view.view(new_notebook(cells=cells))]
    assert bodies == ["<pre>*a* &lt;script&gt;1&lt;/script&gt;</pre>", "<pre>x = &lt;b&gt;</pre>"]
