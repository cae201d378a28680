"""A notebook as a sequence of ready-made HTML fragments for the feedback page.

Everything in them is safe to show (`safe_html.py`); which hidden lines are in them was decided before
(`redaction.py`). The layout around them is the template's.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from grading_utils.course.cells import grade_id
from grading_utils.reporting import safe_html

PAGE_SECONDS = 10.0
"""Computing that one page may cost; after that its cells are shown as they were typed. Hundreds take a second."""


@dataclass(frozen=True)
class OutputView:
    """One output of a code cell: `kind` is `stream`, `stderr`, `error` or `data`."""

    kind: str
    body: Markup


@dataclass(frozen=True)
class CellView:
    """One cell: `kind` is nbformat's cell type; `prompt` is the execution count as text."""

    kind: str
    grade_id: str | None
    prompt: str
    body: Markup
    outputs: tuple[OutputView, ...] = ()


def view(notebook: Any) -> tuple[CellView, ...]:
    """Render the cells of a redacted notebook in order; empty code cells are left out."""
    end = time.thread_time() + PAGE_SECONDS
    cells = (_cell(cell, plain=time.thread_time() > end) for cell in notebook.cells)
    return tuple(cell for cell in cells if cell is not None)


def _cell(cell: Any, *, plain: bool) -> CellView | None:
    name = grade_id(cell)
    if plain:
        return CellView("raw", name, "", safe_html.text(cell.source)) if cell.source.strip() else None
    if cell.cell_type == "markdown":
        return CellView("markdown", name, "", safe_html.markdown(cell.source, cell.get("attachments")))
    if cell.cell_type != "code":
        return CellView("raw", name, "", safe_html.text(cell.source))
    if not cell.source.strip() and not cell.outputs:
        return None
    count = cell.get("execution_count")
    outputs = tuple(_output(output) for output in cell.outputs)
    prompt = str(count) if isinstance(count, int) else ""
    return CellView("code", name, prompt, safe_html.code(cell.source), outputs)


def _output(output: Any) -> OutputView:
    if output.output_type == "stream":
        return OutputView("stderr" if output.name == "stderr" else "stream", safe_html.text(output.text))
    if output.output_type == "error":
        trace = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
        return OutputView("error", safe_html.text(trace))
    return OutputView("data", _data(output.data))


def _data(data: Any) -> Markup:
    """The richest of the representations that can be shown without running anything."""
    fallback = str(data.get("text/plain", ""))
    rich = data.get("text/html")
    if isinstance(rich, str) and len(rich) <= safe_html.MAX_HTML:
        return safe_html.html(rich)
    if isinstance(drawing := data.get("image/svg+xml"), str):
        encoded = base64.b64encode(drawing.encode("utf-8", "replace")).decode()
        return safe_html.image("image/svg+xml", encoded, fallback or "drawing")
    for kind in ("image/png", "image/jpeg", "image/gif"):
        if isinstance(picture := data.get(kind), str):
            return safe_html.image(kind, picture, fallback or "picture")
    if isinstance(prose := data.get("text/markdown"), str):
        return safe_html.markdown(prose)
    if isinstance(formula := data.get("text/latex"), str):
        return safe_html.text(formula)
    return safe_html.text(fallback)
