"""Cell outputs in nbformat's form, and the bounds that hold for them.

Used by whoever makes an output. What comes from a student's process is checked by `tester.sanitizer`.
"""

from __future__ import annotations

from typing import Any

MAX_OUTPUTS = 200
MAX_TEXT = 1 << 18
MAX_HTML = 1 << 17
MAX_IMAGES = 8 << 20
MIMES = ("text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg")


def stream(name: str, text: str) -> dict[str, Any]:
    """Printed text."""
    return {"output_type": "stream", "name": name, "text": text}


def error(name: str, value: str, lines: list[str]) -> dict[str, Any]:
    """An exception, with its traceback."""
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": lines}


def result(data: dict[str, str]) -> dict[str, Any]:
    """The value of a cell's last expression."""
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None}


def displayed(data: dict[str, str]) -> dict[str, Any]:
    """Something that was displayed."""
    return {"output_type": "display_data", "data": data, "metadata": {}}
