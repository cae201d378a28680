"""Fill-in scaffolds: what students see in place of a solution, written by the author inside the solution itself.

A solution region may end with the scaffold, as comments::

    ### BEGIN SOLUTION
    batch = tokenizer(phrase, return_tensors="pt")
    ### SCAFFOLD
    # batch = tokenizer(..., return_tensors="pt")
    ### END SOLUTION

In the release the region becomes the lines after `### SCAFFOLD` without their leading `# `. A region without a
scaffold becomes nbgrader's usual stub. Where nbgrader runs without this preprocessor every region becomes that
stub, so the notebooks stay plain nbgrader notebooks.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from nbgrader.preprocessors import ClearSolutions
from traitlets import Unicode

from grading_utils.course.regions import Grammar, Markers
from grading_utils.errors import AuthoringError

_COMMENT = re.compile(r"^(\s*)# ?(.*)$")


class ScaffoldSolutions(ClearSolutions):
    """nbgrader's `ClearSolutions`, with the author's scaffold in place of the stub where there is one."""

    scaffold_delimeter = Unicode(
        "### SCAFFOLD", help="The line inside a solution region after which the scaffold follows, as comments"
    ).tag(config=True)

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Put scaffolds in place, then let nbgrader clear whatever region has none."""
        if cell.cell_type == "code" and self.scaffold_delimeter in cell.source:
            where = f"cell {cell.get('metadata', {}).get('nbgrader', {}).get('grade_id') or cell_index}"
            if not cell.get("metadata", {}).get("nbgrader", {}).get("solution"):
                raise AuthoringError("has a scaffold but is no solution cell", where=where)
            cell.source = self._with_scaffolds(cell.source, where)
            if self.begin_solution_delimeter not in cell.source:
                return cell, resources
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        return cell, resources

    def _with_scaffolds(self, source: str, where: str) -> str:
        """Replace every region that has a scaffold; regions without one keep their markers."""
        markers = Markers(self.begin_solution_delimeter, self.end_solution_delimeter)
        try:
            regions = Grammar(solution=markers, scaffold=self.scaffold_delimeter).solutions(source)
        except AuthoringError as error:
            raise AuthoringError(error.message, where=where) from error
        lines = source.split("\n")
        for region in reversed(regions):
            if region.scaffold is not None:
                shown = [_uncommented(lines[number - 1], where) for number in region.shown]
                lines[region.first - 1 : region.last] = shown
        cleared = "\n".join(lines)
        if self.begin_solution_delimeter not in cleared:
            check_parses(cleared, where)
        return cleared


def _uncommented(line: str, where: str) -> str:
    match = _COMMENT.match(line)
    if match is None and line.strip():
        raise AuthoringError(f"a scaffold line is no comment: {line.strip()!r}", where=where)
    return match.group(1) + match.group(2) if match else ""


def check_parses(source: str, where: str) -> None:
    """Refuse a scaffold that is not Python: a student could not even run the cell.

    Raises:
        AuthoringError: The text does not parse; names the line.
    """
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise AuthoringError(
            f"the scaffold is not valid Python: line {error.lineno}: {error.msg}: {(error.text or '').strip()!r}; "
            "write blanks as `...`",
            where=where,
        ) from error
