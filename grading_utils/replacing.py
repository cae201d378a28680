"""Files and folders that are whole or as they were before: written beside their place and moved into it in one step.

What is no plain file (`/dev/null`, a pipe, a link) is written through, never replaced.
"""

from __future__ import annotations

import shutil
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that another program may be reading; folders above it are made.

    Raises:
        OSError: It cannot be written; what was there before is still there.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_bytes(content)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def replace_folder(made: Path, target: Path) -> None:
    """Put a copy of a folder in the place of another, which is removed only when the copy is whole.

    Raises:
        OSError: It cannot be copied; what was there before is still there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        shutil.copytree(made, fresh)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
