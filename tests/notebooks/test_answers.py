"""Every answer in `tests/answers/` gets the points that it states, in a plain kernel like stock nbgrader's.

For one notebook: run the instructor's cells in order; at each answer cell try all its answers, each followed by the
checks it names, and forget what it did before the next.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from .notebooks import ANSWERS, NOTEBOOKS, Kernel, is_answer, is_check, kernel, metadata, read

WITH_ANSWERS = [path for path in NOTEBOOKS if (ANSWERS / path.parent.name).is_dir()]


def answers_to(assignment: str, grade_id: str) -> list[dict[str, Any]]:
    path = ANSWERS / assignment / f"{grade_id}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else []


def grade(run: Kernel, answer: dict[str, Any], checks: dict[str, Any]) -> list[str]:
    """Try one answer; returns in what it surprised us."""
    surprises = []
    messages = []
    with run.trial():
        run.run(answer["source"])
        for grade_id, expected in answer["expect"].items():
            message, cell = run.run(checks[grade_id].source)
            wrote_stderr = any(output.get("name") == "stderr" for output in cell.outputs)
            points = 0 if message or wrote_stderr else metadata(checks[grade_id])["points"]
            messages.append(message)
            if points != expected:
                surprises.append(f"{answer['name']}: {grade_id} gave {points}, not {expected}. {message[-300:]}")
    said = "\n".join(messages)
    surprises += [
        f"{answer['name']}: no message says {word!r}: {said[-600:]}"
        for word in answer.get("message_contains", [])
        if word not in said
    ]
    return surprises


@pytest.mark.parametrize("path", WITH_ANSWERS, ids=lambda path: path.parent.name)
def test_answers_get_the_points_they_deserve(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    checks = {cell.id: cell for cell in notebook.cells if is_check(cell)}
    surprises = []
    with kernel(tmp_path) as run:
        for cell in notebook.cells:
            if cell.cell_type != "code" or is_check(cell):
                continue
            for answer in answers_to(path.parent.name, cell.id) if is_answer(cell) else []:
                surprises += [f"{cell.id}: {surprise}" for surprise in grade(run, answer, checks)]
            message, _ = run.run(cell.source)
            assert not message, f"{cell.id} of the instructor's notebook fails: {message}"
    assert not surprises, "\n".join(surprises)


@pytest.mark.parametrize("path", WITH_ANSWERS, ids=lambda path: path.parent.name)
def test_every_answer_cell_has_right_and_wrong_answers(path: Path) -> None:
    notebook = read(path)
    points = {cell.id: metadata(cell)["points"] for cell in notebook.cells if is_check(cell)}
    for cell in filter(is_answer, notebook.cells):
        answers = answers_to(path.parent.name, cell.id)
        right = [a for a in answers if all(points[check] == got for check, got in a["expect"].items())]
        assert len(right) >= 3, f"{cell.id} has {len(right)} right answers of at least 3"
        assert len(answers) - len(right) >= 5, f"{cell.id} has {len(answers) - len(right)} wrong answers of at least 5"
        assert len({answer["name"] for answer in answers}) == len(answers), f"{cell.id}: two answers share a name"
