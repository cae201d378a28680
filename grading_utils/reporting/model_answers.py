"""Model answer and rubric beside each answer that a person grades, in nbgrader's formgrader and nowhere else.

`nbgrader_config.py` makes it a step of the exporter that draws the formgrader's pages. They are read from `source/` for
each page and stored nowhere, so no release, no feedback and no graded notebook can hold them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import Preprocessor
from nbformat.v4 import new_markdown_cell
from nbgrader.coursedir import CourseDirectory

from grading_utils.course.cells import nbgrader_metadata
from grading_utils.course.regions import Grammar

HEADING = "Model answer and rubric (only graders see this)"


class ShowModelAnswers(Preprocessor):
    """Adds a cell below each answer and task that a person grades; only to pages of the formgrader."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """See nbconvert's `Preprocessor`."""
        if not _is_formgrader(resources):
            return nb, resources
        layout = CourseDirectory(config=self.config)
        folder = Path(layout.format_path(layout.source_directory, ".", resources["assignment_id"]))
        path = folder / f"{resources['notebook_id']}.ipynb"
        if not path.is_file():
            return nb, resources
        answers = {
            nbgrader_metadata(cell).get("grade_id"): cell
            for cell in nbformat.read(path, as_version=4).cells
            if _is_graded_by_hand(cell)
        }
        cells = []
        for cell in nb.cells:
            cells.append(cell)
            known = answers.get(nbgrader_metadata(cell).get("grade_id")) if _is_graded_by_hand(cell) else None
            if known is not None:
                cells.append(new_markdown_cell(_beside(known, Grammar.of(self.config))))
        nb.cells = cells
        return nb, resources


def _is_formgrader(resources: Any) -> bool:
    """The formgrader names the submission and its own address; nbgrader's feedback has neither."""
    return "submission_id" in resources and "base_url" in resources


def _is_graded_by_hand(cell: Any) -> bool:
    entry = nbgrader_metadata(cell)
    return bool(entry.get("task") or (entry.get("grade") and entry.get("solution")))


def model_answer(cell: Any, grammar: Grammar) -> str:
    """What an instructor's answer or task cell says to graders: answer, mark scheme and all."""
    text = grammar.solved(cell.source) if cell.cell_type == "code" else cell.source
    return "\n".join(line for line in text.split("\n") if grammar.marker_in(line) is None).strip()


def _beside(cell: Any, grammar: Grammar) -> str:
    body = model_answer(cell, grammar)
    shown = f"```python\n{body}\n```" if cell.cell_type == "code" else body
    return f"**{HEADING}**\n\n{shown}"
