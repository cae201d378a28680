"""Files beside the notebook in the student's process: what the tester sends is put there, what changes is reported.

The working directory is this process's own. Files of the instructor's are links that lead out of it, to what can't be
written; a file of the same name never takes their place.
"""

from __future__ import annotations

from pathlib import Path


def place(files: dict[str, bytes]) -> None:
    """Write files that are not there yet, with the folders that they need; one that can't be written is left out."""
    for name, content in files.items():
        path = Path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as stream:
                stream.write(content)
        except OSError:
            continue
