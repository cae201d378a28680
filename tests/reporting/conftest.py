"""A made-up class with every kind of result, from a fixed seed."""

from __future__ import annotations

import random

import pytest

from grading_utils.results import CellResult, Status, SubmissionResult

QUESTIONS = {
    "04-next-token": {
        "vocabulary-size": 1.0,
        "tokenize-prompt": 2.0,
        "logits-shape": 2.0,
        "last-token-logits": 2.0,
        "argmax-token": 3.0,
        "top-k-table": 4.0,
        "predict-next-tokens": 6.0,
        "explain-logits-shape": 2.0,
        "explain-minus-three": 2.0,
        "explain-sentences": 3.0,
    },
    "05-temperature": {"scale-logits": 3.0, "sample": 4.0, "entropy": 3.0, "explain-temperature": 2.0},
}
WRITTEN = {"explain-logits-shape", "explain-minus-three", "explain-sentences", "explain-temperature"}
MESSAGES = (
    "your probabilities sum to {0:.1f}: did you apply softmax over the vocabulary (dim=-1)?",
    "the tokens are not sorted: the most probable one comes first",
    "`predict_next_tokens` reads the global variable `prompt` (line 3): pass it as an argument",
    "expected a table of {1} rows, yours has {2}",
)


def make_class(students: int = 30, seed: int = 7) -> list[SubmissionResult]:
    """Results of a class: mostly good ones, and a few of each kind of trouble."""
    dice = random.Random(seed)
    results = []
    for assignment, questions in QUESTIONS.items():
        for number in range(1, students + 1):
            student = f"student{number:02d}"
            if number % 13 == 5:
                results.append(_failed(student, assignment, sum(questions.values())))
                continue
            skill = 0.0 if number == 9 else min(1.0, dice.betavariate(4.2, 1.4))
            cells = tuple(_cell(dice, name, points, skill) for name, points in questions.items())
            slow = number % 11 == 3
            results.append(
                SubmissionResult(
                    student=student,
                    assignment=assignment,
                    status=Status.NEEDS_ATTENTION if slow else Status.GRADED,
                    score=sum(cell.score or 0.0 for cell in cells),
                    max_score=sum(questions.values()),
                    message="`generate_sentence` was stopped after 30 s: it looks like an endless loop" if slow else "",
                    seconds=30.0 + dice.random() if slow else dice.uniform(0.2, 1.4),
                    cells=cells,
                )
            )
    return results


def _failed(student: str, assignment: str, points: float) -> SubmissionResult:
    return SubmissionResult(
        student=student,
        assignment=assignment,
        status=Status.FAILED,
        score=0.0,
        max_score=points,
        message="04-next-token.ipynb is not valid JSON: it ends in the middle of cell 12; ask for a new copy",
        seconds=0.02,
    )


def _cell(dice: random.Random, name: str, points: float, skill: float) -> CellResult:
    if name in WRITTEN:
        return CellResult(grade_id=name, score=None, max_score=points)
    hard = {"predict-next-tokens": 0.6, "top-k-table": 0.8, "entropy": 0.7}.get(name, 1.05)
    if dice.random() < skill * hard:
        return CellResult(grade_id=name, score=points, max_score=points)
    message = dice.choice(MESSAGES).format(dice.uniform(1, 5), 5, dice.randrange(1, 4))
    partial = points / 2 if points > 2 and dice.random() < 0.4 * (skill > 0) else 0.0
    return CellResult(grade_id=name, score=partial, max_score=points, message=message)


@pytest.fixture
def results() -> list[SubmissionResult]:
    return make_class()
