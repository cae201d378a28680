"""One student's submission folder: which notebooks and files are in it, and when it was handed in.

Looks at names and kinds of files only; follows no link. Reading a notebook is in `reading`.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbgrader.utils import parse_utc

from grading_utils.errors import SubmissionError

MAX_FILES = 1_000
MAX_FILE_BYTES = 100_000_000
_TIMESTAMP = "timestamp.txt"


@dataclass
class Submission:
    """What lies in a submission folder.

    Attributes:
        notebooks: Path of each expected notebook that is there, by name.
        files: Other regular files, which travel to `autograded/` beside the notebook.
        timestamp: When it was handed in (UTC), where nbgrader recorded that.
        attention: Notes that need a person.
    """

    folder: Path
    notebooks: dict[str, Path] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    timestamp: datetime | None = None
    attention: list[str] = field(default_factory=list)


def open_submission(folder: Path, expected: set[str]) -> Submission:
    """Look into a submission folder.

    Args:
        folder: `submitted/<student>/<assignment>`.
        expected: Names of the assignment's notebooks, without `.ipynb`.

    Raises:
        SubmissionError: The folder is a link or no folder, or holds none of the notebooks.
    """
    if folder.is_symlink() or any(parent.is_symlink() for parent in (folder.parent, folder.parent.parent)):
        raise SubmissionError(
            "the submission's folder is a symbolic link, which is never followed", where=str(folder.name)
        )
    if not folder.is_dir():
        raise SubmissionError("is not a folder", where=folder.name)
    submission = Submission(folder)
    found: dict[str, Path] = {}
    for path in _walk(folder):
        kind = path.lstat().st_mode
        if path.parent == folder and path.suffix == ".ipynb":
            found[path.stem] = path
        elif not stat.S_ISREG(kind):
            submission.attention.append(f"{path.relative_to(folder)} is no regular file and was left out")
        elif path.lstat().st_size > MAX_FILE_BYTES:
            submission.attention.append(f"{path.relative_to(folder)} is too large and was left out")
        elif path.name != _TIMESTAMP:
            submission.files.append(path)
    _assign_notebooks(submission, found, expected)
    _read_timestamp(submission)
    return submission


def _assign_notebooks(submission: Submission, found: dict[str, Path], expected: set[str]) -> None:
    submission.notebooks = {name: path for name, path in found.items() if name in expected}
    strange = {name: path for name, path in found.items() if name not in expected}
    missing = sorted(expected - set(submission.notebooks))
    if len(missing) == 1 and len(strange) == 1:
        name, path = next(iter(strange.items()))
        submission.notebooks[missing[0]] = path
        submission.attention.append(f"the notebook is named {name}.ipynb instead of {missing[0]}.ipynb; it was graded")
    elif strange:
        listed = ", ".join(f"{name}.ipynb" for name in sorted(strange))
        submission.attention.append(f"not part of the assignment, and not graded: {listed}")
    if not submission.notebooks:
        wanted = ", ".join(f"{name}.ipynb" for name in missing)
        there = ", ".join(f"{name}.ipynb" for name in sorted(found)) or "no notebook"
        raise SubmissionError(f"there is no {wanted} (found: {there})", where=submission.folder.name)


def _walk(folder: Path) -> list[Path]:
    """All entries below a folder that are no folders themselves, links included but not followed, sorted."""
    paths: list[Path] = []
    for parent, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name != ".ipynb_checkpoints")
        here = Path(parent)
        paths += [here / name for name in folders if (here / name).is_symlink() or name.endswith(".ipynb")]
        paths += [here / name for name in sorted(files)]
        if len(paths) > MAX_FILES:
            raise SubmissionError(f"holds more than {MAX_FILES} files", where=folder.name)
    return paths


def _read_timestamp(submission: Submission) -> None:
    path = submission.folder / _TIMESTAMP
    if path.is_symlink() or not path.is_file() or path.stat().st_size > 1_000:
        return
    try:
        submission.timestamp = parse_utc(path.read_text(encoding="utf-8").strip() or None)
    except (ValueError, OverflowError):
        submission.attention.append(f"{_TIMESTAMP} holds no date, so lateness is unknown")
