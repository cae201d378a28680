"""What a student handed in beside the notebook, as bytes: modules, data, pictures that the notebook's cells use.

Read here because the sandbox sees nothing of `submitted/`. Links, devices and FIFOs are never opened. Whether a file
of the same name belongs to the instructor, and so comes first, is decided where the files are put.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from grading_utils.intake.submission import Submission

MOST_BYTES = 32 << 20
"""All files of one submission together."""
_LONGEST_NAME = 200


def files_beside(submission: Submission) -> tuple[tuple[str, bytes], ...]:
    """Relative path and content of each file that was handed in with a notebook, smallest first.

    What doesn't fit into `MOST_BYTES` any more is left out, with a note in `submission.attention`.
    """
    found = sorted(submission.files.items(), key=lambda file: (file[1].lstat().st_size, file[0]))
    kept: list[tuple[str, bytes]] = []
    room = MOST_BYTES
    for relative, path in found:
        name = relative.as_posix()
        if len(name) > _LONGEST_NAME or not name.isprintable():
            continue
        content = _read(path, room)
        if content is None:
            note = f"{name} and what is larger were not put beside the notebook: together over {MOST_BYTES >> 20} MB"
            if note not in submission.attention:
                submission.attention.append(note)
            break
        room -= len(content)
        kept.append((name, content))
    return tuple(kept)


def _read(path: Path, most: int) -> bytes | None:
    """The content of a regular file; None where it has more bytes than wanted, nothing where it is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        content = stream.read(most + 1)
    return content if len(content) <= most else None
