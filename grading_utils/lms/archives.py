"""Zips and folders of submissions, read without trusting a name in them, and zips of feedback.

An entry with a path that leads outside, a link, or more than the limits is refused by name; the others are read.
Nothing is unpacked to disk here.
"""

from __future__ import annotations

import io
import stat
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from grading_utils.errors import CourseError, machine_trouble
from grading_utils.replacing import replace_file

MAX_ENTRY_BYTES = 100_000_000
MAX_TOTAL_BYTES = 20_000_000_000
MAX_ENTRIES = 200_000
_MAX_RATIO = 500
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Entry:
    """One file of a download.

    Attributes:
        path: Where it lies in the download, with composed accents.
        content: Its bytes; empty where `problem` says why it was not read.
        changed: When the archive says that it was changed, without a time zone.
        problem: Why it was not read.
    """

    path: PurePosixPath
    content: bytes = b""
    changed: datetime | None = None
    problem: str = ""


def read_entries(source: Path) -> Iterator[Entry]:
    """All files of a zip or a folder, in the order of their names; what operating systems leave behind is passed over.

    Raises:
        CourseError: It is neither, or it is larger than the limits.
    """
    if source.is_dir():
        yield from _from_folder(source)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            yield from _from_zip(archive, source)
    except (OSError, zipfile.BadZipFile) as error:
        wrong = CourseError(f"is neither a folder nor a zip that can be read ({error})", where=str(source))
        raise machine_trouble(error) or wrong from error


def _from_folder(source: Path) -> Iterator[Entry]:
    for path in sorted(source.rglob("*")):
        name = _name(path.relative_to(source).as_posix())
        if _is_debris(name) or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink() or not path.is_file():
            yield Entry(name, problem="is no regular file")
        elif path.stat().st_size > MAX_ENTRY_BYTES:
            yield Entry(name, problem="is too large")
        else:
            yield Entry(name, path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime))


def _from_zip(archive: zipfile.ZipFile, source: Path) -> Iterator[Entry]:
    infos = sorted((info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename)
    if len(infos) > MAX_ENTRIES or sum(info.file_size for info in infos) > MAX_TOTAL_BYTES:
        raise CourseError("holds more than a class can hand in; is it the right file?", where=str(source))
    for info in infos:
        name = _name(info.filename.replace("\\", "/"))  # some programs for Windows write their own separator
        if _is_debris(name):
            continue
        if problem := _problem(info, name):
            yield Entry(PurePosixPath(name.name), problem=problem)
            continue
        try:
            content = archive.read(info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
            yield Entry(name, problem=f"cannot be unpacked ({error})")
            continue
        yield Entry(name, content, _date(info))


def _problem(info: zipfile.ZipInfo, name: PurePosixPath) -> str:
    if name.is_absolute() or ".." in name.parts:
        return "has a path that leads outside"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted; unpack the zip with its password and name the folder"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.file_size > MAX_ENTRY_BYTES or info.file_size > _MAX_RATIO * max(info.compress_size, 1_000):
        return "is too large"
    return ""


def _name(path: str) -> PurePosixPath:
    return PurePosixPath(unicodedata.normalize("NFC", path))


def _is_debris(path: PurePosixPath) -> bool:
    return "__MACOSX" in path.parts or path.name.startswith("._") or path.name in (".DS_Store", "Thumbs.db")


def _date(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time)
    except ValueError:
        return None


def write_zip(files: Mapping[str, bytes], target: Path) -> None:
    """Write files into a new zip, always with the same bytes for the same content."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED)
    replace_file(target, written.getvalue())
