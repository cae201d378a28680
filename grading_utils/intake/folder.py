"""What lies in a folder that a student handed in: names, kinds and sizes, and nothing that was read.

The nearest entries come first, so that what is left out beyond a bound is what lies deepest. No link is followed,
and what no answer can be in (installed packages, caches, the notes that operating systems leave) isn't looked at.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

MAX_ENTRIES = 50_000
"""Entries that are looked at; an environment in a folder with another name than usual can have so many."""
_SYSTEM_NOTES = frozenset({"thumbs.db", "desktop.ini"})
_NO_ANSWERS = frozenset({"__pycache__", "__macosx", "node_modules", "site-packages", "venv"})
_NOT_WORTH_A_NOTE = frozenset({"__pycache__", "__macosx", ".ipynb_checkpoints", ".git", ".idea", ".vscode"})
_ENVIRONMENT = "pyvenv.cfg"


@dataclass(frozen=True)
class Entry:
    """A file, or anything else that is no folder."""

    name: PurePosixPath
    """Its place below the folder that was handed in."""
    path: Path
    mode: int
    size: int

    @property
    def is_file(self) -> bool:
        """Is it a regular file, and not a link, FIFO, socket or device?"""
        return stat.S_ISREG(self.mode)


@dataclass
class Listing:
    """Everything that was found."""

    entries: list[Entry] = field(default_factory=list)
    folders: list[PurePosixPath] = field(default_factory=list)
    passed_over: list[PurePosixPath] = field(default_factory=list)
    """Folders that hold no answers but are worth a note."""
    unmentioned: list[PurePosixPath] = field(default_factory=list)
    """What operating systems and editors leave beside a student's own files."""
    is_complete: bool = True


def look_into(folder: Path) -> Listing:
    """List a folder and the folders in it.

    Args:
        folder: A folder that is no link.
    """
    listing = Listing()
    waiting = deque([(folder, PurePosixPath())])
    seen = 0
    while waiting:
        here, place = waiting.popleft()
        try:
            with os.scandir(here) as scan:
                found = []
                for entry in scan:
                    seen += 1
                    if seen > MAX_ENTRIES:
                        listing.is_complete = False
                        break
                    found.append(entry)
        except OSError:
            listing.is_complete = False
            continue
        if place.name and any(entry.name == _ENVIRONMENT for entry in found):
            listing.passed_over.append(place)
            continue
        for entry in sorted(found, key=lambda entry: entry.name):
            name = place / entry.name
            if entry.is_dir(follow_symlinks=False):
                if _holds_no_answers(entry.name):
                    is_worth_it = entry.name.casefold() not in _NOT_WORTH_A_NOTE
                    (listing.passed_over if is_worth_it else listing.unmentioned).append(name)
                else:
                    listing.folders.append(name)
                    waiting.append((here / entry.name, name))
            elif _is_note_of_the_system(entry.name):
                listing.unmentioned.append(name)
            else:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:  # its path is too long, or it has gone
                    listing.is_complete = False
                    continue
                listing.entries.append(Entry(name, here / entry.name, status.st_mode, status.st_size))
    return listing


def _holds_no_answers(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _NO_ANSWERS


def _is_note_of_the_system(name: str) -> bool:
    return name.startswith("._") or name == ".DS_Store" or name.casefold() in _SYSTEM_NOTES
