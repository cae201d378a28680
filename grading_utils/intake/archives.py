"""Unpack a zip file that a student handed in, into a scratch folder, within bounds.

Writes regular files below the scratch folder and nothing else: names that lead elsewhere, links and devices are left
out, and what unpacks to more than the bounds is cut off there. Other kinds of archives are not unpacked.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

from grading_utils.errors import SubmissionError

MAX_FILES = 2_000
MAX_BYTES = 300_000_000
_MAX_READ = 1 << 20
"""What `zipfile` may read at once; a larger table of contents is refused before it is taken apart."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Other methods are unpacked in pieces of any size."""


class _BoundedFile(io.FileIO):
    """A file of which nobody reads much at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = _MAX_READ + 1 if size is None or size < 0 else size
        data = super().read(min(wanted, _MAX_READ + 1)) or b""
        if len(data) > _MAX_READ:
            raise zipfile.BadZipFile("its table of contents is too large")
        return data


def unpack(path: Path, scratch: Path) -> None:
    """Unpack the files of a zip file.

    Args:
        path: The archive, a regular file.
        scratch: An empty folder to unpack into.

    Raises:
        SubmissionError: It is no zip file, or holds more than the bounds allow.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with _BoundedFile(descriptor) as file, zipfile.ZipFile(file) as archive:
            _unpack_all(archive, scratch, path.name)
    except SubmissionError:
        raise
    except Exception as error:  # zipfile, zlib and struct raise kinds of their own on damaged data
        raise SubmissionError(f"cannot be unpacked: {error}", where=path.name) from error


def _unpack_all(archive: zipfile.ZipFile, scratch: Path, where: str) -> None:
    wanted = [member for member in archive.infolist() if _is_plain(member)]
    if len(wanted) > MAX_FILES:
        raise SubmissionError(f"holds more than {MAX_FILES} files", where=where)
    left = MAX_BYTES
    for member in wanted:
        target = scratch.joinpath(*_parts(member))
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as packed, target.open("wb") as unpacked:
            left -= _copy(packed, unpacked, left)
        if left <= 0:
            raise SubmissionError(f"unpacks to more than {MAX_BYTES / 1e6:.0f} MB", where=where)


def _copy(packed: IO[bytes], unpacked: IO[bytes], limit: int) -> int:
    """Copy until the end or the limit; returns how much."""
    done = 0
    while done < limit and (piece := packed.read(min(_MAX_READ, limit - done))):
        unpacked.write(piece)
        done += len(piece)
    return done


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    """The folders and the name; some programs on Windows write backslashes between them."""
    return PurePosixPath(member.filename.replace("\\", "/")).parts


def _is_plain(member: zipfile.ZipInfo) -> bool:
    """Is it a regular file, readable without a password, with a name that leads nowhere else?"""
    parts = _parts(member)
    kind = stat.S_IFMT(member.external_attr >> 16)
    return (
        bool(parts)
        and not member.is_dir()
        and kind in (0, stat.S_IFREG)
        and not member.flag_bits & 1
        and member.compress_type in _METHODS
        and not any(part in ("..", "/", "//") or "\0" in part or len(part.encode()) > 255 for part in parts)
        and len(parts) <= 30
    )
