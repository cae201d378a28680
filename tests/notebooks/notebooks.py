"""Where the instructor notebooks and the real models are, and how the tests here run cells in one kernel."""

from __future__ import annotations

import contextlib
import html
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from grading_utils.course.cells import is_demonstration
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


class Page:
    """What a student has before them: the cells, what each of them shows, and the names that are bound in the end.

    Attributes:
        sources: the cells of the instructor's version, by id.
    """

    def __init__(self, notebook: Any, executed: dict[str, Any]) -> None:
        self.sources = {cell.id: cell.source for cell in notebook.cells}
        self._executed = executed
        self._names: dict[str, Any] = {}
        self._cells = [cell for cell in notebook.cells if cell.cell_type == "code" and not is_check(cell)]

    def shown(self, cell: str) -> str:
        """What a cell shows, as text: what it prints, its HTML without tags, the text of its pictures."""
        parts = []
        for output in self._executed[cell].outputs:
            page = re.sub(r'<img alt="([^"]*)"[^>]*>', r"\1", output.get("data", {}).get("text/html", ""))
            page = re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL)
            parts += [output.get("text", ""), html.unescape(re.sub(r"<[^>]+>", " ", page))]
        return "".join(parts)

    def __getitem__(self, name: str) -> Any:
        """What a name stands for in the end."""
        return self.names()[name]

    def names(self) -> dict[str, Any]:
        """The names that the locked cells and the instructor's answers bind."""
        if not self._names:
            for cell in self._cells:
                if metadata(cell) and not is_demonstration(cell):
                    with contextlib.redirect_stdout(io.StringIO()):
                        exec(cell.source, self._names)
        return self._names

    def revealed(self, cell: str) -> str:
        """What the folded code of a stretch task prints."""
        code = re.findall(r"```python\n(.*?)```", self.sources[cell], re.DOTALL)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code[-1], self.names() | {})
        return printed.getvalue()


Sentences = Mapping[tuple[str, str], Callable[[Page], Any]]


def tied(sentences: Sentences) -> Any:
    """Parametrize a test with `cell, words, holds`: words of a page, and what makes them true."""
    return pytest.mark.parametrize(
        ("cell", "words", "holds"),
        [pytest.param(cell, words, holds, id=f"{cell}: {words}") for (cell, words), holds in sentences.items()],
    )


def assert_true_on_the_page(page: Page, cell: str, words: str, holds: Callable[[Page], Any]) -> None:
    """The words stand in the cell, and they are true."""
    assert " ".join(words.split()) in " ".join(page.sources[cell].split()), f"{cell} no longer says this"
    assert holds(page), f"{cell} says {words!r}"


def section_table_agrees(page: Page) -> bool:
    """The table of sections in the title has the minutes of the headings, and all points."""
    rows = re.findall(r"^\| (\d .*?) \|.*\| (\d+) \| ([\d +]+) \|$", page.sources["title"], re.MULTILINE)
    headings = [re.findall(r"^## (\d)\. (.*) \((\d+) minutes\)$", text, re.MULTILINE) for text in page.sources.values()]
    stated = [(f"{number} {title}", minutes) for found in headings for number, title, minutes in found]
    total = re.search(r"(\d+) points", page.sources["title"])
    assert total is not None
    points = sum(int(number) for *_, given in rows for number in given.split("+"))
    return [row[:2] for row in rows] == stated and points == int(total[1])


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
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources)  # for a busy machine
    with client.setup_kernel():
        yield Kernel(client)
