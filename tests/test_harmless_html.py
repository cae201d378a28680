"""What somebody else's HTML keeps, and that any text can be cleaned; for attacks see `reporting/test_safe_html.py`."""

from __future__ import annotations

import pytest

from grading_utils.harmless_html import MAX_TAGS, harmless


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("<b>bold</b>", "<b>bold</b>"), ("<script>alert(1)</script>x", "x"),
        ('<img src="data:image/png;base64,AA==">', '<img src="data:image/png;base64,AA==">'),
        ('<img src="https://example.org/x.png" onerror="alert(1)">', "<img>"),
        ('<a href="javascript:alert(1)">x</a>', "<a rel=\"noopener noreferrer\">x</a>"),
        ('<p onclick="x()" title="t">1</p>', '<p title="t">1</p>'), ("<style>body{display:none}</style><p>t</p>",
        "<p>t</p>"),
        ("<iframe src=x></iframe><p>t</p>", "<p>t</p>"), ("<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)"),
        ("<style>#T_a td:hover{color:red} body{color:red}</style>", "<style>#T_a td:hover { color: red }</style>"),
        ('<p style="width: 3em; position: fixed">1</p>', '<p style="width:3em">1</p>'),
        ("<p style='background: url(https://example.org)'>1</p>", "<p>1</p>"),
        ("<style>#T_a_row0 {background: linear-gradient(90deg, #d65f5f 50%, transparent 50%)}</style>",
         "<style>#T_a_row0 { background: linear-gradient(90deg, #d65f5f 50%, transparent 50%) }</style>"),
    ],
)  # fmt: skip
def test_html_keeps_what_is_harmless(given, cleaned):
    assert harmless(given) == cleaned


ODD = [
    "<a>" * 50_000, "<style>" * 20_000, "<style>a" + "a{" * 50_000 + "</style>", "<style" * 20_000, "<" * 50_000,
    "<script>" * 20_000, "&" * 50_000, "<p " + "a=1 " * 20_000, "<!--" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_odd_html_of_full_length_is_handled(text):
    assert "<script" not in harmless(text)


@pytest.mark.parametrize("element", ["<div>", "<b class=x>", "<table>", "<svg><td>", "<p>"])
def test_elements_in_elements_without_end_are_left_out(element: str) -> None:
    assert harmless(element * (MAX_TAGS + 1)) == "<p>[HTML of too many elements, which is not shown]</p>"


def test_a_large_table_stays_whole() -> None:
    table = "<table>" + ("<tr>" + "<td>1</td>" * 60 + "</tr>") * 1_000 + "</table>"
    assert harmless(table).count("<td>") == 60_000
