"""One submission's graded notebooks in `autograded/`: written beside what is there, and put in its place in one step.

The step comes after the gradebook has recorded the submission. Whatever ends the grader before leaves the version
that belongs to what is recorded, and grading again compares answers with that one. What a grader that was killed has
left beside it goes when the submission is graded next.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.bundle import Bundle
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.intake.submission import Submission


class Staged:
    """A new version that is complete, and not in its place yet.

    Its folder is locked for as long as the grader lives: a folder that can be locked was left by one that is gone.
    """

    def __init__(self, target: Path) -> None:
        """Make an empty folder beside `target`.

        Raises:
            OSError: There is no room, or no permission.
        """
        self.target = target
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{target.name}.*.new"):
            _remove_if_left(left)
        self.folder = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.new")
        self.folder.mkdir()
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def put(self) -> None:
        """Replace what is there.

        Raises:
            CourseError: The folder cannot be written; what was there before is still there.
        """
        old = self.folder.with_suffix(".old.new")
        try:
            while True:
                with contextlib.suppress(FileNotFoundError):
                    self.target.rename(old)
                try:
                    self.folder.rename(self.target)
                    break
                except OSError as error:  # another grader of this class was faster; both say the same
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                    shutil.rmtree(old, ignore_errors=True)
        except OSError as error:
            self.drop()
            raise CourseError(f"cannot be written: {error.strerror}", where=str(self.target)) from error
        os.close(self._lock)
        shutil.rmtree(old, ignore_errors=True)

    def drop(self) -> None:
        """Forget this version."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _remove_if_left(folder: Path) -> None:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    with contextlib.suppress(OSError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def write_autograded(
    course: Course, bundle: Bundle, student: str, submission: Submission, notebooks: Mapping[str, Any]
) -> Staged:
    """Write a new version of `autograded/<student>/<assignment>` beside the one that is there.

    Args:
        course: The course.
        bundle: The assignment; its data files replace a student's copies.
        student: The student's id.
        submission: What was handed in; its other files are copied beside the notebook.
        notebooks: Graded notebooks by name; None for one that was not handed in.

    Returns:
        The new version, for `Staged.put`.

    Raises:
        CourseError: The folder cannot be written; what was there before is still there.
    """
    target = course.autograded(bundle.assignment, student)
    staged: Staged | None = None
    try:
        staged = Staged(target)
        fresh = staged.folder
        for path in bundle.files:
            _copy(path, fresh / path.relative_to(bundle.root))
        for beside, path in submission.files.items():
            _copy_where_free(path, fresh / beside)
        if submission.timestamp is not None:
            (fresh / "timestamp.txt").write_text(submission.timestamp.isoformat(sep=" ") + " UTC\n")
        for name, notebook in notebooks.items():
            if notebook is not None:
                text = nbformat.writes(notebook)
                (fresh / f"{name}.ipynb").write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        if staged is not None:
            staged.drop()
        raise CourseError(f"cannot be written: {error.strerror}", where=str(target)) from error
    return staged


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)


def _copy_where_free(source: Path, target: Path) -> None:
    """Copy a student's file, unless the assignment has something else at its name or above it."""
    if not target.exists():
        with contextlib.suppress(FileExistsError, NotADirectoryError):
            _copy(source, target)
