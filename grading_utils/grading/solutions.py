"""The two notebooks that every assignment comes with: the instructor's solution, and the release nobody has touched.

Both as a student would hand them in, so that they can be graded like anybody's.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.checks.names import bound_names
from grading_utils.checks.source import plain_python
from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import Role, grade_id, role


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


def answered_names(solution: Any) -> frozenset[str]:
    """Names that the answers in a solution bind at the top level of the notebook."""
    answers = (cell for cell in solution.cells if cell.cell_type == "code" and role(cell) is Role.STUDENT)
    return frozenset[str]().union(*(bound_names(plain_python(cell.source)) for cell in answers))
