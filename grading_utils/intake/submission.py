"""One student's submission folder: which notebooks and files are in it, and when it was handed in.

Looks at names, kinds and sizes; follows no link. A zip file is unpacked, beside and not into what was handed in, where
a notebook is missing without it. Reading a notebook is in `reading`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from grading_utils.errors import SubmissionError
from grading_utils.intake.archives import unpack
from grading_utils.intake.folder import Entry, Listing, look_into
from grading_utils.intake.naming import Naming, find_notebooks
from grading_utils.intake.reading import MAX_FILE_BYTES
from grading_utils.intake.timestamps import UnclearTimeError, read_timestamp

MAX_FILES = 1_000
MAX_ALL_BYTES = 300_000_000
MAX_ARCHIVES = 3
_TIMESTAMP = "timestamp.txt"
_LISTED = 10


@dataclass
class Submission:
    """What lies in a submission folder.

    Attributes:
        folder: `submitted/<student>/<assignment>`.
        notebooks: Path of each expected notebook that is there, by name.
        files: Other regular files that were handed in, by the name that they have beside the notebook: at most
            `MAX_FILES`, of `MAX_FILE_BYTES` each and `MAX_ALL_BYTES` together. They are a student's: where the
            assignment has a file of that name, the assignment's counts.
        timestamp: When it was handed in (UTC), where nbgrader recorded that.
        attention: Notes that need a person.
        repairs: Notes on what was put right without any effect on the answers.
    """

    folder: Path
    notebooks: dict[str, Path] = field(default_factory=dict)
    files: dict[PurePosixPath, Path] = field(default_factory=dict)
    timestamp: datetime | None = None
    attention: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)


@contextlib.contextmanager
def open_submission(folder: Path, expected: set[str]) -> Iterator[Submission]:
    """Look into a submission folder; what had to be unpacked is there until the end of the `with` block.

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
    with ExitStack() as stack:
        listing = look_into(folder)
        entries = [entry for entry in listing.entries if str(entry.name) != _TIMESTAMP]
        naming = find_notebooks([*filter(_may_be_notebook, entries)], expected)
        if naming.missing(expected):
            unpacked = _unpacked(entries, submission, stack)
            if unpacked:
                entries = [*entries, *unpacked]
                naming = find_notebooks([*filter(_may_be_notebook, entries)], expected)
        _take_notebooks(submission, naming, entries, listing, expected)
        _take_files(submission, naming, entries, listing)
        _take_timestamp(submission)
        yield submission


def _may_be_notebook(entry: Entry) -> bool:
    """A file that is not called a notebook has to begin like one; whatever is called one is looked at in `reading`."""
    if ".ipynb" in entry.name.name.casefold() or not entry.is_file:
        return True
    try:
        descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _unpacked(entries: list[Entry], submission: Submission, stack: ExitStack) -> list[Entry]:
    """What is in the zip files that were handed in, and in zip files in these."""
    found: list[Entry] = []
    archives = deque(filter(_is_archive, entries))
    for _ in range(MAX_ARCHIVES):
        if not archives:
            break
        archive = archives.popleft()
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handed-in-")))
        try:
            unpack(archive.path, scratch)
        except SubmissionError as error:
            submission.attention.append(str(error))
            continue
        submission.repairs.append(f"{archive.name} was unpacked")
        inside = [
            Entry(archive.name.parent / entry.name, entry.path, entry.mode, entry.size)
            for entry in look_into(scratch).entries
        ]
        found += inside
        archives.extend(filter(_is_archive, inside))
    return found


def _is_archive(entry: Entry) -> bool:
    return entry.is_file and entry.name.suffix.casefold() == ".zip"


def _take_notebooks(
    submission: Submission, naming: Naming, entries: list[Entry], listing: Listing, expected: set[str]
) -> None:
    submission.attention += naming.attention
    submission.repairs += naming.repairs
    if not naming.notebooks:
        wanted = ", ".join(f"{name}.ipynb" for name in sorted(expected))
        why = "".join(f"; {note}" for note in submission.attention)
        raise SubmissionError(
            f"there is no {wanted} (found: {_found(entries, listing)}){why}", where=submission.folder.name
        )
    submission.notebooks = {name: entry.path for name, entry in naming.notebooks.items()}


def _found(entries: list[Entry], listing: Listing) -> str:
    """What is in the folder, for whoever has to ask the student for something else."""
    folders = [f"{name}/" for name in (*listing.folders, *listing.passed_over)]
    names = [*(str(entry.name) for entry in entries), *folders] or [str(name) for name in listing.unmentioned]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more if names else "nothing"


def _take_files(submission: Submission, naming: Naming, entries: list[Entry], listing: Listing) -> None:
    notebooks = set(submission.notebooks.values())
    left = MAX_ALL_BYTES
    beyond = 0
    for entry in entries:
        if entry.path in notebooks or (len(entry.name.parts) == 1 and entry.name.suffix == ".ipynb"):
            continue
        if not entry.is_file:
            submission.attention.append(f"{entry.name} is no regular file and was left out")
        elif entry.size > MAX_FILE_BYTES:
            submission.attention.append(f"{entry.name} is too large and was left out")
        elif not os.access(entry.path, os.R_OK):
            submission.repairs.append(f"{entry.name} may not be read and was left out")
        elif len(submission.files) == MAX_FILES or entry.size > left:
            beyond += 1
        else:
            name = entry.name
            beside = name.relative_to(naming.place) if name.is_relative_to(naming.place) else name
            if beside not in submission.files:
                submission.files[beside] = entry.path
                left -= entry.size
    if beyond or not listing.is_complete:
        counted = f"{beyond} files" if listing.is_complete else "many files"
        submission.attention.append(
            f"{counted} were left out: only the nearest {MAX_FILES} files up to {MAX_ALL_BYTES / 1e6:.0f} MB are kept"
        )
    if listing.passed_over:
        listed = ", ".join(f"{name}/" for name in listing.passed_over[:_LISTED])
        submission.repairs.append(f"installed packages, caches and hidden folders were left out: {listed}")


def _take_timestamp(submission: Submission) -> None:
    path = submission.folder / _TIMESTAMP
    if path.is_symlink() or not path.is_file() or path.stat().st_size > 1_000:
        return
    try:
        submission.timestamp = read_timestamp(path.read_text(encoding="utf-8-sig"))
    except UnclearTimeError as error:
        submission.attention.append(f"{_TIMESTAMP} {error}, so lateness is unknown")
    except ValueError:
        submission.attention.append(f"{_TIMESTAMP} holds no date, so lateness is unknown")
