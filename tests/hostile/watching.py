"""Looks at a graded class from outside: what was left behind, what was changed, who says what nobody may know."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import site
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_READ_AT_MOST = 100_000_000


def processes_named(mark: str) -> list[str]:
    """Command lines and names of living processes that carry a mark."""
    found = []
    for folder in _processes():
        with contextlib.suppress(OSError):
            name = (folder / "comm").read_text() + (folder / "cmdline").read_bytes().decode(errors="replace")
            if mark in name:
                found.append(f"{folder.name}: {name!r}")
    return found


def descendants(pid: int) -> dict[int, str]:
    """All processes below one, with the moment each started (so that a number used again is not mistaken)."""
    parents: dict[int, int] = {}
    started: dict[int, str] = {}
    for folder in _processes():
        with contextlib.suppress(OSError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)], started[int(folder.name)] = int(fields[1]), fields[19]
    found: dict[int, str] = {}
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found.keys()
        found |= {child: started[child] for child in fresh}
    return found


def still_alive(known: dict[int, str]) -> list[int]:
    """Those of the processes that have not ended."""
    alive = []
    for pid, started in known.items():
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            if fields[19] == started and fields[0] != "Z":
                alive.append(pid)
    return alive


def _processes() -> Iterator[Path]:
    return (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())


def mounts() -> list[str]:
    """Where something is mounted, as this process sees it."""
    return sorted(line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())


def files_named(mark: str, *folders: Path) -> list[str]:
    """Files whose name carries a mark, in every place where a process can leave something for later."""
    home = Path.home()
    places = [Path("/"), Path("/etc"), Path("/var/tmp"), Path("/dev/shm"), Path("/run"), Path(tempfile.gettempdir())]
    places += [home, Path(sys.prefix), Path(sys.base_prefix), *map(Path, site.getsitepackages())]
    places += [home / ".config", home / ".local", home / ".ipython", home / ".jupyter"]
    found: set[str] = set()
    for place in dict.fromkeys(places):
        with contextlib.suppress(OSError):
            found.update(str(entry) for entry in place.iterdir() if mark in entry.name)
    for folder in folders:
        names = ((parent, name) for parent, folders, files in os.walk(folder) for name in (*folders, *files))
        found.update(os.path.join(parent, name) for parent, name in names if mark in name)  # noqa: PTH118
    return sorted(found)


def contents(folder: Path) -> dict[str, str]:
    """What every entry below a folder is: a digest of a file, the target of a link, the kind of anything else."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            try:
                found[str(path)] = _content(path)
            except OSError as error:  # no permission, or a path that is too long
                found[str(path)] = f"out of reach: {error.strerror}"
    return found


def _content(path: Path) -> str:
    status = path.lstat()
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if not path.is_file():
        return f"{status.st_mode:o}"
    data = path.read_bytes() if status.st_size < _READ_AT_MOST else b""
    return f"{status.st_mode:o} {status.st_uid} {status.st_size} {hashlib.sha256(data).hexdigest()}"


def gradebook_rows(path: Path) -> dict[str, int]:
    """How many rows each table of the gradebook has."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return {table: database.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}


def disguises(secret: str) -> set[str]:
    """A secret, and the ways in which a program would write it to get past a search for it."""
    data = secret.encode()
    return {
        secret,
        secret[::-1],
        data.hex(),
        " ".join(f"{byte:02x}" for byte in data),
        ", ".join(map(str, data)),
        str(int.from_bytes(data, "big")),
        base64.b64encode(data).decode().rstrip("="),
        "_".join(secret),
        " ".join(secret),
    }


def told(text: str, secret: str) -> list[str]:
    """In which disguises a text holds a secret."""
    lowered = text.lower()
    return sorted(form for form in disguises(secret) | disguises(secret.upper()) if form.lower() in lowered)


def student_outputs(notebook: Any, *, of_tests: bool) -> str:
    """What the cells of a graded notebook say: those of the student, or those of the instructor's tests."""
    said = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get("grade")) is of_tests:
            said += [str(output) for output in cell.outputs]
    return "\n".join(said)
