"""Where the instructor notebooks and the real models are, and how the tests here run cells in one kernel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from grading_utils.errors import ModelError
from grading_utils.language_model.resolver import resolve_model

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "source").glob("*/*.ipynb"))

_SAVE = "_saved_names = dict(globals())"
_RESTORE = """
for _name in [name for name in globals() if name not in _saved_names]:
    del globals()[_name]
globals().update(_saved_names)
"""


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def metadata(cell: Any) -> dict[str, Any]:
    return dict(cell.metadata.get("nbgrader", {}))


def is_answer(cell: Any) -> bool:
    return cell.cell_type == "code" and bool(metadata(cell).get("solution"))


def is_check(cell: Any) -> bool:
    return cell.cell_type == "code" and bool(metadata(cell).get("grade")) and not is_answer(cell)


def printed(cell: Any) -> str:
    """What an executed cell printed."""
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def real_model(name: str) -> str:
    """The folder of a model that is on this machine; skips the test, by the model's name, where it isn't."""
    try:
        found = resolve_model(name)
    except ModelError as problem:
        pytest.skip(str(problem))
    if found.source == "shipped":
        pytest.skip(f"{name} is not on this machine")
    return str(found.path)


def assert_all_resolved(executed: dict[str, Any]) -> None:
    """Every cell of a run notebook that resolves a prediction shows what is true."""
    resolving = [cell for cell in executed.values() if "show_prediction(" in cell.source]
    assert resolving
    for cell in resolving:
        shown = "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
        assert "What is true" in shown, cell.source
        assert "This cell shows what your" not in shown, shown


class Kernel:
    """A kernel that runs single cells; `trial()` undoes what ran inside it."""

    def __init__(self, client: NotebookClient) -> None:
        self._client = client

    def run(self, source: str) -> tuple[str, Any]:
        """Run one piece of source; returns the error's message ("" for none) and the executed cell."""
        cell = nbformat.v4.new_code_cell(source)
        self._client.nb.cells.append(cell)
        try:
            self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        except CellExecutionError as error:
            return f"{error.ename}: {error.evalue}", cell
        return "", cell

    @contextmanager
    def trial(self) -> Iterator[None]:
        self.run(_SAVE)
        yield
        self.run(_RESTORE)


@contextmanager
def kernel(folder: Path) -> Iterator[Kernel]:
    """A fresh kernel, its working directory `folder`."""
    notebook = nbformat.v4.new_notebook()
    client = NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    with client.setup_kernel():
        yield Kernel(client)
