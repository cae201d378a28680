"""Write one submission's graded notebooks to `autograded/`, all of it or nothing."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from grading_utils.course.bundle import Bundle
from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.intake.submission import Submission


def write_autograded(
    course: Course, bundle: Bundle, student: str, submission: Submission, notebooks: Mapping[str, Any]
) -> Path:
    """Replace `autograded/<student>/<assignment>` by a new version in one step.

    Args:
        course: The course.
        bundle: The assignment; its data files replace a student's copies.
        student: The student's id.
        submission: What was handed in; its other files are copied beside the notebook.
        notebooks: Graded notebooks by name; None for one that was not handed in.

    Raises:
        CourseError: The folder cannot be written; what was there before is still there.
    """
    target = course.autograded(bundle.assignment, student)
    fresh = target.with_name(f".{target.name}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
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
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise CourseError(f"cannot be written: {error.strerror}", where=str(target)) from error
    return target


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)


def _copy_where_free(source: Path, target: Path) -> None:
    """Copy a student's file, unless the assignment has something else at its name or above it."""
    if not target.exists():
        with contextlib.suppress(FileExistsError, NotADirectoryError):
            _copy(source, target)
