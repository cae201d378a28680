"""Outputs from a student's process, rebuilt: only known shapes, only harmless MIME types, bounded in number and size.

They end up in a page that an instructor or the student opens in a browser. What HTML may hold, and Markdown that has
some in it, is `harmless_html`'s decision; widgets and JavaScript are dropped.
"""

from __future__ import annotations

import re
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
from grading_utils.harmless_html import harmless

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_CUT = "\n… the rest of this output was left out …"


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
            text = _plain(value)
            data[mime] = harmless(text) if "<" in text else text
    return data
