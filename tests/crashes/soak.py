"""Kill graders at random moments, grade again, and compare with a class that was never disturbed.

`python -m tests.crashes.soak` kills the coordinator 20 times and workers 50 times, and prints the seed of every kill;
`--seed` repeats a run's moments as far as the machine's own timing lets it. The test of the suite does a few of them.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook

from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.grading.solutions import solution_notebook
from grading_utils.reporting.records import RESULTS, read_json
from grading_utils.results import Status

from ..conftest import ASSIGNMENT, cell_named, hand_in, write_course
from ..sandbox.conftest import family

ANSWERS = (
    None,
    "def count_words(text):\n    return {}",
    "import os\ndef count_words(text):\n    os.kill(os.getpid(), 9)",
    "raise SystemExit",
)


def make_class(root: Path, students: int) -> Course:
    """A class with right, wrong and hostile answers; a person has graded one of them, who handed in again since."""
    course = Course.open(write_course(root))
    bundle = build_bundle(course, ASSIGNMENT)
    right = solution_notebook(course.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb", bundle.notebooks[ASSIGNMENT])
    hand_in(course, "s0", right)
    grade(course)
    with Gradebook(course.layout.db_url) as gradebook:
        gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "s0").manual_score = 1.5
        gradebook.find_grade("why", ASSIGNMENT, ASSIGNMENT, "s0").needs_manual_grade = False
        gradebook.db.commit()
    for number in range(students):
        notebook = copy.deepcopy(right)
        if (answer := ANSWERS[number % len(ANSWERS)]) is not None:
            cell_named(notebook, "count-words").source = answer
        cell_named(notebook, "why").source = f"Because of {number}."
        hand_in(course, f"s{number}", notebook)
    return course


def command(course: Course, *arguments: str) -> list[str]:
    program = Path(sys.executable).parent / "grading-utils"
    return [str(program), "grade", "--course", str(course.root), *arguments]


def grade(course: Course, *arguments: str) -> int:
    """Grade undisturbed; the exit code."""
    return subprocess.run(command(course, *arguments), capture_output=True, check=False).returncode


def end_state(course: Course) -> dict[str, Any]:
    """All that grading leaves, without times and the ids that databases make up."""
    with Gradebook(course.layout.db_url) as gradebook:
        rows = sorted(
            (
                submission.student.id,
                notebook.name,
                grade.cell.name,
                grade.auto_score,
                grade.manual_score,
                grade.needs_manual_grade,
            )
            for submission in gradebook.find_assignment(ASSIGNMENT).submissions
            for notebook in submission.notebooks
            for grade in notebook.grades
        )
    results = {
        one.student: (
            one.status,
            one.score,
            one.message,
            [(cell.grade_id, cell.score, cell.open) for cell in one.cells],
        )
        for one in read_json(course.root / RESULTS)
    }
    folder = course.root / "autograded"
    files = {
        str(path.relative_to(folder)): _scored(path) if path.suffix == ".ipynb" else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    hidden = sorted(str(path.relative_to(course.root)) for path in course.root.rglob(".*.new"))
    journals = sorted(path.name for path in (course.root / ".grading_utils" / "journal").glob("*.jsonl"))
    return {"gradebook": rows, "results": results, "files": files, "left over": [*hidden, *journals]}


def _scored(path: Path) -> list[Any]:
    notebook = nbformat.read(path, as_version=4)
    return [(cell.source, [output.output_type for output in cell.get("outputs", ())]) for cell in notebook.cells]


def kill_coordinator(course: Course, chance: random.Random, most: float, *arguments: str) -> float:
    """Begin to grade, and kill the coordinator alone after a while; the while."""
    moment = chance.uniform(0, most)
    with _started(course, *arguments) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        process.kill()
        process.wait()
    return moment


def kill_workers(course: Course, chance: random.Random, kills: int, *arguments: str) -> list[str]:
    """Grade, and kill processes of workers meanwhile, whichever they are; what was killed."""
    killed: list[str] = []
    with _started(course, *arguments) as process:
        while process.poll() is None and len(killed) < kills:
            time.sleep(chance.uniform(0.1, 0.8))
            below = sorted(family(process.pid) - {process.pid})
            if below:
                pid = chance.choice(below)
                with contextlib.suppress(OSError):
                    name = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[-60:]
                    os.kill(pid, signal.SIGKILL)
                    killed.append(name)
        process.wait()
    return killed


@contextlib.contextmanager
def _started(course: Course, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command(course, *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def finish(course: Course, *arguments: str) -> int:
    """Grade until nothing failed, as a person would; how often it took."""
    for count in range(1, 6):
        if grade(course, *arguments) in (0, 1) and not any(
            one.status is Status.FAILED for one in read_json(course.root / RESULTS)
        ):
            return count
    return 6


def main() -> None:
    """Run the whole of it and say how it ended."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options.add_argument("--coordinators", type=int, default=20)
    options.add_argument("--workers", type=int, default=50)
    options.add_argument("--students", type=int, default=24)
    given = options.parse_args()
    chance = random.Random(given.seed)
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        course = make_class(Path(folder, "disturbed"), given.students)
        twin = Course.open(shutil.copytree(course.root, Path(folder, "undisturbed")))
        began = time.monotonic()
        assert grade(twin) in (0, 1)
        whole = time.monotonic() - began
        wanted = end_state(twin)
        for number in range(given.coordinators):
            moment = kill_coordinator(course, chance, whole)
            print(f"coordinator {number + 1}: killed after {moment:.2f} s", flush=True)
        again = 0
        while given.workers > 0:
            how = ("--again",) if again % 2 else ("--again", "--runner", "dask", "--workers", "2")
            killed = kill_workers(course, chance, min(10, given.workers), *how)
            given.workers -= len(killed)
            again += 1
            print(f"workers, run {again} ({' '.join(how)}): killed {killed}", flush=True)
        print(f"graded again {finish(course)} times until nothing had failed", flush=True)
        found = end_state(course)
        for what in wanted:
            same = found[what] == wanted[what]
            print(f"{what}: {'equal to the undisturbed run' if same else 'DIFFERENT'}", flush=True)
        sys.exit(0 if found == wanted else 1)


if __name__ == "__main__":
    main()
