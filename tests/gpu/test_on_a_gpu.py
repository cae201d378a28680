"""What only a GPU can show; every test skips by name where there is none. Run by `make gpu`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grading_utils.authoring.agreement import measure
from grading_utils.authoring.sample_class import write_sample_class
from grading_utils.boundary.warm import gpu
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.devices.choice import Gpu, choose, problem_with
from grading_utils.devices.nvidia import cards
from grading_utils.grading.engines import engine_factory

from ..conftest import ROOT, hand_in
from ..grading.test_devices import graded, make_course, opened, scores, solved

pytestmark = pytest.mark.gpu

ASSIGNMENTS = sorted(path.name for path in (ROOT / "source").iterdir())


@pytest.fixture(scope="session")
def card() -> Gpu:
    chosen = choose("auto")
    if chosen is None:
        pytest.skip(f"no GPU: {problem_with(next(iter(cards()), None))}")
    return chosen


def test_cuda_starts_in_a_students_process_and_a_check_reads_its_tensors(card: Gpu, tmp_path: Path) -> None:
    course = make_course(
        tmp_path / "course",
        ("locked-setup", "import torch"),
        ("locked-device", "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')"),
        ("answer", "product = torch.ones(64, 64, device=device) @ torch.ones(64, 64, device=device)"),
        ("product-test", "assert product.device.type == 'cpu' and torch.equal(product, torch.full((64, 64), 64.0))"),
        ("answer-where", "where = product.device.type\nname = torch.cuda.get_device_name()"),
        ("where-test", f"assert where == 'cuda' and name == {card.name!r}"),
    )
    hand_in(course, "amara", solved(course))
    assert scores(graded(course)["amara"]) == {"product-test": 2.0, "where-test": 2.0}


def test_who_takes_more_than_the_share_loses_that_question_only(card: Gpu, tmp_path: Path) -> None:
    grab = "torch.cuda.set_per_process_memory_fraction(1.0)\nkept = []\n"
    grab += "while True:\n    kept.append(torch.ones(1 << 26, device='cuda'))\n    torch.cuda.synchronize()"
    course = make_course(
        tmp_path / "course",
        ("locked-setup", "import time, torch"),
        ("answer", "number = 1"),
        ("number-test", "assert number == 1"),
        ("answer-other", "other = 2"),
        ("other-test", "assert other == 2"),
    )
    hand_in(course, "greedy", solved(course, answer=f"{grab}\nnumber = 1"))
    hand_in(course, "honest", solved(course))
    results = graded(course, workers=2)
    assert scores(results["honest"]) == {"number-test": 2.0, "other-test": 2.0}
    assert scores(results["greedy"])["other-test"] == 2.0
    assert scores(results["greedy"])["number-test"] != 2.0


def test_pytorchs_own_refusal_leaves_a_score_open(card: Gpu, tmp_path: Path) -> None:
    course = make_course(
        tmp_path / "course",
        ("locked-setup", "import torch"),
        ("answer", "def fill(gib):\n    return float(torch.ones(gib << 28, device='cuda')[0])"),
        ("fill-test", "assert fill(1) == 1.0"),
    )
    hand_in(
        course,
        "amara",
        solved(course, answer="def fill(gib):\n    return float(torch.ones(1 << 40, device='cuda')[0])"),
    )
    assert opened(graded(course)["amara"]) == {"fill-test": gpu.FULL}


def sample_class(root: Path, assignment: str) -> Course:
    """A course of one assignment, with its sample class handed in and its collected answers."""
    for part in ("source", "sample_class", "tests/answers"):
        shutil.copytree(ROOT / part / assignment, root / part / assignment)
    shutil.copy(ROOT / "nbgrader_config.py", root)
    course = Course.open(root)
    write_sample_class(course, (assignment,))
    return course


def differing(course: Course, assignment: str, workers: int) -> list[str]:
    cpu, cuda = (engine_factory(course, isolate=True, device=device) for device in ("cpu", "cuda"))
    return measure(course, build_bundle(course, assignment), cpu, cuda, workers=workers).differing


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_assignment_gets_the_same_points_on_both_devices(card: Gpu, assignment: str, tmp_path: Path) -> None:
    assert differing(sample_class(tmp_path, assignment), assignment, card.places) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", ["82 M", "360 M"])
@pytest.mark.parametrize("assignment", ["04-next-token", "05-generation"])
def test_larger_models_get_the_same_points_on_both_devices(
    card: Gpu, size: str, assignment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.devices import random_model

    tmp_path.chmod(0o755)
    (model := tmp_path / "model").mkdir()
    monkeypatch.setenv("GRADING_UTILS_MODEL", str(random_model(size, model)))
    assert differing(sample_class(tmp_path / "course", assignment), assignment, card.places) == []
