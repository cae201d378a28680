"""A term in minutes: every command of a new course's README, run in a copy of the course with a class of two.

One student hands in the solution, one the untouched release, as a download of Canvas. The commands are read from the
README itself, so what it says is what was tried. The course stays as it is: nobody is added to it.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import CONFIG_FILE, Course
from grading_utils.errors import AuthoringError
from grading_utils.grading.solutions import solution_notebook, untouched_notebook
from grading_utils.lms.archives import write_zip

README = "README.md"
_ROSTER = """id,first_name,last_name,email,lms_user_id
ada,Ada,Able,ada@example.org,1
ben,Ben,Blank,ben@example.org,2
"""
_DONE, _NEEDS_A_PERSON = 0, 1  # a written answer waits in most assignments
_PROGRAM = (sys.executable, "-c", "from grading_utils.cli import main; main(prog_name='grading-utils')")


def rehearse(course: Course, assignment: str, *, grade_options: Sequence[str] = ()) -> int:
    """Run the commands of a course's README in a copy of the course.

    Args:
        course: The course, with its release made.
        assignment: The only assignment of the copy.
        grade_options: What `grade` is called with besides what the README says.

    Returns:
        How many commands were run.

    Raises:
        AuthoringError: One of them failed; says which, and what it said.
    """
    commands = commands_of((course.root / README).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / course.root.name
        _copy(course, assignment, root)
        for words in commands:
            if words[0] == "solutions":  # which waits for the deadline
                _call(root, ["due", assignment, "2000-01-01"])
            _call(root, [*words, *(grade_options if words[0] == "grade" else ())])
    return len(commands)


def commands_of(text: str) -> list[list[str]]:
    """The words of each `grading-utils` command in the shell blocks of a page, without the program's name."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["grading-utils"]]


def _copy(course: Course, assignment: str, root: Path) -> None:
    """The course with one assignment, and what a class of two would send."""
    for folder in (course.source(assignment), course.release(assignment)):
        shutil.copytree(folder, root / folder.relative_to(course.root))
    shutil.copy(course.root / CONFIG_FILE, root)
    remembered = course.root / ".grading_utils"
    if remembered.exists():
        shutil.copytree(remembered, root / remembered.name)
    (root / "roster.csv").write_text(_ROSTER, encoding="utf-8")
    sent: dict[str, bytes] = {}
    for name, bundle in build_bundle(course, assignment).notebooks.items():
        solved = solution_notebook(course.source(assignment) / f"{name}.ipynb", bundle)
        sent[f"ableada_1_11_{name}.ipynb"] = nbformat.writes(solved).encode()
        sent[f"blankben_2_12_{name}.ipynb"] = nbformat.writes(untouched_notebook(bundle)).encode()
    write_zip(sent, root / "submissions.zip")


def _call(root: Path, words: list[str]) -> None:
    done = subprocess.run([*_PROGRAM, *words], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode not in (_DONE, _NEEDS_A_PERSON) or "Traceback" in done.stderr:
        said = (done.stderr or done.stdout).strip()
        raise AuthoringError(f"`grading-utils {shlex.join(words)}` ends with code {done.returncode}: {said[-2000:]}")
