"""The instructor's report: one self-contained HTML file about a whole class.

It loads nothing and runs one small script of ours, which sorts and searches; the page's own policy forbids any other.
Without the script everything is there, unsorted.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from grading_utils.course.course import Course
from grading_utils.reporting.handed_in import Handed, Work, handed_in
from grading_utils.reporting.pages import render
from grading_utils.reporting.similarity import Pair, similar_pairs
from grading_utils.reporting.standings import Standing
from grading_utils.reporting.statistics import AssignmentReport, share, summarize

_SCRIPT = (Path(__file__).parent / "templates" / "report.js").read_text(encoding="utf-8")
MOST_PAIRS = 20


@dataclass(frozen=True)
class Row:
    """What the page says about one submission beside its points.

    Attributes:
        id: Its anchor in the page.
        feedback: Address of its feedback page, from the report; "" where there is none.
        seconds_late: After the due date, the extension included; 0 where in time or unknown.
        work: What the student changed since the release; None where that is not known.
    """

    id: str
    feedback: str
    seconds_late: float
    work: Work | None


def write_report(
    standings: Iterable[Standing],
    path: Path,
    *,
    course_name: str = "",
    course: Course | None = None,
    similarity: bool = True,
) -> None:
    """Write the report on everybody who handed in; it also works for a single submission and for none.

    Args:
        standings: Of one or more assignments.
        path: The HTML file to write.
        course_name: What to call the course in the title.
        course: Where feedback and graded notebooks are; without it there are no links to them, and nothing is said
            about what students changed or have in common.
        similarity: Whether to look for code that submissions have in common.
    """
    assignments = summarize(standings)
    rows: dict[tuple[str, str], Row] = {}
    pairs: dict[str, list[Pair]] = {}
    for number, report in enumerate(assignments, start=1):
        students = [row.student for row in report.rows]
        handed = handed_in(course, report.name, students) if course is not None else Handed("", {})
        if similarity and len(handed.work) > 1:
            code = {student: work.code for student, work in handed.work.items()}
            pairs[report.name] = similar_pairs(handed.released, code)[:MOST_PAIRS]
        rows |= {
            (report.name, row.student): Row(
                f"a{number}-{place}",
                _feedback(course, row, path.parent),
                row.seconds_late,
                handed.work.get(row.student),
            )
            for place, row in enumerate(report.rows, start=1)
        }
    page = render(
        "report.html",
        policy=_policy(),
        script=Markup(_SCRIPT),  # ours, read from the package
        course=course_name,
        assignments=assignments,
        students=_people(assignments),
        submissions={(row.student, report.name): row for report in assignments for row in report.rows},
        rows=rows,
        pairs=pairs,
        looked=bool(pairs),
        share=share,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", errors="replace")


def _people(assignments: Sequence[AssignmentReport]) -> dict[str, str]:
    """Full names by student, in order; "" where none is known."""
    rows = [row for report in assignments for row in report.rows]
    return {
        row.student: f"{row.first_name} {row.last_name}".strip() for row in sorted(rows, key=lambda row: row.student)
    }


def _feedback(course: Course | None, row: Standing, here: Path) -> str:
    if course is None:
        return ""
    folder = course.folder(course.layout.feedback_directory, row.student, row.assignment)
    pages = sorted(folder.glob("*.html")) if folder.is_dir() else []
    return quote(Path(os.path.relpath(pages[0], here)).as_posix(), errors="replace") if pages else ""


def _policy() -> str:
    """A Content-Security-Policy that allows exactly our script."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
