"""A course of one's own from this pack: an nbgrader course directory with some of the assignments, ready to release.

Copies only; the pack itself stays as it is. Releasing and grading the new course is the caller's.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import grading_utils
from grading_utils.authoring.rehearsal import README
from grading_utils.course.course import CONFIG_FILE, Course
from grading_utils.errors import CourseError

_PACK = Path(grading_utils.__file__).resolve().parent.parent
_README = """# {name}

An nbgrader course, made from the small-language-models pack, with the assignments

{assignments}

Every command here is run in this folder, in this order; `grading-utils init` has tried all of them in a copy, with a
class of two.

## Before the term

`roster.csv` is what Canvas, Moodle or Gradescope exports, or a table of your own with the columns
`id,first_name,last_name,email`.

```sh
grading-utils students import roster.csv
grading-utils due {first} '2030-12-01 23:59' --timezone Europe/Berlin
grading-utils kit --output students.zip
```

`students.zip` is all that students need; they open `start-here.html` in it first. Change what you like in `source/`:

```sh
grading-utils release
```

makes `release/` again, and refuses if the solution would lose points or the untouched release earn some. Then make the
kit again, under a new name.

## When work has come in

`submissions.zip` is what Canvas gives you under "Download Submissions"; `--from` also knows `moodle`, `gradescope`
and `folder`. Without any of them, put notebooks into `submitted/STUDENT/{first}/`.

```sh
grading-utils collect {first} submissions.zip --from canvas
grading-utils grade
grading-utils report
```

`grade` ends with code 1 while something waits for a person; `report.html` lists what, and why. Written answers are
graded in nbgrader's formgrader: `jupyter lab` in this folder, menu Nbgrader, Formgrader.

## Back to students

```sh
grading-utils feedback
grading-utils hand-back {first} submissions.zip --to canvas --output feedback.zip
grading-utils export --to csv --output grades.csv
grading-utils solutions {first}
```

The first makes a page for each student, the second a zip of them for Canvas ("Upload Submissions"), the third the
gradebook, and the last, after the deadline, worked notebooks. `grading-utils --help` lists what else there is, and
`grading-utils COMMAND --help` says how.
"""
_IGNORED = """/submitted/
/autograded/
/feedback/
/downloaded/
/gradebook.db*
/grades.*
/report.html
/solution/
/roster.csv
/*.zip
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
    listed = "\n".join(f"- `{name}`" for name in chosen)
    text = _README.format(name=folder.resolve().name, assignments=listed, first=chosen[0])
    (folder / README).write_text(text, encoding="utf-8")
    (folder / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    (folder / "submitted").mkdir()
    return Course.open(folder)
