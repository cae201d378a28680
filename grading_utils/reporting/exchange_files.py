"""What `nbgrader release_feedback` looks for beside a student's feedback pages.

It names each page after a secret that `nbgrader submit` gave the submission, and stops at the first student who has
none, as after collecting from an LMS. Such a student gets a secret that opens nothing, so that the others get theirs.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from grading_utils.course.course import Course

_SECRET, _TIMESTAMP = "submission_secret.txt", "timestamp.txt"
_MOST_BYTES = 1_000


def add_exchange_files(course: Course, assignment: str, student: str) -> None:
    """Put the submission's time and secret beside the feedback pages of one student."""
    pages = course.folder(course.layout.feedback_directory, student, assignment)
    for name in (_SECRET, _TIMESTAMP):
        given = course.submitted(assignment, student) / name
        if not given.is_symlink() and given.is_file() and given.stat().st_size <= _MOST_BYTES:
            (pages / name).write_bytes(given.read_bytes())
        elif not (pages / name).exists():
            (pages / name).write_text(secrets.token_hex(64) if name == _SECRET else "unknown")


def pages_of(course: Course, assignment: str, student: str) -> list[Path]:
    """The feedback pages that were written for one submission."""
    return sorted(course.folder(course.layout.feedback_directory, student, assignment).glob("*.html"))
