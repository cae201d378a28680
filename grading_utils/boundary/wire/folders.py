"""What has changed in a folder since one last looked, and putting there what has changed in the other process's.

Both ends have a working folder of their own. Files travel between them as plain bytes, whole, by relative path; links
and hidden files never do. What of it the tester believes is decided in `tester.folder`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

MOST_FILES = 1000
"""Files and folders that are looked at."""
MOST_BYTES = 32 << 20
"""Of all files that travel in one message."""
_DEEPEST = 8
_SETTLED = 0.1  # seconds after which a file that is changed again has another time of change

News = Mapping[str, bytes | bool | None]
"""What has become of a path: the content of a file, True for a folder, None where there is nothing any more."""


class Seen(NamedTuple):
    """A file or a folder as it was when one last looked."""

    time: int
    size: int
    number: int
    content: bytes
    """A hash; empty for a folder."""


class Watch:
    """Knows what a folder held when it last looked.

    Args:
        root: The folder. What lies in it now is no news.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.is_short = False
        """Was there more than can be sent, when one last looked?"""
        self._seen: dict[str, Seen] = {}
        self.known = frozenset(self.news())
        """What has been there from the beginning."""

    def news(self) -> dict[str, bytes | bool | None]:
        """What has changed since the last look, by relative path; a folder comes before what is in it."""
        found: dict[str, bytes | bool | None] = {}
        now: dict[str, Seen] = {}
        room = MOST_BYTES
        self.is_short = False
        for path, info in _walk(self.root, ""):
            before = self._seen.get(path)
            if stat.S_ISDIR(info.st_mode):
                now[path] = Seen(0, 0, info.st_ino, b"")
                if before is None or before.content:
                    found[path] = True
                continue
            if before is not None and _is_settled(info, before):
                now[path] = before
                continue
            room -= info.st_size
            if room < 0 or (content := _read(self.root / path)) is None:
                self.is_short = True
                continue
            now[path] = _seen(info, content)
            if before is None or before.content != now[path].content:
                found[path] = content
        found |= dict.fromkeys(self._seen.keys() - now.keys())
        self._seen = now
        return found

    def put(self, news: News) -> None:
        """Do here what was done there; what can't be done is left out. None of it is news here."""
        for path, content in news.items():
            target = self.root / path
            try:
                if target.is_symlink() or not target.parent.resolve().is_relative_to(self.root):
                    continue
                if content is None:
                    shutil.rmtree(target) if target.is_dir() else target.unlink()
                elif content is True:
                    target.mkdir(parents=True, exist_ok=True)
                elif isinstance(content, bytes):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    if _read(target) != content:
                        target.write_bytes(content)
            except OSError:
                continue
            self._note(path)

    def _note(self, path: str) -> None:
        """Take what is at a path, and the folders that it lies in, for known."""
        for part in (path, *map(str, PurePosixPath(path).parents[:-1])):
            try:
                info = (self.root / part).lstat()
            except OSError:
                gone = [seen for seen in self._seen if seen == part or seen.startswith(f"{part}/")]
                for seen in gone:
                    del self._seen[seen]
                continue
            content = None if stat.S_ISDIR(info.st_mode) else _read(self.root / part)
            self._seen[part] = Seen(0, 0, info.st_ino, b"") if content is None else _seen(info, content)

    def forget(self) -> None:
        """From now on all that has not been there from the beginning is news."""
        self._seen = {path: seen for path, seen in self._seen.items() if path in self.known}


def is_plain(path: object) -> bool:
    """Is it a relative path that leads nowhere else, without hidden parts?"""
    if type(path) is not str or not 0 < len(path) < 500 or "\0" in path or path.count("/") > _DEEPEST:
        return False
    return all(part and not part.startswith(".") for part in path.split("/"))


def _walk(root: Path, prefix: str, depth: int = 0) -> Iterator[tuple[str, os.stat_result]]:
    """Relative paths of what is in a folder, links and hidden names left out."""
    try:
        entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
    except OSError:
        return
    for count, entry in enumerate(entries):
        if count >= MOST_FILES:
            return
        try:
            info = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        path = prefix + entry.name
        if not is_plain(path) or not (stat.S_ISREG(info.st_mode) or stat.S_ISDIR(info.st_mode)):
            continue
        yield path, info
        if stat.S_ISDIR(info.st_mode) and depth < _DEEPEST:
            yield from _walk(root, f"{path}/", depth + 1)


def _is_settled(info: os.stat_result, before: Seen) -> bool:
    """Is it surely the same file as before? A clock of files is too coarse to tell two changes at once apart."""
    same = (info.st_mtime_ns, info.st_size, info.st_ino) == before[:3]
    return same and time.time() - info.st_mtime > _SETTLED


def _seen(info: os.stat_result, content: bytes) -> Seen:
    digest = hashlib.blake2b(content, digest_size=16).digest()
    return Seen(info.st_mtime_ns, info.st_size, info.st_ino, digest)


def _read(path: Path) -> bytes | None:
    """A file's content; None for a link and for what can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    with os.fdopen(descriptor, "rb") as stream:
        try:
            return stream.read(MOST_BYTES + 1)
        except OSError:
            return None
