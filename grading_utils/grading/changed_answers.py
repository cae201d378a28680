"""Which answers are other ones than those that were graded last: points that a person gave are for the old ones.

Compares the text of cells with what stands in `autograded/`; decides nothing about points.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.cells import grade_id, is_graded_by_hand, nbgrader_metadata

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


def answers_in(path: Path, prose: Collection[str] = ()) -> dict[str, str]:
    """What a student wrote in a graded notebook, by the name of the cell; empty where the file cannot be read.

    The answer to a task is what stands in the cells after it, up to the next one that is nbgrader's. To a written
    answer belongs what was written into cells of their own beside it.

    Args:
        path: The notebook.
        prose: Texts of the instructor's that stand in cells which nbgrader doesn't know; they are nobody's answer.
    """
    try:
        return _answers(nbformat.read(path, as_version=4), prose)
    except Exception:  # no earlier version, or one that somebody has damaged: nothing to compare with
        return {}


def _answers(notebook: Any, prose: Collection[str] = ()) -> dict[str, str]:
    found: dict[str, str] = {}
    open_task, anchor = False, ""
    above: list[str] = []
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is None:
            text = cell.source.strip()
            if text in prose or not (open_task or _is_prose(cell)):
                continue
            if anchor:
                found[anchor] = f"{found[anchor]}\n\n{cell.source}".strip("\n")
            else:
                above.append(cell.source)
            continue
        by_hand, open_task = is_graded_by_hand(cell), bool(nbgrader_metadata(cell).get("task"))
        if by_hand or nbgrader_metadata(cell).get("solution"):
            own = [] if open_task else [cell.source]
            found[name] = "\n\n".join([*above, *own] if by_hand else own)
        anchor, above = name if by_hand else "", []
    return found


def _is_prose(cell: Any) -> bool:
    """Is it text, or code of which every line is a comment?"""
    lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
    return bool(lines) and (cell.cell_type != "code" or all(line.startswith("#") for line in lines))
