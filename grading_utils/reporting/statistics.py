"""What the results of a class say: distribution, difficulty of each question, and who needs a person.

Pure computation on results; drawing is the template's. A submission that could not be graded has no score, so it
counts among those that need attention and nowhere else.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grading_utils.reporting.items import discrimination
from grading_utils.reporting.standings import Standing
from grading_utils.results import CellResult, Status

BINS = 10
LOW_SHARE = 0.3
"""Below this share of the points that were decided, a student is listed as having earned little."""

_EXAMPLES = 3
_NUMBER = re.compile(r"\d+(\.\d+)?(e[+-]?\d+)?")


@dataclass(frozen=True)
class Reason:
    """A message that students met, and how many of them; numbers in it may differ from student to student."""

    message: str
    students: int
    details: tuple[str, ...] = ()
    """What only the instructor may read: everything that the check said, of up to three of them."""


@dataclass(frozen=True)
class Question:
    """How a class did on one grade cell.

    Attributes:
        share: Points earned of points possible, over the submissions that have a score; None where none has.
        discrimination: How well it tells students apart; see `items.discrimination`.
        is_ranked: Whether enough is decided to call it hard or easy: not where every point so far is the 0 of an
            answer left blank, and people have still to grade all others.
        full: Submissions with full marks.
        none: Submissions without a point.
        waiting: Submissions that wait for a person.
        inside: Why the check ran inside the student's process; "" where it ran apart.
        seconds: Computing time of its cells in a typical submission (the median); None where none was measured.
        reasons: Why points were lost, the commonest first.
    """

    number: int
    grade_id: str
    max_score: float
    share: float | None
    discrimination: float | None
    is_ranked: bool
    scored: int
    full: int
    none: int
    waiting: int
    inside: str
    seconds: float | None
    reasons: tuple[Reason, ...]

    @property
    def order(self) -> tuple[float, int]:
        """Sorts questions from the hardest to the easiest; those that cannot be ranked yet come last."""
        return (self.share if self.is_ranked and self.share is not None else 2.0, self.number)


@dataclass(frozen=True)
class Attention:
    """Submissions that a person should look at for one reason; `kind` is `open`, a status, `zero` or `low`."""

    kind: str
    reason: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class Distribution:
    """Shares of the possible points, in `BINS` bins of equal width; the last one includes 100 %."""

    counts: tuple[int, ...]
    mean: float
    median: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class AssignmentReport:
    """Everything the report says about one assignment.

    Attributes:
        rows: Its submissions, by student.
        waiting: Answers that wait for a person.
        waiting_rows: Submissions that have one.
    """

    name: str
    max_score: float
    rows: tuple[Standing, ...]
    graded: int
    waiting: int
    waiting_rows: int
    failed: int
    distribution: Distribution | None
    questions: tuple[Question, ...]
    attention: tuple[Attention, ...]
    needing_attention: int
    total_seconds: float
    median_seconds: float
    slowest: Standing

    def cells_of(self, row: Standing) -> list[CellResult | None]:
        """A row's cells in the order of `questions`; None where the submission has no such cell."""
        cells = {cell.grade_id: cell for cell in row.cells}
        return [cells.get(question.grade_id) for question in self.questions]


def share(result: Standing) -> float | None:
    """Points earned of the points that were decided; None where nothing was."""
    if result.status is Status.FAILED and not result.cells:
        return None
    decided = [cell for cell in result.cells if cell.score is not None]
    possible = sum(cell.max_score for cell in decided) if result.cells else result.max_score
    earned = sum(cell.score or 0.0 for cell in decided) if result.cells else result.score
    return earned / possible if possible > 0 else None


def summarize(results: Iterable[Standing]) -> list[AssignmentReport]:
    """One report per assignment, by name."""
    groups: dict[str, list[Standing]] = defaultdict(list)
    for result in results:
        groups[result.assignment].append(result)
    return [_assignment(name, sorted(groups[name], key=lambda r: r.student)) for name in sorted(groups)]


def _assignment(name: str, rows: Sequence[Standing]) -> AssignmentReport:
    shares = [value for row in rows if (value := share(row)) is not None]
    seconds = [row.seconds for row in rows]
    return AssignmentReport(
        name=name,
        max_score=max(row.max_score for row in rows),
        rows=tuple(rows),
        graded=sum(row.status is not Status.FAILED for row in rows),
        waiting=sum(len(row.waiting) for row in rows),
        waiting_rows=sum(bool(row.waiting) for row in rows),
        failed=sum(row.status is Status.FAILED for row in rows),
        distribution=distribution(shares) if shares else None,
        questions=_questions(rows),
        attention=_attention(rows),
        needing_attention=sum(_concern(row) is not None for row in rows),
        total_seconds=sum(seconds),
        median_seconds=statistics.median(seconds),
        slowest=max(rows, key=lambda row: row.seconds),
    )


def distribution(shares: Sequence[float]) -> Distribution:
    """Bin shares of at least one submission; what lies above 1 (extra credit) counts in the last bin."""
    counts = [0] * BINS
    for value in shares:
        counts[max(0, min(int(value * BINS + 1e-9), BINS - 1))] += 1
    return Distribution(tuple(counts), statistics.fmean(shares), statistics.median(shares), min(shares), max(shares))


def _questions(rows: Sequence[Standing]) -> tuple[Question, ...]:
    """Every grade cell, in the order of the notebook that has most of them."""
    cells: dict[str, list[tuple[Standing, CellResult]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: len(row.cells), reverse=True):
        for cell in row.cells:
            cells[cell.grade_id].append((row, cell))
    tells_apart = discrimination(rows)
    return tuple(
        _question(number, name, group, tells_apart.get(name))
        for number, (name, group) in enumerate(cells.items(), start=1)
    )


def _question(
    number: int, name: str, group: Sequence[tuple[Standing, CellResult]], tells_apart: float | None
) -> Question:
    cells = [cell for _, cell in group]
    scored = [cell for cell in cells if cell.score is not None]
    possible = sum(cell.max_score for cell in scored)
    waiting = [(row, cell) for row, cell in group if name in row.waiting]
    for_people = any(not cell.open for _, cell in waiting)
    seconds = [cell.seconds for cell in cells if cell.seconds > 0]
    return Question(
        number=number,
        grade_id=name,
        max_score=max(cell.max_score for cell in cells),
        share=sum(cell.score or 0.0 for cell in scored) / possible if possible > 0 else None,
        discrimination=tells_apart,
        is_ranked=possible > 0 and (not for_people or any(name in row.by_hand for row, _ in group)),
        scored=len(scored),
        full=sum((cell.score or 0.0) >= cell.max_score for cell in scored),
        none=sum((cell.score or 0.0) <= 0 < cell.max_score for cell in scored),
        waiting=len(waiting),
        inside=next((cell.inside for cell in cells if cell.inside), ""),
        seconds=statistics.median(seconds) if seconds else None,
        reasons=_reasons(cells),
    )


def _reasons(cells: Iterable[CellResult]) -> tuple[Reason, ...]:
    """Messages of cells that lost points; those that differ only in their numbers count as one."""
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    details: dict[str, dict[str, None]] = defaultdict(dict)
    for cell in cells:
        if cell.message and cell.score is not None and cell.score < cell.max_score:
            group = _NUMBER.sub("#", cell.message)
            groups[group][cell.message] += 1
            details[group] |= {cell.details: None} if cell.details else {}
    reasons = [
        Reason(min(messages, key=lambda m: (-messages[m], m)), messages.total(), tuple(details[group])[:_EXAMPLES])
        for group, messages in groups.items()
    ]
    return tuple(sorted(reasons, key=lambda reason: (-reason.students, reason.message)))


_URGENCY = ("open", str(Status.FAILED), str(Status.NEEDS_ATTENTION), "zero", "low")


def _attention(rows: Iterable[Standing]) -> tuple[Attention, ...]:
    """Who needs a person, by reason: open scores, what else grading reported, then who earned nothing or little."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        concern = _concern(row)
        if concern is not None:
            groups[concern].append(row.student)
    found = (Attention(kind, reason, tuple(students)) for (kind, reason), students in groups.items())
    return tuple(sorted(found, key=lambda item: (_URGENCY.index(item.kind), item.students)))


def _concern(row: Standing) -> tuple[str, str] | None:
    """Kind and reason why a person should look at a submission; None where nothing calls for it."""
    if any(cell.open for cell in row.cells):
        return "open", row.message
    if row.status is not Status.GRADED:
        return str(row.status), row.message or "no reason was recorded"
    value = share(row)
    if value is None or value >= LOW_SHARE:
        return None
    if value <= 0:
        return "zero", "No points on any question that has been graded."
    missed = [cell.grade_id for cell in row.cells if cell.score is not None and cell.score <= 0]
    return "low", f"Earned {value:.0%} of what has been graded; no points on {', '.join(missed) or 'no question'}."
