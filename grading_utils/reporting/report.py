"""The instructor's report: one self-contained HTML file about a whole class.

It loads nothing and runs one small script of ours, which sorts the tables; the page's own policy forbids any other.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path

from markupsafe import Markup

from grading_utils.reporting.pages import render
from grading_utils.reporting.statistics import AssignmentReport, share, summarize
from grading_utils.results import SubmissionResult

_SORT_SCRIPT = (Path(__file__).parent / "templates" / "sort.js").read_text(encoding="utf-8")


def write_report(results: Iterable[SubmissionResult], path: Path, *, course_name: str = "") -> None:
    """Write the report on all results; it also works for a single submission and for none.

    Args:
        results: What was graded, of one or more assignments.
        path: The HTML file to write.
        course_name: What to call the course in the title.
    """
    assignments = summarize(results)
    students = sorted({row.student for assignment in assignments for row in assignment.rows})
    page = render(
        "report.html",
        policy=_policy(),
        script=Markup(_SORT_SCRIPT),  # ours, read from the package
        course=course_name,
        assignments=assignments,
        students=students,
        submissions=_by_student(assignments),
        share=share,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", errors="replace")


def _by_student(assignments: Iterable[AssignmentReport]) -> dict[tuple[str, str], SubmissionResult]:
    """Every submission by (student, assignment), for the overview."""
    return {(row.student, assignment.name): row for assignment in assignments for row in assignment.rows}


def _policy() -> str:
    """A Content-Security-Policy that allows exactly our script."""
    digest = base64.b64encode(hashlib.sha256(_SORT_SCRIPT.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
