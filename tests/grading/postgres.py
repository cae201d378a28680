"""A PostgreSQL server of the tests' own: in a new folder, on a socket in it, gone at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_USER = "nobody"
"""PostgreSQL refuses to run as root."""


def programs() -> Path | None:
    """Where PostgreSQL's programs are: the system's, or those of the package `pgserver`; None where there are none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if system:
        return system[-1].parent
    spec = find_spec("pgserver")
    inside = Path(str(spec.origin)).parent / "pginstall" / "bin" if spec is not None else None
    return inside if inside is not None and (inside / "initdb").exists() else None


@contextmanager
def server(where: Path) -> Iterator[str]:
    """The address of a new, empty database; `where` is what `programs` found."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))  # a short path: a socket's name has at most 107 characters
    data = folder / "data"
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
    folder.chmod(0o755)
    try:
        _run(where / "initdb", "-D", data, "-U", "tests", "--auth", "trust", "--no-sync", "-E", "UTF8")
        quick = "-c fsync=off -c listen_addresses='' -c max_connections=50"
        _run(where / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", f"{quick} -k {folder}", "start")
        try:
            yield f"postgresql://tests@/postgres?host={folder}"
        finally:
            _run(where / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(program: Path, *arguments: object) -> None:
    command = [str(program), *map(str, arguments)]
    root = {"user": _USER, "extra_groups": [], "group": "nogroup"} if os.geteuid() == 0 else {}
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", env={"LC_ALL": "C"}, check=False, **root
    )
    assert done.returncode == 0, done.stderr.decode()
