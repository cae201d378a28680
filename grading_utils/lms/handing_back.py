"""Feedback pages as the zip that Canvas or Moodle hands out to the students whose files it came from.

Both find a page's student by the name of the file that was handed in, so the download that was collected is looked at
again; only names are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from grading_utils.course.course import Course
from grading_utils.errors import CourseError
from grading_utils.lms import canvas, moodle
from grading_utils.lms.archives import write_zip
from grading_utils.lms.collecting import owners_of, released_name
from grading_utils.lms.downloads import Handed
from grading_utils.lms.matching import Roster
from grading_utils.reporting.exchange_files import pages_of

NAMES: dict[str, Callable[[PurePosixPath, str], str]] = {"canvas": canvas.feedback_name, "moodle": moodle.feedback_name}
"""How each system wants a page of feedback to be called."""


def feedback_zip(
    course: Course,
    assignment: str,
    handed: Sequence[Handed],
    roster: Roster,
    system: str,
    target: Path,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> list[str]:
    """Write the zip; returns the students whose feedback is in it.

    Raises:
        CourseError: Nobody of the download has feedback.
    """
    notebooks = {path.stem for path in course.source(assignment).glob("*.ipynb")}
    files: dict[str, bytes] = {}
    students: dict[str, None] = {}
    for one in handed:
        name = PurePosixPath(released_name(one.file, notebooks))
        if name.suffix != ".ipynb" or not (one.ids or one.name):
            continue
        for student in owners_of(one, roster, groups or {})[:1]:
            for page in pages_of(course, assignment, student):
                if page.stem in (name.stem, assignment):
                    files[NAMES[system](one.entry.path, page.name)] = page.read_bytes()
                    students[student] = None
    if not files:
        raise CourseError(f"nobody in this download has feedback on {assignment}: run `grading-utils feedback` first")
    write_zip(files, target)
    return list(students)
