"""Make `release/` from `source/`, and refuse when something would leak.

Runs nbgrader's own `GenerateAssignment` into a scratch folder with a scratch gradebook, scans what it made, and only
then replaces the release. The same source always gives the same bytes. The proof that an assignment also *grades*
as promised is in `proof`.
"""

from __future__ import annotations

import copy
import logging
import tempfile
from pathlib import Path

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from grading_utils.authoring.leaks import find_leaks
from grading_utils.authoring.scaffold import ScaffoldSolutions
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.course.regions import Grammar
from grading_utils.course.released import remember_release
from grading_utils.errors import AuthoringError
from grading_utils.replacing import replace_folder


def generate(course: Course, assignment: str, root: Path) -> Path:
    """Generate the release of one assignment below another folder.

    Args:
        course: The course whose source to read.
        assignment: The assignment.
        root: Where to put it; this folder gets a `release/` and a gradebook of its own.

    Returns:
        The folder of the generated release.

    Raises:
        CourseError: There is no such assignment.
        AuthoringError: A notebook breaks a rule of nbgrader or of the scaffolds, or would leak a secret.
    """
    build_bundle(course, assignment)  # names notebook, cell and rule where nbgrader's converter would only log them
    root.mkdir(parents=True, exist_ok=True)
    config = copy.deepcopy(course.config)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    config.CourseDirectory.release_directory = str(root / "release")
    layout = CourseDirectory(config=config)
    layout.assignment_id = assignment
    converter = GenerateAssignment(coursedir=layout, config=config)
    converter.force = True
    log = _LastError()
    converter.log = logging.Logger("nbgrader", logging.ERROR)
    converter.log.addHandler(log)
    try:
        converter.start()
    except (NbGraderException, SystemExit) as error:
        raise AuthoringError(
            f"nbgrader could not generate the release: {log.text or error}", where=assignment
        ) from error
    target = Path(layout.format_path(layout.release_directory, ".", assignment))
    refuse_leaks(course.source(assignment), target, course.grammar)
    return target


def lost_scaffolds(course: Course, assignment: str) -> list[str]:
    """Notebooks whose scaffolds students would not see, since the course's configuration leaves them out."""
    if course.grammar.scaffold is not None:
        return []
    marker = ScaffoldSolutions.scaffold_delimeter.default_value
    notebooks = sorted(course.source(assignment).glob("*.ipynb"))
    return [path.name for path in notebooks if marker in path.read_text(encoding="utf-8")]


def release(course: Course, assignment: str) -> Path:
    """Replace `release/<assignment>` by what `source/<assignment>` generates now.

    Raises:
        CourseError: There is no such assignment.
        AuthoringError: The release would leak, or the source breaks a rule; the old release is untouched.
    """
    target = course.release(assignment)
    with tempfile.TemporaryDirectory() as scratch:
        fresh = generate(course, assignment, Path(scratch))
        remember_release(course, assignment, fresh)
        replace_folder(fresh, target)
    return target


class _LastError(logging.Handler):
    """Keeps the first error that nbgrader logs: its exception only says to look there."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or record.getMessage().strip().split("\n")[-1]


def refuse_leaks(source: Path, released: Path, grammar: Grammar) -> None:
    """Compare every notebook of a release with its source.

    Raises:
        AuthoringError: Something secret can be read in it; lists every place.
    """
    for path in sorted(source.glob("*.ipynb")):
        made = released / path.name
        leaks = find_leaks(nbformat.read(path, as_version=4), nbformat.read(made, as_version=4), grammar)
        if leaks:
            listed = "\n  ".join(str(leak) for leak in leaks)
            raise AuthoringError(f"the release would give away:\n  {listed}", where=f"{source.name}/{path.name}")
