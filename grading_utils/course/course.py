"""An nbgrader course directory: its configuration, folders, assignments and students.

Reads `nbgrader_config.py` as nbgrader does and asks nbgrader's own `CourseDirectory` for every path, so that any
layout nbgrader understands works here too. Reads neither notebooks nor what is in the gradebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute
from sqlalchemy.engine import make_url
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from grading_utils import patches
from grading_utils.course.cells import LONGEST_SECONDS
from grading_utils.course.regions import Grammar
from grading_utils.errors import CourseError

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

CONFIG_FILE = "nbgrader_config.py"
OWN_FOLDER = ".grading_utils"
"""Where a course keeps what is remembered about it; students never see it, and it can be deleted at any time."""


@dataclass(frozen=True)
class Course:
    """One course directory.

    Attributes:
        root: The folder that holds `source/`, `release/`, `submitted/`, …
        config: nbgrader's configuration for this course.
        layout: nbgrader's own description of the folders.
    """

    root: Path
    config: Config
    layout: CourseDirectory

    @classmethod
    def open(cls, root: Path | str = ".") -> Course:
        """Open the course in a folder.

        Raises:
            CourseError: The folder does not exist, is no course, or its configuration cannot be read.
        """
        root = Path(root).resolve()
        if not root.is_dir():
            raise CourseError(f"there is no folder {root}; name the course with --course DIR")
        config = Config()
        if (root / CONFIG_FILE).exists():
            try:
                config = PyFileConfigLoader(CONFIG_FILE, path=str(root)).load_config()
            except Exception as error:
                raise CourseError(
                    f"cannot be read: {type(error).__name__}: {error}", where=str(root / CONFIG_FILE)
                ) from error
        config.CourseDirectory.root = str(root)
        patches.put_tools_on_path()
        course = cls(root, config, CourseDirectory(config=config))
        if not (root / CONFIG_FILE).exists() and not course.folder(course.layout.source_directory).is_dir():
            raise CourseError(
                f"{root} is no nbgrader course: it has neither {CONFIG_FILE} nor a source folder; "
                "go to the course's folder or name it with --course DIR"
            )
        return course

    @property
    def name(self) -> str:
        """The course's id, or the folder's name where none is configured."""
        return str(self.layout.course_id) or self.root.name

    @property
    def grammar(self) -> Grammar:
        """How the course's authors mark solutions, hidden tests and mark schemes."""
        return Grammar.of(self.config)

    @property
    def cell_seconds(self) -> float:
        """How long a cell may compute unless its author says otherwise: nbgrader's `c.Execute.timeout`."""
        seconds = Execute(config=self.config).timeout
        return float(seconds) if seconds is not None and seconds > 0 else LONGEST_SECONDS

    @property
    def has_gradebook(self) -> bool:
        """Is there a gradebook to read? Opening one that is not there would make it."""
        address = make_url(self.layout.db_url)
        is_file = address.get_backend_name() == "sqlite"
        return not is_file or bool(address.database and Path(address.database).exists())

    def gradebook(self) -> Gradebook:
        """Open the gradebook, which is made where there is none.

        Raises:
            MachineError: It is of a version of nbgrader that isn't known here, so nothing in it can be relied on.
        """
        from nbgrader.api import Gradebook  # takes a while

        gradebook = Gradebook(self.layout.db_url, self.layout.course_id)
        try:
            patches.refuse_unknown_tables(gradebook.db())
        except BaseException:
            gradebook.close()
            raise
        return gradebook

    def folder(self, step: str, student: str = ".", assignment: str = ".") -> Path:
        """The folder of one nbgrader step (`"source"`, `"submitted"`, …), student and assignment."""
        return Path(self.layout.format_path(step, student, assignment))

    def source(self, assignment: str) -> Path:
        """The instructor's folder of an assignment."""
        return self.folder(self.layout.source_directory, ".", assignment)

    def release(self, assignment: str) -> Path:
        """The student version of an assignment."""
        return self.folder(self.layout.release_directory, ".", assignment)

    def submitted(self, assignment: str, student: str) -> Path:
        """What one student handed in."""
        return self.folder(self.layout.submitted_directory, student, assignment)

    def autograded(self, assignment: str, student: str) -> Path:
        """One student's graded notebooks."""
        return self.folder(self.layout.autograded_directory, student, assignment)

    def assignments(self) -> list[str]:
        """Names of all assignments that have a notebook in the source folder, sorted."""
        marker = "\0"
        pattern = self.source(marker)
        parent, tail = Path(str(pattern).split(marker)[0]), str(pattern).split(marker)[1]
        if not parent.is_dir():
            return []
        found = [entry.name for entry in parent.iterdir() if any(Path(f"{entry}{tail}").glob("*.ipynb"))]
        return sorted(name for name in found if not name.startswith("."))

    def students(self, assignment: str) -> list[str]:
        """Ids of all students who handed in something for an assignment, sorted."""
        marker = "\0"
        pattern = str(self.submitted(assignment, marker))
        head, tail = pattern.split(marker)
        if not Path(head).is_dir():
            return []
        excluded = set(str(self.layout.student_id_exclude).split(","))
        names = (entry.name for entry in Path(head).iterdir() if not entry.name.startswith("."))
        return sorted(name for name in names if name not in excluded and _exists(Path(f"{head}{name}{tail}")))

    def require(self, assignment: str) -> str:
        """Return the name of an assignment that exists.

        Raises:
            CourseError: There is no such assignment; the message lists those there are.
        """
        known = self.assignments()
        if assignment not in known:
            raise CourseError(
                f"no assignment {assignment!r} in {self.folder(self.layout.source_directory)}; "
                f"there {'is' if len(known) == 1 else 'are'}: {', '.join(known) or 'none'}"
            )
        return assignment


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()
