"""Which answers are other ones than those that were graded last: points that a person gave are for the old ones.

Compares the text of cells with what stands in `autograded/`; decides nothing about points.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.cells import nbgrader_metadata

CHANGED = "was graded by hand, and the answer has changed since"


def changed_answers(graded: Path, notebooks: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Names of the graded cells whose answers have changed, by notebook.

    Args:
        graded: The student's folder in `autograded/`, before it is replaced; it need not be there.
        notebooks: The notebooks that are graded now; None for one that was not handed in.

    Returns:
        Written answers and tasks whose own text is another one, and every test where any answer is another one.
    """
    changed = {}
    for name, notebook in notebooks.items():
        before = _answers(graded / f"{name}.ipynb")
        if notebook is None or before is None:
            changed[name] = frozenset[str]()
            continue
        now = {str(entry["grade_id"]): cell for cell in notebook.cells if (entry := nbgrader_metadata(cell))}
        answers = {key for key, cell in now.items() if _is_answer(cell)}
        other = {key for key in answers if key in before and before[key] != now[key].source}
        tests = {key for key, cell in now.items() if nbgrader_metadata(cell).get("grade")} - answers
        changed[name] = frozenset(other | (tests if other else set()))
    return changed


def _answers(path: Path) -> dict[str, str] | None:
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception:  # no earlier version, or one that somebody has damaged: nothing to compare with
        return None
    return {str(entry["grade_id"]): cell.source for cell in notebook.cells if (entry := nbgrader_metadata(cell))}


def _is_answer(cell: Any) -> bool:
    entry = nbgrader_metadata(cell)
    return bool(entry.get("solution") or entry.get("task"))
