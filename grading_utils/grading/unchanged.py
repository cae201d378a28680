"""Which submissions need no grading: nothing that their score depends on has changed since they were graded.

A score depends on the files that were handed in, on everything that calibration depends on (solution, tests, grader,
packages, model), and for lateness on the due date. All is compared by content. What failed is never skipped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from nbgrader.api import MissingEntry

from grading_utils.course.bundle import Bundle
from grading_utils.course.course import OWN_FOLDER, Course
from grading_utils.devices.choice import CPU
from grading_utils.grading.one_writer import OneWriter
from grading_utils.grading.remembered import key_of
from grading_utils.results import Status, SubmissionResult

_MOST_BYTES = 200_000_000


class Fingerprint(msgspec.Struct, frozen=True):
    """What one submission's score depends on, as hashes."""

    submission: str
    terms: str
    due: str


class Remembered:
    """What the submissions of one assignment looked like when they were graded last.

    Args:
        course: The course.
        bundle: The assignment as it is now.
        results: What was recorded of it, by student.
        isolated: Whether students are graded in the sandbox this time.
        device: What is computed on this time.
    """

    def __init__(
        self,
        course: Course,
        bundle: Bundle,
        results: Mapping[str, SubmissionResult],
        *,
        isolated: bool,
        device: str = CPU,
    ) -> None:
        self._course, self._bundle, self._results = course, bundle, results
        self._terms = f"{key_of(course, bundle, device)} {'sandbox' if isolated else 'kernel'}"
        self._due = _due_dates(course, bundle.assignment)
        self._known = _read(_path(course, bundle.assignment))
        self._seen: dict[str, Fingerprint] = {}

    def changed(self, student: str) -> str:
        """Why a submission has to be graded, in words for the instructor; "" where it has not."""
        now = self._seen[student] = self._now(student)
        known, result = self._known.get(student), self._results.get(student)
        if known is None or result is None or student not in self._due:
            return "not graded before"
        if result.status is Status.FAILED:
            return "could not be graded before"
        if not self._course.autograded(self._bundle.assignment, student).is_dir():
            return "its autograded folder is gone"
        reasons = {
            "handed in again": known.submission != now.submission,
            "tests, grader or model changed": known.terms != now.terms,
            "the due date changed": known.due != now.due,
        }
        return ", ".join(reason for reason, holds in reasons.items() if holds)

    def fingerprint(self, student: str) -> Fingerprint:
        """What a submission looked like when `changed` was asked: what is handed in meanwhile counts as new."""
        return self._seen[student]

    def _now(self, student: str) -> Fingerprint:
        folder = self._course.submitted(self._bundle.assignment, student)
        return Fingerprint(digest_of(folder), self._terms, self._due.get(student, self._due[""]))


def remember(course: Course, assignment: str, graded: Mapping[str, Fingerprint]) -> None:
    """Add to what is remembered of an assignment, in one step; the caller sees to it that nobody else does just now."""
    path = _path(course, assignment)
    known = {**_read(path), **graded}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(msgspec.json.encode(known))
    partial.replace(path)


def _path(course: Course, assignment: str) -> Path:
    return course.root / OWN_FOLDER / "graded" / f"{assignment}.json"


def _read(path: Path) -> dict[str, Fingerprint]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Fingerprint])
    except (OSError, msgspec.MsgspecError):
        return {}


def _due_dates(course: Course, assignment: str) -> dict[str, str]:
    """When each student whom the gradebook has a submission of had to hand in; under "" when everybody has."""
    dates = {"": ""}
    if course.has_gradebook:
        writer = OneWriter(
            course.layout.db_url
        )  # opening a new database makes its tables, which two may not do at once
        with closing(writer), writer.held(), course.gradebook() as gradebook:
            try:
                known = gradebook.find_assignment(assignment)
            except MissingEntry:
                return dates
            dates[""] = str(known.duedate or "")
            dates |= {row.student_id: str(row.duedate or "") for row in known.submissions}
    return dates


def digest_of(folder: Path) -> str:
    """A hash of all files in a folder; of links their target's name, of what is very large its size and time."""
    digest = hashlib.sha256()
    left = _MOST_BYTES
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted((*files, *folders)):
            path = Path(parent, name)
            digest.update(os.fsencode(path.relative_to(folder)))
            try:
                left -= _add(digest, path, left)
            except OSError as error:  # no permission, or a path that is too long: grading doesn't read it either
                digest.update(f"\0{error.strerror}".encode())
    return digest.hexdigest()


def _add(digest: Any, path: Path, most: int) -> int:
    """Add what a path leads to, of a file with no more than `most` bytes its content; returns how many were read."""
    state = path.lstat()
    digest.update(f"\0{state.st_mode}\0{state.st_size}\0".encode())
    if path.is_symlink():
        digest.update(os.fsencode(path.readlink()))
    elif path.is_file() and state.st_size <= most:
        digest.update(path.read_bytes())
        return state.st_size
    elif path.is_file():
        digest.update(str(state.st_mtime_ns).encode())
    return 0
