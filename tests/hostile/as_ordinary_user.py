"""Grades the hostile class as an ordinary user: `python -m tests.hostile.as_ordinary_user [PYTEST ARGUMENT ...]`.

Whoever is no root runs pytest right away. Root becomes `nobody` for it, who may not read root's files: so a Python that
everybody may run, the installed packages (as hard links) and the tests are put together in a temporary folder first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
ARGUMENTS = ["-p", "no:cacheprovider", "tests/hostile"]


def interpreter() -> Path:
    """A Python of this version that every user may run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [Path(os.path.realpath(sys.executable)), Path("/usr/local/bin", version), Path("/usr/bin", version)]
    for candidate in candidates:
        if candidate.exists() and all(folder.stat().st_mode & 0o5 == 0o5 for folder in candidate.resolve().parents):
            return candidate
    raise SystemExit(f"there is no {version} that an ordinary user may run; install one, or run this as such a user")


def link(source: str, target: str) -> None:
    """A second name for a file, or a copy where that can't be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def prepare(folder: Path, python: Path) -> Path:
    """Put everything together that pytest needs; returns the Python to start."""
    packages = folder / "venv" / "lib" / python.name / "site-packages"
    (folder / "venv" / "bin").mkdir(parents=True)
    (folder / "venv" / "bin" / "python").symlink_to(python)
    (folder / "venv" / "pyvenv.cfg").write_text(f"home = {python.parent}\ninclude-system-site-packages = false\n")
    unwanted = shutil.ignore_patterns("__editable__*", "__pycache__", "grading_utils")
    shutil.copytree(sysconfig.get_path("purelib"), packages, copy_function=link, symlinks=True, ignore=unwanted)
    shutil.copytree(ROOT / "grading_utils", packages / "grading_utils", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", folder / "course" / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, folder / "course" / name)
    for name in ("home", "work"):
        (folder / name).mkdir()
        os.chown(folder / name, NOBODY, NOBODY)
    return folder / "venv" / "bin" / "python"


def main(arguments: list[str]) -> int:
    """Run pytest as somebody who is not root; returns its exit status."""
    if os.geteuid() != 0:
        return subprocess.call([sys.executable, "-m", "pytest", *ARGUMENTS, *arguments], cwd=ROOT)
    python = interpreter()
    folder = Path(tempfile.mkdtemp(prefix="hostile-user-"))
    try:
        folder.chmod(0o755)
        command = [str(prepare(folder, python)), "-m", "pytest", "--basetemp", f"{folder}/work/pytest", *ARGUMENTS]
        environment = {"HOME": f"{folder}/home", "TMPDIR": f"{folder}/work", "PATH": os.environ["PATH"]}
        somebody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        return subprocess.call([*command, *arguments], cwd=folder / "course", env=environment, **somebody)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
