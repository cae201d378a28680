"""Which data outside of an assignment its notebooks may read while they are graded, as the course's configuration says.

A notebook in the sandbox sees its assignment's folder and the installed packages. A data set or a model that lies
elsewhere is named in `nbgrader_config.py`, and is then in view, read-only, at its own path::

    c.Sandbox.readable = ["/data/mnist", "models"]
"""

from __future__ import annotations

from pathlib import Path

from traitlets import List, Unicode
from traitlets.config import Configurable

from grading_utils.course.course import Course

OPTION = "c.Sandbox.readable"
"""What a message calls the list."""


class Sandbox(Configurable):
    """What `nbgrader_config.py` may say about the sandbox."""

    readable = List(
        Unicode(),
        help="Folders and files outside of the assignment that its notebooks may read: absolute, below your home "
        "(`~/data`), or relative to the course's folder. Students' code can read all of it.",
    ).tag(config=True)


def readable_paths(course: Course) -> tuple[Path, ...]:
    """The configured paths, absolute; they need not exist."""
    return tuple((course.root / Path(path).expanduser()) for path in Sandbox(config=course.config).readable)
