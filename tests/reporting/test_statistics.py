"""What the report says about a class."""

from __future__ import annotations

import pytest

from grading_utils.reporting.pages import duration, percent, points
from grading_utils.reporting.statistics import distribution, share, summarize
from grading_utils.results import CellResult, Status, SubmissionResult


def submission(student: str, *scores: float | None, message: str = "", status: Status = Status.GRADED, **cell: str):
    cells = tuple(
        CellResult(grade_id=f"q{n}", score=score, max_score=2.0, message=cell.get(f"q{n}", ""))
        for n, score in enumerate(scores, start=1)
    )
    return SubmissionResult(
        student=student,
        assignment="a",
        status=status,
        score=sum(score or 0.0 for score in scores),
        max_score=2.0 * len(scores),
        message=message,
        seconds=float(len(student)),
        cells=cells,
    )


def test_the_share_counts_only_what_is_graded() -> None:
    assert share(submission("ada", 2.0, 1.0, None)) == 0.75
    assert share(submission("ada", None)) is None
    assert share(submission("ada", status=Status.FAILED)) is None


@pytest.mark.parametrize(
    ("value", "bin_"), [(0, 0), (0.0999, 0), (0.1, 1), (0.3, 3), (0.7, 7), (1.0, 9), (1.2, 9), (-0.1, 0)]
)
def test_shares_fall_into_the_bin_that_the_axis_shows(value: float, bin_: int) -> None:
    counts = distribution([value]).counts
    assert [n for n, count in enumerate(counts) if count] == [bin_]


def test_a_submission_that_was_not_graded_counts_in_no_statistic() -> None:
    (report,) = summarize([submission("ada", 2.0), submission("bob", status=Status.FAILED, message="empty file")])
    assert report.distribution is not None
    assert sum(report.distribution.counts) == 1
    assert report.questions[0].scored == 1
    assert (report.graded, report.failed) == (1, 1)


def test_the_hardest_question_comes_first_and_those_without_a_score_last() -> None:
    (report,) = summarize([submission("ada", 2.0, None, 0.0, 1.0), submission("bob", 2.0, None, 1.0, 1.0)])
    hardest_first = sorted(report.questions, key=lambda question: question.order)
    assert [question.grade_id for question in hardest_first] == ["q3", "q4", "q1", "q2"]
    assert [question.share for question in hardest_first] == [0.25, 0.5, 1.0, None]


def test_messages_that_differ_only_in_numbers_are_one_reason() -> None:
    rows = [
        submission("ada", 0.0, q1="your probabilities sum to 3.2"),
        submission("bob", 0.0, q1="your probabilities sum to 1e-05"),
        submission("cleo", 0.0, q1="not sorted"),
        submission("dan", 2.0, q1="a remark on a correct answer"),
    ]
    reasons = summarize(rows)[0].questions[0].reasons
    assert [(reason.message, reason.students) for reason in reasons] == [
        ("your probabilities sum to 1e-05", 2),
        ("not sorted", 1),
    ]


def test_attention_goes_to_trouble_first_and_names_everybody_it_concerns() -> None:
    rows = [
        submission("low", 0.0, 0.0, 0.0, 2.0),
        submission("zero", 0.0, 0.0),
        submission("loop", 2.0, status=Status.NEEDS_ATTENTION, message="endless loop"),
        submission("loop2", 2.0, status=Status.NEEDS_ATTENTION, message="endless loop"),
        submission("broken", status=Status.FAILED, message="empty file"),
        submission("fine", 2.0, 2.0),
    ]
    (report,) = summarize(rows)
    assert [(item.kind, item.students) for item in report.attention] == [
        ("failed", ("broken",)),
        ("needs-attention", ("loop", "loop2")),
        ("zero", ("zero",)),
        ("low", ("low",)),
    ]
    assert report.needing_attention == 5
    assert "q1, q2, q3" in report.attention[-1].reason


def test_the_longest_submission_is_named() -> None:
    assert summarize([submission("ada", 1.0), submission("grace", 1.0)])[0].slowest.student == "grace"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (percent(0.999), "99%"),
        (percent(1.0), "100%"),
        (percent(0.001), "1%"),
        (percent(0.0), "0%"),
        (points(2.50), "2.5"),
        (points(10.0), "10"),
        (points(1 / 3), "0.33"),
        (duration(0.04), "0.0 s"),
        (duration(9.96), "10 s"),
        (duration(185), "3 min 5 s"),
        (duration(7800), "2 h 10 min"),
    ],
)
def test_numbers_are_written_for_people(shown: str, expected: str) -> None:
    assert shown == expected


def test_open_scores_come_before_every_other_trouble() -> None:
    cells = (CellResult(grade_id="q1", score=None, max_score=1, open="a value of 80 MB"),)
    waits = SubmissionResult(
        student="z", assignment="a", status=Status.NEEDS_ATTENTION, score=0, max_score=1, cells=cells,
        message="q1 is open: a value of 80 MB",
    )  # fmt: skip
    failed = submission("a", status=Status.FAILED, message="no notebook")
    [report] = summarize([failed, waits])
    assert next((item.kind, item.reason, item.students) for item in report.attention) == (
        "open", "q1 is open: a value of 80 MB", ("z",),
    )  # fmt: skip
