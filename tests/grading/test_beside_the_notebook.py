"""What lies beside a notebook while it is graded: the instructor's files, under them the student's, and open ones."""

from __future__ import annotations

import copy
import time
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_notebook

from grading_utils.boundary.warm import warmup
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import AuthoringError
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.pipeline import grade
from grading_utils.intake.beside import files_beside
from grading_utils.intake.submission import open_submission
from grading_utils.results import SubmissionResult

from ..conftest import ASSIGNMENT, hand_in, managed

CELLS = [
    managed("locked", "setup", "!pip install no-such-package\nimport shapes\nhandle = open('lines.txt')"),
    managed("locked", "first-line", "first = handle.readline()"),
    managed(
        "solution",
        "answer",
        "### BEGIN SOLUTION\nimport shapes\nclass mine: NUMBER = 7\nfrom pathlib import Path\n"
        "Path('written.py').write_text('TWICE = 2')\nimport written\n"
        "Path('data/new.txt').write_text('x')\nfound = mine.NUMBER * written.TWICE\nside = shapes.SIDE\n"
        "### END SOLUTION",
    ),
    managed("test", "modules", "import shapes\nassert found == 14 and side == shapes.SIDE == 3", 1),
    managed("test", "handle-test", "assert first == 'one\\n' and handle.readline() == 'two\\n' and found", 1),
    managed("test", "again", "assert handle.readline() == 'three\\n' and found", 1),
    managed("test", "data", "assert open('data/numbers.txt').read() == '1' and found", 1),
]


def make_course(root: Path, cells: list[Any], config: str = "") -> Course:
    folder = root / "source" / ASSIGNMENT
    (folder / "data").mkdir(parents=True)
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=metadata), folder / f"{ASSIGNMENT}.ipynb")
    (folder / "shapes.py").write_text("SIDE = 3")
    (folder / "lines.txt").write_text("one\ntwo\nthree\n")
    (folder / "data/numbers.txt").write_text("1")
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}\n")
    return Course.open(root)


def answered() -> Any:
    answer = copy.deepcopy(next(cell for cell in CELLS if cell.metadata.nbgrader.grade_id == "answer"))
    answer.source = answer.source.replace("class mine: NUMBER = 7", "import mine")
    return new_notebook(cells=[answer])


def run(course: Course, *, isolate: bool = True) -> dict[str, SubmissionResult]:
    bundle = build_bundle(course, ASSIGNMENT)
    factory = engine_factory(course, isolate=isolate)
    return {r.student: r for r in grade(course, bundle, course.students(ASSIGNMENT), factory)}


@pytest.mark.parametrize("isolate", [True, False], ids=["sandbox", "kernel"])
def test_modules_files_and_open_files_are_there_as_in_a_notebook(isolate: bool, tmp_path: Path) -> None:
    course = make_course(tmp_path / "course", CELLS)
    for student in ("ann", "bob"):  # twice: a handle that both read from would be at its end for one of them
        folder = hand_in(course, student, answered()).parent
        (folder / "mine.py").write_text("NUMBER = 7")
        (folder / "shapes.py").write_text("SIDE = 4")
    results = run(course, isolate=isolate)
    scores = {name: [(cell.grade_id, cell.score) for cell in result.cells] for name, result in results.items()}
    full = [(name, 1.0) for name in ("modules", "handle-test", "again", "data")]
    assert scores == {"ann": full, "bob": full}, results


def test_only_regular_files_within_bounds_are_put_beside_the_notebook(tmp_path: Path, monkeypatch: Any) -> None:
    folder = tmp_path / "ann"
    (folder / "sub").mkdir(parents=True)
    (folder / f"{ASSIGNMENT}.ipynb").write_text("{}")
    (folder / "sub/small.csv").write_text("1")
    (folder / "large.bin").write_bytes(b"x" * 100)
    (folder / "link").symlink_to("/etc/passwd")
    with open_submission(folder, {ASSIGNMENT}) as submission:
        submission.files[PurePosixPath("link")] = folder / "link"  # put in place of a file after it was listed
        monkeypatch.setattr("grading_utils.intake.beside.MOST_BYTES", 50)
        assert dict(files_beside(submission)) == {"sub/small.csv": b"1", "link": b""}
    assert any("large.bin" in note for note in submission.attention)


def test_a_locked_cell_that_finds_nothing_learns_of_the_list_and_the_list_helps(tmp_path: Path) -> None:
    data = tmp_path / "elsewhere"
    data.mkdir(mode=0o755)
    tmp_path.chmod(0o755)
    (data / "numbers.txt").write_text("5")
    cells = [managed("locked", "setup", f"number = open('{data}/numbers.txt').read()"), *CELLS[2:4]]
    course = make_course(tmp_path / "blind", cells)
    bundle = build_bundle(course, ASSIGNMENT)
    with pytest.raises(AuthoringError, match=r"FileNotFoundError.*c\.Sandbox\.readable"):
        engine_factory(course, isolate=True)(bundle, bundle.notebooks[ASSIGNMENT])
    course = make_course(tmp_path / "seeing", cells, f"c.Sandbox.readable = [{str(data)!r}]")
    bundle = build_bundle(course, ASSIGNMENT)
    engine_factory(course, isolate=True)(bundle, bundle.notebooks[ASSIGNMENT]).close()


def test_a_locked_cell_without_end_is_stopped_and_named(forked_reply: Any) -> None:
    began = time.monotonic()
    reply = forked_reply(["x = 1", "import time\ntime.sleep(600)"], ["import time\ntime.sleep(600)"])
    assert reply == [True, False]
    assert time.monotonic() - began < 300


def test_a_later_locked_cell_without_end_is_left_to_each_submission(forked_reply: Any) -> None:
    assert forked_reply(["x = 1"], ["y = x + 1", "import time\ntime.sleep(600)"]) == [True]


@pytest.fixture
def forked_reply() -> Any:
    """`warmup.prepare` in a process of its own, with a second for all of it: which leading cells ended well."""
    import multiprocessing

    def work(cells: list[str], later: list[str], answer: Any) -> None:
        answer.put(warmup.prepare(cells, later, 1.0).ok)

    def run_it(cells: list[str], later: list[str]) -> Any:
        context = multiprocessing.get_context("fork")
        answer = context.SimpleQueue()
        process = context.Process(target=work, args=(cells, later, answer))
        process.start()
        reply = answer.get()
        process.join()
        return reply

    return run_it
