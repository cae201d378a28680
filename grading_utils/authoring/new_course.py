"""A course of one's own from this pack: an nbgrader course directory with some of the assignments, ready to release.

Copies only; the pack itself stays as it is. Releasing and grading the new course is the caller's.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import grading_utils
from grading_utils.course.course import CONFIG_FILE, Course
from grading_utils.errors import CourseError

_PACK = Path(grading_utils.__file__).resolve().parent.parent
_README = """# {name}

An nbgrader course with assignments of the small-language-models pack.

    grading-utils release                      makes release/, which students get
    grading-utils students import roster.csv   who is in the course
    grading-utils collect ASSIGNMENT ZIP --from canvas
    grading-utils grade                        fills autograded/ and the gradebook
    nbgrader formgrader or `jupyter lab`       for written answers
    grading-utils feedback
    grading-utils report

Assignments: {assignments}. Change anything in source/; `grading-utils release` says whether it still grades.
"""
_IGNORED = """/submitted/
/autograded/
/feedback/
/downloaded/
/gradebook.db*
/grades.*
/report.html
.ipynb_checkpoints/
"""


def pack() -> Course:
    """The course that this package came with.

    Raises:
        CourseError: The package was installed without its course.
    """
    if not (_PACK / "source").is_dir():
        raise CourseError(
            "this installation has no assignments beside it: install the package from the pack's folder "
            "(`pip install --editable .`) and call it again"
        )
    return Course.open(_PACK)


def new_course(folder: Path, assignments: Sequence[str]) -> Course:
    """Make a course directory.

    Args:
        folder: The folder to make; it must be new or empty.
        assignments: Names of the pack's assignments; none for all of them.

    Raises:
        CourseError: The folder holds something, or there is no such assignment.
    """
    ours = pack()
    chosen = [ours.require(name) for name in assignments] or ours.assignments()
    if folder.exists() and any(folder.iterdir()):
        raise CourseError(f"{folder} is not empty; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        shutil.copytree(ours.source(name), folder / "source" / name, ignore=shutil.ignore_patterns(".*"))
        harmless = ours.root / "mutants" / f"{name}.yaml"
        if harmless.exists():
            (folder / "mutants").mkdir(exist_ok=True)
            shutil.copy(harmless, folder / "mutants")
    config = (ours.root / CONFIG_FILE).read_text(encoding="utf-8")
    course_id = f"c.CourseDirectory.course_id = {folder.resolve().name!r}"
    named = re.sub(r"(?m)^c\.CourseDirectory\.course_id = .*$", lambda _: course_id, config)
    (folder / CONFIG_FILE).write_text(named, encoding="utf-8")
    (folder / "README.md").write_text(_README.format(name=folder.name, assignments=", ".join(chosen)), encoding="utf-8")
    (folder / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    (folder / "submitted").mkdir()
    return Course.open(folder)
