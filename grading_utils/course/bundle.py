"""One assignment as the grader needs it: the instructor's cells, in order, with checksums and hidden tests.

A bundle is made from `source/` by running the course's own `GenerateAssignment` preprocessors up to the point
where nbgrader saves cells to its database, so the two always agree, and a test that is mended in `source/` counts
from the next grading on. Building a bundle writes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import preprocessors as stock
from nbgrader.converters import GenerateAssignment
from traitlets.utils.importstring import import_item

from grading_utils.course.cells import TIME_LIMIT_SECONDS, Role, grade_id, role
from grading_utils.course.course import Course
from grading_utils.course.regions import Grammar
from grading_utils.course.released import ReleasedNotebook, read_release, releases
from grading_utils.errors import AuthoringError


@dataclass(frozen=True)
class NotebookBundle:
    """One notebook of an assignment.

    Attributes:
        name: The notebook's file name without `.ipynb`.
        cells: The instructor's cells in order: solutions cleared, hidden tests present, checksums computed.
        metadata: The notebook's own metadata (kernel and language).
        grammar: How the course marks regions inside of cells.
        earlier: Versions of it that students may have got before `source/` was changed.
        cell_seconds: How long a cell may compute unless its author says otherwise.
    """

    name: str
    cells: tuple[Any, ...]
    metadata: dict[str, Any]
    grammar: Grammar = field(default_factory=Grammar)
    earlier: tuple[ReleasedNotebook, ...] = ()
    cell_seconds: float = TIME_LIMIT_SECONDS

    @cached_property
    def managed(self) -> dict[str, Any]:
        """Cells that nbgrader manages, by `grade_id`, in order."""
        return {name: cell for cell in self.cells if (name := grade_id(cell)) is not None}

    @cached_property
    def versions(self) -> tuple[ReleasedNotebook, ...]:
        """What students may have got: as it would be released today, then what was before."""
        return (ReleasedNotebook.of(self.cells, self.grammar), *self.earlier)

    @cached_property
    def leading(self) -> tuple[Any, ...]:
        """The instructor's code cells before the first cell that is a student's or a test."""
        leading = []
        for cell in self.cells:
            if cell.cell_type != "code":
                continue
            if role(cell) is not Role.INSTRUCTOR:
                break
            leading.append(cell)
        return tuple(leading)


@dataclass(frozen=True)
class Bundle:
    """One assignment: its notebooks and the files that belong to it."""

    assignment: str
    notebooks: dict[str, NotebookBundle]
    files: tuple[Path, ...]
    """Further files of the assignment (data, pictures), which replace a student's copies."""
    root: Path
    """The folder that `files` lie in."""
    digest: str
    """SHA-256 over every cell, to notice when the assignment changed."""


def build_bundle(course: Course, assignment: str) -> Bundle:
    """Read an assignment from `source/`.

    Raises:
        CourseError: There is no such assignment.
        AuthoringError: A notebook breaks one of nbgrader's rules; names notebook and rule.
    """
    folder = course.source(course.require(assignment))
    converter = GenerateAssignment(coursedir=course.layout, config=course.config)
    grammar = course.grammar
    notebooks = {}
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.ipynb")):
        notebook = prepare(path, assignment, converter)
        digest.update(nbformat.writes(notebook).encode())
        notebooks[path.stem] = NotebookBundle(
            path.stem,
            tuple(notebook.cells),
            dict(notebook.metadata),
            grammar,
            tuple(read_release(released, grammar) for released in releases(course, assignment, path.stem)),
            course.cell_seconds,
        )
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".ipynb" and ".ipynb_checkpoints" not in path.parts:
            files.append(path)
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return Bundle(assignment, notebooks, tuple(files), folder, digest.hexdigest())


def refuse_other_languages(metadata: Any, where: str) -> None:
    """Make sure that a notebook is in Python, by its kernel's language.

    Raises:
        AuthoringError: It is for another kernel.
    """
    spec = metadata.get("kernelspec", {})
    language = spec.get("language") or metadata.get("language_info", {}).get("name") or "python"
    if not str(language).casefold().startswith(("python", "ipython")):
        raise AuthoringError(
            f"is for the kernel {spec.get('name') or language!r} ({language}); only Python is graded here", where=where
        )


def prepare(path: Path, assignment: str, converter: GenerateAssignment) -> Any:
    """One source notebook after nbgrader's preprocessors up to `SaveCells`, which is left out."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise AuthoringError(f"is no notebook that nbformat can read: {error}", where=str(path)) from error
    for cell in notebook.cells:
        cell.source = cell.source.replace("\r\n", "\n")
    resources: dict[str, Any] = {
        "metadata": {"path": str(path.parent)},
        "nbgrader": {"assignment": assignment, "notebook": path.stem, "student": "."},
    }
    for step in converter.preprocessors:
        kind = import_item(step) if isinstance(step, str) else step
        if issubclass(kind, stock.SaveCells):
            break
        try:
            with contextlib.chdir(converter.coursedir.root):  # as nbgrader does: headers are named from there
                notebook, resources = kind(parent=converter)(notebook, resources)
        except Exception as error:
            raise AuthoringError(f"{kind.__name__}: {error}", where=path.name) from error
    return notebook
