"""The notebook that a test module is about, as it is and after a run from top to bottom.

A module that uses these fixtures names its notebook in `PATH`; it may ask for more to be run after the last cell, in
`PROBES`: a name for the result, and the source.
"""

from __future__ import annotations

from typing import Any

import pytest

from .notebooks import Page, kernel, read


@pytest.fixture(scope="module")
def notebook(request: pytest.FixtureRequest) -> Any:
    return read(request.module.PATH)


@pytest.fixture(scope="module")
def executed(request: pytest.FixtureRequest, notebook: Any) -> dict[str, Any]:
    """Every code cell after a run from top to bottom, by id; an error is a cell's `error`.

    It runs where the notebook is, so that it finds the notebook before it.
    """
    sources = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}
    cells = {}
    with kernel(request.module.PATH.parent) as run:
        for name, source in {**sources, **getattr(request.module, "PROBES", {})}.items():
            message, cells[name] = run.run(source)
            cells[name]["error"] = message
    return cells


@pytest.fixture(scope="module")
def page(notebook: Any, executed: dict[str, Any]) -> Page:
    return Page(notebook, executed)
