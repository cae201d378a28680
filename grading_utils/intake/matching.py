"""Which cell of a submission is which cell of the assignment.

A cell is known by the `grade_id` in its metadata; where that was stripped or changed by its cell id; where both are
gone, a cell of the instructor's by its text, and an answer by its place between cells that are known. Decides by what
students may edit, so it decides nothing but whose text is shown where: see `restoring`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from grading_utils.course.bundle import NotebookBundle
from grading_utils.course.cells import grade_id, is_instructor_owned
from grading_utils.course.released import plain_text
from grading_utils.errors import SubmissionError


@dataclass
class Matching:
    """What each submitted cell is.

    Attributes:
        names: For every submitted cell the name of the managed cell that it stands for; None for a student's own.
        attention: Notes that need a person, because a cell was guessed.
        repairs: Notes on cells that were found without their names.
    """

    names: list[str | None]
    attention: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)

    def missing(self, bundle: NotebookBundle) -> list[str]:
        """Names of managed cells that no submitted cell stands for, in order."""
        known = set(self.names)
        return [name for name in bundle.managed if name not in known]


def match(cells: list[Any], bundle: NotebookBundle) -> Matching:
    """Find the managed cells among those of a submission.

    Args:
        cells: All cells of a notebook from `reading.read_notebook`.
        bundle: The notebook of the assignment that it answers.

    Raises:
        SubmissionError: It is the notebook of another assignment.
    """
    claimed = [grade_id(cell) for cell in cells]
    matching = Matching([name if name in bundle.managed else None for name in claimed])
    if not any(matching.names) and any(claimed):
        raise SubmissionError(f"holds cells of another assignment and none of {bundle.name}.ipynb")
    if found := _by_id(cells, bundle, matching):
        matching.repairs.append(f"{found} cells without nbgrader's metadata were found by their ids")
    if found := _by_text(cells, bundle, matching):
        matching.repairs.append(f"{found} cells without nbgrader's metadata were found by their text")
    if guessed := _by_place(cells, bundle, matching):
        matching.attention.append(
            f"no cell is named {', '.join(guessed)} any more; what stands in that place was taken for the answer"
        )
    return matching


def _by_id(cells: list[Any], bundle: NotebookBundle, matching: Matching) -> int:
    by_id = {cell.id: name for name, cell in reversed(bundle.managed.items()) if "id" in cell}
    for version in bundle.earlier:
        by_id |= {cell.id: name for name, cell in version.managed.items() if cell.id and name in bundle.managed}
    missing, found = set(matching.missing(bundle)), 0
    renamed = {name for version in bundle.earlier for name in version.managed}
    for index, cell in enumerate(cells):
        name = by_id.get(cell.get("id"))
        if matching.names[index] is None and name in missing:
            matching.names[index] = name
            missing.discard(name)
            found += grade_id(cell) not in renamed  # otherwise its author has renamed it since the release
    return found


def _by_text(cells: list[Any], bundle: NotebookBundle, matching: Matching) -> int:
    """Find cells of the instructor's that are word for word as released; equal ones in their order."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for name in matching.missing(bundle):
        if is_instructor_owned(bundle.managed[name]):
            texts = {plain_text(version.managed[name].source) for version in bundle.versions if name in version.managed}
            for text in filter(None, texts):
                wanted[text].append(name)
    found: set[str] = set()
    for index, cell in enumerate(cells if wanted else ()):
        if matching.names[index] is None:
            left = [name for name in wanted.get(plain_text(cell.source), ()) if name not in found]
            if left:
                matching.names[index] = left[0]
                found.add(left[0])
    return len(found)


def _by_place(cells: list[Any], bundle: NotebookBundle, matching: Matching) -> list[str]:
    """Take what a student wrote between two known cells for the answers that are missing there, if nothing is unclear.

    Returns:
        The answers that were found so.
    """
    prose = {plain_text(text) for version in bundle.versions for text in version.prose}
    last = {name: index for index, name in enumerate(matching.names)}
    first = {name: index for index, name in reversed(list(enumerate(matching.names)))}
    guessed: list[str] = []
    start, run = -1, list[str]()
    for known in (*bundle.managed, None) if any(matching.names) else ():
        if known is not None and known not in last:
            run += [] if is_instructor_owned(bundle.managed[known]) else [known]
            continue
        end = len(cells) if known is None else first[known]
        own = [
            index
            for index in range(start + 1, end)
            if matching.names[index] is None and plain_text(cells[index].source) not in {"", *prose}
        ]
        for is_code in (True, False):
            answers = [name for name in run if (bundle.managed[name].cell_type == "code") == is_code]
            places = [index for index in own if (cells[index].cell_type == "code") == is_code]
            if len(answers) == len(places) or (len(answers) == 1 and places):
                for answer, index in zip(answers, places, strict=False):
                    matching.names[index] = answer
                    guessed.append(answer)
        start, run = (start if known is None else last[known]), []
    return [name for name in bundle.managed if name in guessed]
