"""What the report says about a class."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from grading_utils.reporting.items import discrimination
from grading_utils.reporting.pages import duration, percent
from grading_utils.reporting.standings import Standing
from grading_utils.reporting.statistics import distribution, share, summarize
from grading_utils.results import CellResult, Status, SubmissionResult, points


def submission(student: str, *scores: float | None, message: str = "", status: Status = Status.GRADED, **cell: str):
    cells = tuple(
        CellResult(grade_id=f"q{n}", score=score, max_score=2.0, message=cell.get(f"q{n}", ""))
        for n, score in enumerate(scores, start=1)
    )
    return Standing.of(
        SubmissionResult(
            student=student,
            assignment="a",
            status=status,
            score=sum(score or 0.0 for score in scores),
            max_score=2.0 * len(scores),
            message=message,
            seconds=float(len(student)),
            cells=cells,
        )
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
        (points(0.125), "0.13"),
        (points(2.675), "2.68"),
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
    [report] = summarize([failed, Standing.of(waits)])
    assert next((item.kind, item.reason, item.students) for item in report.attention) == (
        "open", "q1 is open: a value of 80 MB", ("z",),
    )  # fmt: skip


def test_every_answer_that_waits_is_counted_not_every_submission() -> None:
    (report,) = summarize([submission("ada", 2.0, None, None), submission("bob", 2.0, None, 1.0)])
    assert (report.waiting, report.waiting_rows) == (3, 2)


def test_a_question_in_which_only_blanks_have_a_score_is_not_the_hardest_until_a_person_has_graded() -> None:
    rows = [submission("ada", 1.0, None), submission("bob", 2.0, None), submission("cy", 2.0, 0.0)]
    (report,) = summarize(rows)
    first, second = sorted(report.questions, key=lambda question: question.order)
    assert (first.grade_id, second.grade_id, second.is_ranked) == ("q1", "q2", False)
    graded = msgspec.structs.replace(submission("ada", 1.0, 1.0), by_hand=("q2",))
    (report,) = summarize([graded, *rows[1:]])
    assert min(report.questions, key=lambda question: question.order).grade_id == "q2"


def test_an_open_automatic_score_keeps_no_question_from_its_rank() -> None:
    open_one = CellResult(grade_id="q1", score=None, max_score=2.0, open="a value of 80 MB")
    waits = msgspec.structs.replace(submission("ada", None), cells=(open_one,))
    (report,) = summarize([waits, submission("bob", 0.0)])
    assert report.questions[0].is_ranked


def test_discrimination_is_the_correlation_with_all_other_questions() -> None:
    q1 = [0, 0, 1, 0, 1, 1, 2, 1, 2, 2]
    q2 = [0, 1, 0, 1, 1, 2, 1, 2, 2, 2]
    q3 = [2, 2, 2, 1, 2, 1, 1, 0, 0, 0]
    rows = [submission(f"s{n}", *map(float, scores)) for n, scores in enumerate(zip(q1, q2, q3, strict=True))]
    figures = discrimination(rows)
    expected = {}
    columns = {"q1": q1, "q2": q2, "q3": q3}
    for name, own in columns.items():
        rest = [sum(values) for values in zip(*(c for other, c in columns.items() if other != name), strict=True)]
        expected[name] = float(np.corrcoef(own, rest)[0, 1])
    assert figures == pytest.approx(expected)
    assert (figures["q3"] or 0) < 0
    assert discrimination(rows[:9]) == dict.fromkeys(columns)
