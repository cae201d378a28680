"""Which answers are other ones than those that were graded last: points that a person gave are for the old ones.

Compares the text of cells with what stands in `autograded/`; decides nothing about points.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.cells import grade_id, nbgrader_metadata

CHANGED = "was graded by hand, and the answer has changed since"


def changed_answers(graded: Path, notebooks: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Names of the graded cells whose answers have changed, by notebook.

    Args:
        graded: The student's folder in `autograded/`, before it is replaced; it need not be there.
        notebooks: The notebooks that are graded now; None for one that was not handed in.

    Returns:
        Answers whose text is another one, and every test where any answer is another one.
    """
    changed = {}
    for name, notebook in notebooks.items():
        before = answers_in(graded / f"{name}.ipynb")
        if notebook is None:
            changed[name] = frozenset[str]()
            continue
        answers = _answers(notebook)
        other = {key for key, text in answers.items() if key in before and before[key] != text}
        tests = {str(grade_id(cell)) for cell in notebook.cells if nbgrader_metadata(cell).get("grade")} - set(answers)
        changed[name] = frozenset(other | (tests if other else set()))
    return changed


def answers_in(path: Path) -> dict[str, str]:
    """What a student wrote in a graded notebook, by the name of the cell; empty where the file cannot be read.

    The answer to a task is what stands in the cells after it, up to the next one that is nbgrader's.
    """
    try:
        return _answers(nbformat.read(path, as_version=4))
    except Exception:  # no earlier version, or one that somebody has damaged: nothing to compare with
        return {}


def _answers(notebook: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    task: str | None = None
    for cell in notebook.cells:
        entry, name = nbgrader_metadata(cell), grade_id(cell)
        if name is None:
            if task is not None and cell.source.strip():
                found[task] = f"{found[task]}\n\n{cell.source}".strip("\n")
            continue
        task = name if entry.get("task") else None
        if task is not None:
            found[task] = ""
        elif entry.get("solution"):
            found[name] = cell.source
    return found
