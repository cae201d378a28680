"""Outputs from a student's process, rebuilt: only known shapes, only harmless MIME types, bounded in number and size.

They end up in a page that an instructor or the student opens in a browser. HTML loses scripts, event handlers and
links to other hosts; widgets and JavaScript are dropped.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from grading_utils.boundary.warm.outputs import (
    MAX_HTML,
    MAX_IMAGES,
    MAX_OUTPUTS,
    MAX_TEXT,
    MIMES,
    displayed,
    error,
    result,
    stream,
)

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_CUT = "\n… the rest of this output was left out …"

_TAGS = frozenset({
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "div", "dl", "dt",
    "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre",
    "q", "s", "samp", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "tt", "u", "ul", "var",
})  # fmt: skip
_ATTRIBUTES = {
    "*": ["class", "title", "colspan", "rowspan", "border", "align", "valign", "style"],
    "img": ["src", "alt"],
}


def checked(outputs: list[Any]) -> list[dict[str, Any]]:
    """Rebuild outputs that come from a student's process; whatever has no place in a notebook is left out."""
    budget = _Budget()
    found = (_checked(output, budget) for output in outputs[:MAX_OUTPUTS])
    return [output for output in found if output is not None]


class _Budget:
    """How much text and how many bytes of images may still come."""

    def __init__(self) -> None:
        self.text = MAX_TEXT
        self.html = MAX_HTML
        self.images = MAX_IMAGES

    def take(self, value: object) -> str:
        text = _plain(value)
        kept, self.text = text[: self.text], max(0, self.text - len(text))
        return kept if len(kept) == len(text) else kept + _CUT


def _plain(value: object) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _checked(output: Any, budget: _Budget) -> dict[str, Any] | None:
    if not isinstance(output, dict):
        return None
    kind = output.get("output_type")
    if kind == "stream":
        return stream("stderr" if output.get("name") == "stderr" else "stdout", budget.take(output.get("text")))
    if kind == "error":
        lines = output.get("traceback")
        lines = [budget.take(line) for line in lines[:200]] if isinstance(lines, list) else []
        return error(_plain(output.get("ename"))[:200], budget.take(output.get("evalue")), lines)
    if kind in ("display_data", "execute_result"):
        given = output.get("data")
        data = _data(given, budget) if isinstance(given, dict) else {}
        if not data:
            return None
        return result(data) if kind == "execute_result" else displayed(data)
    return None


def _data(given: dict[Any, Any], budget: _Budget) -> dict[str, str]:
    data = {}
    for mime in MIMES:
        value = given.get(mime)
        if not isinstance(value, str):
            continue
        if mime.startswith("image/"):
            if len(value) <= budget.images and _BASE64.fullmatch(value):
                budget.images -= len(value)
                data[mime] = value
        elif mime == "text/plain":
            data[mime] = budget.take(value)
        elif len(value) <= budget.html:  # half a table would not be one
            budget.html -= len(value)
            data[mime] = clean_html(_plain(value))
    return data


def clean_html(text: str) -> str:
    """HTML (or Markdown that may contain some) without anything that runs or that loads from elsewhere."""
    if "<" not in text:
        return text
    return str(_cleaner().clean(re.sub(r"(?is)<(style|script)\b.*?(?:</\1\s*>|\Z)", "", text)))


@cache
def _cleaner() -> Any:
    from bleach.css_sanitizer import CSSSanitizer
    from bleach.sanitizer import Cleaner

    return Cleaner(tags=_TAGS, attributes=_ATTRIBUTES, protocols=["data"], css_sanitizer=CSSSanitizer(), strip=True)
