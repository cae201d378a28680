"""Grading on a GPU, up to the driver's first call: with a stand-in for the driver's files and PyTorch for processors.

That CUDA has started is played by the flag that PyTorch then sets: from there on a process refuses to be copied.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner, Result
from nbformat.v4 import new_notebook

from grading_utils.boundary.warm import gpu
from grading_utils.cli import main
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.devices import nvidia
from grading_utils.errors import AuthoringError, CourseError, SandboxError
from grading_utils.grading import engines, sandbox_engine
from grading_utils.grading.calibration import NEEDS_GPU
from grading_utils.grading.pipeline import grade
from grading_utils.results import SubmissionResult

from ..conftest import ASSIGNMENT, hand_in, managed
from ..stand_in_card import Plugged, plug_in, uuid_of
from .conftest import solved

STARTED = "torch.cuda._initialized = True  # as if CUDA had started\n"
SETUP = "import os, torch\nNUMBERS = torch.tensor([1.0, 2.0, 3.0])"
DEVICE = "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\nhere = NUMBERS.to(device)"
DOUBLE = "def double(x):\n    calls.append(1)\n    return 2 * x\ncalls = []"
CHECK_DOUBLE = """
assert torch.equal(double(NUMBERS), 2 * NUMBERS), 'twice the numbers'
### BEGIN HIDDEN TESTS
assert double(7) == 14, 'twice any number'
assert len(calls) == 2, 'this check has called it twice, and no other check ever has'
### END HIDDEN TESTS
"""
TRIPLE = "def triple(x):\n    return double(x) + x"
CHECK_TRIPLE = "assert triple(2) == 6, 'three times'\nassert len(calls) == 1, 'only this check has called it'"


def make_course(root: Path, *cells: tuple[str, str], gpu_check: str = "") -> Course:
    """A course of one notebook out of cells: a test where the name ends in `-test`, locked where it begins with it."""
    (root / "source" / ASSIGNMENT).mkdir(parents=True)
    made = []
    for name, source in cells:
        kind = "test" if name.endswith("-test") else "locked" if name.startswith("locked") else "solution"
        if kind == "solution":
            source = f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"
        made.append(managed(kind, name, source, 2 if kind == "test" else None))
        if name == gpu_check:
            made[-1].metadata["grading_utils"] = {"device": "cuda"}
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(metadata=metadata, cells=made)
    nbformat.write(notebook, root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    return Course.open(root)


def graded(course: Course, device: str | None = "cuda", *, workers: int = 1) -> dict[str, SubmissionResult]:
    factory = engines.engine_factory(course, isolate=True, device=device)
    bundle = build_bundle(course, ASSIGNMENT)
    results = grade(course, bundle, course.students(ASSIGNMENT), factory, workers=workers)
    return {result.student: result for result in results}


def scores(result: SubmissionResult) -> dict[str, float | None]:
    return {cell.grade_id: cell.score for cell in result.cells}


def opened(result: SubmissionResult) -> dict[str, str]:
    return {cell.grade_id: cell.open for cell in result.cells if cell.open}


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugged]:
    with pytest.MonkeyPatch.context() as patch:
        yield plug_in(tmp_path_factory.mktemp("machine"), patch)


FULL = "raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 20.00 MiB')"
HANDED_IN = {
    "on-cuda": {"answer-double": STARTED + DOUBLE},
    "late": {"answer-number": STARTED + "number = 6.0"},
    "not": {},
    "wrong": {"answer-double": STARTED + DOUBLE.replace("2 * x", "2 * x + 1")},
    "full-in-a-check": {"answer-triple": f"def triple(x):\n    {FULL}"},
    "full-in-a-cell": {"answer-number": FULL},
}


@dataclass(frozen=True)
class Class:
    """One class, graded on both devices."""

    on_gpu: dict[str, SubmissionResult]
    on_cpu: dict[str, SubmissionResult]
    most_at_once: int


@pytest.fixture(scope="module")
def both(plugged: Plugged, tmp_path_factory: pytest.TempPathFactory) -> Class:
    course = make_course(
        tmp_path_factory.mktemp("class") / "course",
        ("locked-setup", SETUP),
        ("locked-device", DEVICE),
        ("answer-double", DOUBLE),
        ("double-test", CHECK_DOUBLE),
        ("answer-triple", TRIPLE),
        ("triple-test", CHECK_TRIPLE),
        ("answer-number", "number = float(NUMBERS.sum())"),
        ("number-test", "assert number == 6.0, 'the sum'"),
    )
    (course.root / "nbgrader_config.py").write_text("c = get_config()\nc.Device.memory_mib = 7000\n")
    course = Course.open(course.root)
    for student, cells in HANDED_IN.items():
        hand_in(course, student, solved(course, **cells))
    running, most, lock = [0], [0], threading.Lock()
    receive = sandbox_engine.read_runs

    def counted(*arguments: Any) -> Iterator[Any]:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        try:
            yield from receive(*arguments)
        finally:
            with lock:
                running[0] -= 1

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox_engine, "read_runs", counted)
        on_gpu = graded(course, workers=4)
    return Class(on_gpu, graded(course, "cpu", workers=2), most[0])


ALL = {"double-test": 2.0, "triple-test": 2.0, "number-test": 2.0}


def test_checks_get_fresh_processes_where_cuda_keeps_them_from_copies(both: Class) -> None:
    expected = {
        "on-cuda": ALL,
        "late": ALL,
        "not": ALL,
        "wrong": {**ALL, "double-test": 0.0, "triple-test": 0.0},
    }
    assert {name: scores(both.on_gpu[name]) for name in expected} == expected
    assert {name: scores(both.on_cpu[name]) for name in expected} == expected


def test_a_card_without_memory_costs_nobody_points(both: Class) -> None:
    assert scores(both.on_gpu["full-in-a-check"]) == {**ALL, "triple-test": None}
    assert scores(both.on_gpu["full-in-a-cell"]) == {**ALL, "number-test": None}
    assert opened(both.on_gpu["full-in-a-check"]) == {"triple-test": gpu.FULL}
    assert opened(both.on_gpu["full-in-a-cell"]) == {"number-test": gpu.FULL}
    assert scores(both.on_cpu["full-in-a-cell"]) == {**ALL, "number-test": 0.0}  # nobody can be in the way there


def test_no_more_submissions_run_at_once_than_their_shares_fit(both: Class) -> None:
    assert both.most_at_once == 2  # two shares of 7000 MiB in 16000, and four workers


def test_cuda_waits_for_the_fork_and_testers_compute_on_the_processor(
    plugged: Plugged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = []
    init = sandbox_engine.SandboxEngine.__init__

    def spy(self: Any, warm: Any, reply: Any, *rest: Any) -> None:
        replies.append(reply)
        init(self, warm, reply, *rest)

    monkeypatch.setattr(sandbox_engine.SandboxEngine, "__init__", spy)
    names = "'CUDA_VISIBLE_DEVICES', 'GRADING_UTILS_DEVICE', 'CUBLAS_WORKSPACE_CONFIG', 'NVIDIA_TF32_OVERRIDE'"
    course = make_course(
        tmp_path / "course",
        ("locked-setup", SETUP),
        ("locked-device", DEVICE),
        (
            "answer",
            "where = [str(device), str(here.device), torch.cuda.is_initialized(), len(here)]\n"
            f"mine = [os.environ.get(name) for name in ({names})]\n"
            "is_settled = torch.are_deterministic_algorithms_enabled()\n"
            "waiting = len(torch.cuda._queued_calls)",
        ),
        ("where-test", "assert where == ['cpu', 'cpu', False, 3], where  # this PyTorch knows no CUDA"),
        (
            "mine-test",
            f"assert is_settled and waiting and mine == ['{uuid_of(0)}', 'cuda', ':4096:8', '0'], mine\n"
            "assert os.environ['CUDA_VISIBLE_DEVICES'] == '' and os.environ['GRADING_UTILS_DEVICE'] == 'cpu'\n"
            "assert not torch.cuda.is_available() and torch.are_deterministic_algorithms_enabled()",
        ),
    )
    hand_in(course, "amara", solved(course))
    assert scores(graded(course)["amara"]) == {"where-test": 2.0, "mine-test": 2.0}
    assert [reply.ok for reply in replies] == [[True]]  # the second locked cell waited for the forks


def test_a_driver_that_something_else_has_opened_before_the_fork_is_an_error(plugged: Plugged, tmp_path: Path) -> None:
    course = make_course(
        tmp_path / "course",
        ("locked-setup", "import os\nwords = os.open('/dev/nvidia-uvm', os.O_RDONLY)"),
        ("answer", "number = 1"),
        ("number-test", "assert number == 1"),
    )
    hand_in(course, "amara", solved(course))
    with pytest.raises(SandboxError, match="a locked cell has started CUDA before the fork"):
        graded(course)


@pytest.fixture
def asking(tmp_path: Path) -> Course:
    """A course with a check whose metadata asks for a GPU."""
    course = make_course(
        tmp_path / "asking",
        ("locked-setup", "import os"),
        ("answer", "place = os.environ.get('GRADING_UTILS_DEVICE', 'cpu')\nnumber = 1"),
        ("place-test", "assert place == 'cuda', place"),
        ("number-test", "assert number == 1"),
        gpu_check="place-test",
    )
    hand_in(course, "amara", solved(course))
    return course


def test_a_check_can_ask_for_a_gpu_and_is_left_open_without_one(
    asking: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvidia, "ROOT", tmp_path)
    result = graded(asking, None)["amara"]
    assert scores(result) == {"place-test": None, "number-test": 2.0}
    assert opened(result) == {"place-test": NEEDS_GPU}


def test_a_check_that_asks_for_a_gpu_gets_one_where_there_is_one(plugged: Plugged, asking: Course) -> None:
    assert scores(graded(asking, None)["amara"]) == {"place-test": 2.0, "number-test": 2.0}


def test_a_cell_that_asks_for_something_else_is_the_authors_mistake(asking: Course) -> None:
    path = asking.source(ASSIGNMENT) / f"{ASSIGNMENT}.ipynb"
    path.write_text(path.read_text().replace('"device": "cuda"', '"device": "tpu"'))
    with pytest.raises(AuthoringError, match=r"asks for the device 'tpu'; there is: cuda"):
        graded(asking, None)


@pytest.mark.parametrize(
    ("line", "gets"),
    [
        ("", "cpu"),
        ("c.Device.default = 'auto'", "Stand-in 16G"),
        ("c.Device.default = 'cuda:1'", "Stand-in 16G"),
        (f"c.Device.assignments = {{'{ASSIGNMENT}': 'cuda'}}", "Stand-in 16G"),
        (f"c.Device.default = 'cuda'\nc.Device.assignments = {{'{ASSIGNMENT}': 'cpu'}}", "cpu"),
        ("c.Device.default = 'gpu'", CourseError),
    ],
)
def test_the_configuration_says_what_an_assignment_is_graded_on(
    plugged: Plugged, small_course: Course, line: str, gets: Any
) -> None:
    (small_course.root / "nbgrader_config.py").write_text(f"c = get_config()\n{line}\n")
    course = Course.open(small_course.root)
    bundle = build_bundle(course, ASSIGNMENT)
    if not isinstance(gets, str):
        with pytest.raises(gets, match=r"c\.Device says 'gpu'"):
            engines.devices_of(course, bundle)
        return
    assert engines.devices_of(course, bundle) == gets
    assert engines.devices_of(course, bundle, "cpu") == "cpu"


def call(course: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["grade", *arguments, "--course", str(course.root)])


def test_asking_for_a_gpu_where_there_is_none_is_one_line_and_grades_nothing(
    small_course: Course, solution: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvidia, "ROOT", tmp_path / "nothing")
    hand_in(small_course, "amara", solution)
    result = call(small_course, "--device", "cuda")
    assert result.exit_code == 3
    said = [line for line in result.output.splitlines() if line.startswith("grading-utils:")]
    assert said == [
        "grading-utils: cuda can't be used: there is no such GPU (NVIDIA's driver lists none on this machine); "
        "`grading-utils doctor` says more"
    ]
    assert not small_course.autograded(ASSIGNMENT, "amara").exists()
    assert call(small_course, "--device", "auto").exit_code in (0, 1)
    assert small_course.autograded(ASSIGNMENT, "amara").exists()


@pytest.mark.parametrize("arguments", [("--device", "gpu"), ("--device", "cpu", "--no-isolation")])
def test_a_device_that_makes_no_sense_is_wrong_use(small_course: Course, solution: Any, arguments: Any) -> None:
    hand_in(small_course, "amara", solution)
    assert call(small_course, *arguments).exit_code == 2


def test_a_class_that_was_graded_on_another_device_counts_as_changed(
    plugged: Plugged, small_course: Course, solution: Any
) -> None:
    hand_in(small_course, "amara", solution)
    assert "unchanged" not in call(small_course).output
    assert "1 unchanged" in call(small_course, "--device", "cpu").output
    assert "unchanged" not in call(small_course, "--device", "cuda").output
    assert "1 unchanged" in call(small_course, "--device", "auto").output
