"""The two notebooks that every assignment comes with: the instructor's solution, and the release nobody has touched.

Both as a student would hand them in, so that they can be graded like anybody's.
"""

from __future__ import annotations

import ast
import copy
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.checks.names import bound_names
from grading_utils.checks.source import parse, plain_python
from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import Role, grade_id, role
from grading_utils.jobs import Solution


def solution_notebook(path: Path, bundle: NotebookBundle) -> Any:
    """The instructor's notebook as a perfect student would hand it in: solutions filled in, no markers."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if grade_id(cell) in bundle.managed:
            cell.source = bundle.grammar.solved(cell.source)
    return notebook


def untouched_notebook(bundle: NotebookBundle) -> Any:
    """The release as it is handed in by somebody who has done nothing."""
    return nbformat.from_dict({"cells": [dict(cell) for cell in copy.deepcopy(bundle.cells)]})


def names_in(solution: Any, folder: Path) -> Solution:
    """What the answers of a solution do to the names of the notebook.

    Args:
        solution: The solved notebook.
        folder: Where the assignment's own modules lie; they are no libraries.
    """
    cells = (cell for cell in solution.cells if cell.cell_type == "code" and role(cell) is Role.STUDENT)
    texts = [plain_python(cell.source) for cell in cells]
    imports = {name: origin for text in texts for name, origin in _imports(text)}
    return Solution(
        answers=frozenset[str]().union(*map(bound_names, texts)),
        imports={name: origin for name, origin in imports.items() if _is_library(origin[0].partition(".")[0], folder)},
        makes={name: made for text in texts for name, made in _made(text)},
    )


def _imports(text: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names that a cell imports at its top level, and from where."""
    tree = parse(text)
    for statement in tree.body if tree is not None else ():
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield alias.asname or alias.name.partition(".")[0], (
                    alias.name if alias.asname else alias.name.partition(".")[0], ""
                )  # fmt: skip
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            for alias in statement.names:
                yield alias.asname or alias.name, (statement.module, alias.name)


def _made(text: str) -> Iterator[tuple[str, str]]:
    """Names that a cell binds, at its top level, to what a named class or function makes of constants."""
    tree = parse(text)
    for statement in tree.body if tree is not None else ():
        if isinstance(statement, ast.Assign) and isinstance(call := statement.value, ast.Call):
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            if _is_dotted(call.func) and all(isinstance(value, ast.Constant) for value in given):
                yield from ((name.id, ast.unparse(call)) for name in statement.targets if isinstance(name, ast.Name))


def _is_dotted(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_dotted(node.value))


def _is_library(root: str, folder: Path) -> bool:
    """Is it installed, and not a module of the assignment's own? Nothing is imported to find out."""
    if (folder / f"{root}.py").exists() or (folder / root).is_dir():
        return False
    try:
        return importlib.util.find_spec(root) is not None
    except (ImportError, ValueError):
        return False
