"""Folders in `submitted/` that nobody will look into, and what they would have to be called.

Only names are looked at. A course with its own directory structure is left alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from grading_utils.course.course import Course

_USUAL = "{nbgrader_step}/{student_id}/{assignment_id}"
_MOST = 20


def strays(course: Course) -> list[str]:
    """One sentence for each folder that looks like a submission in the wrong place, at most twenty."""
    if str(course.layout.directory_structure) != _USUAL:
        return []
    return list(_found(course))[:_MOST]


def _found(course: Course) -> Iterator[str]:
    root = course.folder(course.layout.submitted_directory)
    known = course.assignments()
    for student in _folders(root):
        if student.name in known:
            for below in _folders(student):
                yield f"{_named(root, below)}: has to be {root.name}/{below.name}/{student.name}"
            continue
        for below in _folders(student):
            if below.name in known:
                continue
            near = difflib.get_close_matches(below.name, known, n=1, cutoff=0.6)
            wanted = f"; has to be {root.name}/{student.name}/{near[0]}" if near else ""
            yield f"{_named(root, below)}: there is no assignment {below.name!r}{wanted}"
        for notebook in sorted(student.glob("*.ipynb")):
            fits = notebook.stem if notebook.stem in known else "<assignment>"
            yield (
                f"{_named(root, notebook)}: has to lie in a folder of its assignment, "
                f"{root.name}/{student.name}/{fits}/{notebook.name}"
            )
    for notebook in sorted(root.glob("*.ipynb")):
        yield f"{_named(root, notebook)}: has to be {root.name}/<student>/<assignment>/{notebook.name}"


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _named(root: Path, path: Path) -> str:
    return f"{root.name}/{path.relative_to(root).as_posix()}"
