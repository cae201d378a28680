"""What a worker has to have in common with the coordinator, so that both give the same scores.

Compared are this package's own text, the interpreter's version, the libraries that notebooks use, and the language
model's content. Nothing else of a machine is looked at.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import grading_utils
from grading_utils.language_model.resolver import resolve_model

_LIBRARIES = (
    "torch",
    "transformers",
    "tokenizers",
    "numpy",
    "pandas",
    "matplotlib",
    "networkx",
    "localscope",
    "ipython",
    "nbformat",
    "msgspec",
)


@cache
def identity() -> dict[str, str]:
    """What grading depends on in this process."""
    package = Path(grading_utils.__file__).parent
    return {
        "grading-utils": _digest(package, "*.py"),
        "Python": platform.python_version(),
        **{name: _version(name) for name in _LIBRARIES},
        "language model": _digest(Path(resolve_model().path), "*"),
    }


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """In what a worker differs, for people; "" where it does not."""
    other = [name for name in ours if theirs.get(name) != ours[name]]
    return ", ".join(f"{name} ({theirs.get(name, 'none')}, here {ours[name]})" for name in other)


def _version(name: str) -> str:
    """A library's version; builds for a processor and for a GPU count as the same."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return "none"


def _digest(folder: Path, pattern: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob(pattern)):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode())
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:12]
