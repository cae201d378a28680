"""What a run of `grade` records, written down as it comes: a run that is killed has lost nothing that it had recorded.

Each submission is a line of the run's own journal, after the gradebook has it. At the end of the run, or at the
beginning of the next one, journals become `grades.json`, what is remembered of unchanged submissions, and whose score
moved. A journal is locked while its run lives, so runs beside each other leave each other's alone. The gradebook is
not this module's business.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from grading_utils.course.course import OWN_FOLDER, Course
from grading_utils.grading.moved import Moved, keep
from grading_utils.grading.unchanged import Fingerprint, remember
from grading_utils.reporting.records import RESULTS, merge_json, without_surrogates
from grading_utils.results import SubmissionResult


class _Line(msgspec.Struct, frozen=True):
    result: SubmissionResult
    fingerprint: Fingerprint
    moved: Moved | None


class Recorder:
    """The journal of one run; use it as a context manager.

    Raises:
        OSError: The course's folder cannot be written.
        CourseError: `grades.json` holds something else; it and the journals are left as they are.
    """

    def __init__(self, course: Course) -> None:
        self._course = course
        self._folder = course.root / OWN_FOLDER / "journal"
        self._path = self._folder / f"{uuid.uuid4().hex}.jsonl"

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            left = [(path, lock) for path in sorted(self._folder.glob("*.jsonl")) if (lock := _lock(path)) is not None]
            lines = [line for path, _ in left for line in _read(path)]
            self._put_together(lines)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            for line in lines:
                if line.moved is not None:  # the run that was killed and this one are one for `diff`
                    self._write(line)
            for path, lock in left:
                path.unlink()
                os.close(lock)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with self._alone():
                lines = _read(self._path)
                self._put_together(lines)
                keep(self._course, [line.moved for line in lines if line.moved is not None])
                self._path.unlink()
        finally:
            os.close(self._file)

    def add(self, result: SubmissionResult, fingerprint: Fingerprint, moved: Moved | None) -> None:
        """Write down one submission.

        Args:
            result: What it got.
            fingerprint: What that depends on.
            moved: What is other than before.
        """
        self._write(_Line(without_surrogates(result), fingerprint, moved))

    def _write(self, line: _Line) -> None:
        left = msgspec.json.encode(line) + b"\n"
        while left:  # a full disk takes a part of it first, and refuses only then
            left = left[os.write(self._file, left) :]

    def _put_together(self, lines: list[_Line]) -> None:
        if not lines:
            return
        merge_json([line.result for line in lines], self._course.root / RESULTS)
        graded: dict[str, dict[str, Fingerprint]] = defaultdict(dict)
        for line in lines:
            graded[line.result.assignment][line.result.student] = line.fingerprint
        for assignment, fingerprints in graded.items():
            remember(self._course, assignment, fingerprints)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else puts journals of this course together meanwhile."""
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _lock(path: Path) -> int | None:
    """The descriptor of a journal whose run is gone, locked; None for one whose run lives."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _read(path: Path) -> list[_Line]:
    """The lines of a journal; where the disk was full or the power went, the last one may be no line."""
    lines = []
    for text in path.read_bytes().splitlines():
        with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
            lines.append(msgspec.json.decode(text, type=_Line))
    return lines
