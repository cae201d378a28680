"""A notebook that is run from top to bottom with nothing answered: no locked cell fails, so that nothing cascades."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .notebooks import ROOT, every_notebook, is_answer, is_check, kernel, metadata, read


def is_demonstration(cell: Any) -> bool:
    """Is it the notebook's own, and neither an answer nor a check?"""
    return bool(metadata(cell)) and not is_answer(cell) and not is_check(cell)


@every_notebook
def test_with_every_task_blank_only_checks_and_what_is_the_students_own_fail(path: Path, tmp_path: Path) -> None:
    failed = []
    with kernel(tmp_path) as run:
        for cell in read(ROOT / "release" / path.parent.name / path.name).cells:
            failed += (
                [cell.id] if cell.cell_type == "code" and run.run(cell.source)[0] and is_demonstration(cell) else []
            )
    assert failed == []
