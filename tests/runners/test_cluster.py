"""A class on a cluster gets the scores that it gets here, whatever becomes of workers, and workers see no more than
they must."""

from __future__ import annotations

import copy
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from grading_utils.cli import main
from grading_utils.course.bundle import build_bundle
from grading_utils.course.course import Course
from grading_utils.errors import MachineError
from grading_utils.grading.engines import engine_factory
from grading_utils.grading.jobs import make_job
from grading_utils.grading.pipeline import grade as grade_all
from grading_utils.intake.restoring import restore
from grading_utils.jobs import CellStatus
from grading_utils.runners import worker
from grading_utils.runners.cluster import DaskRunner
from grading_utils.runners.identity import identity
from grading_utils.runners.parcel import parcel_of

from ..conftest import ASSIGNMENT, ROOT, cell_named, hand_in
from ..sandbox.conftest import end_jails, jails
from .conftest import Cluster, kill_all, scores, wait_for, write_certificates

KILLS_ITSELF = "import os, signal\ndef count_words(text):\n    os.kill(os.getpid(), signal.SIGKILL)"
KILLS_EVERYBODY = "import os, signal\ndef count_words(text):\n    os.kill(-1, signal.SIGKILL)"


def grade(course: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["grade", ASSIGNMENT, "--course", str(course.root), *arguments])


@pytest.fixture
def handed_in(small_course: Course, solution: Any) -> Course:
    """A class with right, wrong and hostile answers."""
    for number, answer in enumerate(
        (None, "def count_words(text):\n    return {}", KILLS_ITSELF, "raise SystemExit", KILLS_EVERYBODY, None)
    ):
        notebook = copy.deepcopy(solution)
        if answer is not None:
            cell_named(notebook, "count-words").source = answer
        hand_in(small_course, f"s{number}", notebook)
    return small_course


@pytest.fixture
def as_here(handed_in: Course, tmp_path: Path) -> dict[str, list[tuple[str, float | None, str]]]:
    """What the class gets when it is graded on this machine."""
    twin = Course.open(shutil.copytree(handed_in.root, tmp_path / "twin"))
    assert grade(twin).exit_code == 0
    return scores(twin)


def test_a_cluster_of_ones_own_gives_the_same_scores(handed_in: Course, as_here: object) -> None:
    result = grade(handed_in, "--runner", "dask", "--workers", "2")
    assert result.exit_code == 0, result.output
    assert scores(handed_in) == as_here


def test_somebodys_cluster_gives_the_same_scores_and_its_workers_live_on(
    handed_in: Course, as_here: object, cluster: Cluster
) -> None:
    with cluster.client() as client:
        before = set(client.run(os.getpid).values())
        result = grade(handed_in, *cluster.options)
        after = set(client.run(os.getpid).values())
    assert result.exit_code == 0, result.output
    assert scores(handed_in) == as_here
    assert after == before


def test_a_resource_decides_which_worker_runs_it(handed_in: Course, cluster: Cluster) -> None:
    bundle = build_bundle(handed_in, ASSIGNMENT)
    runner = DaskRunner.connect(handed_in, cluster.address, needs={"GPU": 1}, tls=cluster.tls)
    try:
        engine = runner.start(bundle, bundle.notebooks[ASSIGNMENT])
        with cluster.client() as client:
            kept = client.run(lambda: len(worker._shelf._places))
            names = {one["name"]: address for address, one in client.scheduler_info()["workers"].items()}
        assert {name: kept[address] for name, address in names.items()} == {"plain": 0, "card": 1}
        engine.close()
    finally:
        runner.close()


def test_a_worker_that_joins_in_the_middle_of_a_class_gets_work(
    handed_in: Course, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grading_utils.runners.cluster._COUNT_SECONDS", 0.0)
    runner = DaskRunner.connect(handed_in, cluster.address, tls=cluster.tls)
    try:
        before = runner.ahead()
        cluster.start_worker("late", "--nthreads", "3")
        wait_for(lambda: runner.ahead() == before + 6, 120)
        kill_all(cluster.workers.pop("late").pid)
        wait_for(lambda: runner.ahead() == before, 120)
    finally:
        runner.close()


def test_as_much_is_begun_as_is_asked_for_while_a_class_is_graded(small_course: Course, solution: Any) -> None:
    students = [f"s{number}" for number in range(8)]
    for student in students:
        hand_in(small_course, student, solution)
    begun: list[int] = []
    most = iter([1, 1, 4, 4, 4, 1, 1, 1, 1])

    def ahead() -> int:
        begun.append(next(most))
        return begun[-1]

    bundle = build_bundle(small_course, ASSIGNMENT)
    make = engine_factory(small_course, isolate=True)
    results = list(grade_all(small_course, bundle, students, make, workers=4, ahead=ahead))
    assert sorted(result.student for result in results) == students
    assert begun[:3] == [1, 1, 4]


def test_what_no_worker_offers_is_an_error_at_once(handed_in: Course, cluster: Cluster) -> None:
    result = grade(handed_in, *cluster.options, "--resource", "GPU=2")
    assert result.exit_code == 3
    assert "no worker" in result.output
    assert "offers GPU=2: they offer GPU=1; nothing" in result.output


def test_an_encrypted_scheduler_is_not_talked_to_without_certificates(handed_in: Course, cluster: Cluster) -> None:
    result = grade(handed_in, "--runner", "dask", "--scheduler", cluster.address)
    assert result.exit_code == 3
    assert "name the files with --tls-ca" in result.output


def test_nobody_listening_is_one_line(handed_in: Course) -> None:
    result = grade(handed_in, "--runner", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert result.exit_code == 3
    assert "no scheduler answers at tcp://127.0.0.1:1: [Errno 111] Connection refused" in result.output


def test_a_missing_extra_is_one_line(handed_in: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "grading_utils.runners.cluster")
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = grade(handed_in, "--runner", "dask")
    assert result.exit_code == 3
    assert (
        result.output
        == "grading-utils: --runner dask needs the package distributed: `pip install 'slm-course[cluster]'`\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--scheduler", "tls://127.0.0.1:1"),
        ("--runner", "dask", "--resource", "GPU"),
        ("--runner", "dask", "--resource", "GPU=-1"),
        ("--runner", "dask", "--no-isolation"),
        ("--runner", "dask", "--scheduler", "tls://127.0.0.1:1", "--tls-ca", str(ROOT / "pyproject.toml")),
    ],
    ids=" ".join,
)
def test_wrong_use_is_2(handed_in: Course, arguments: tuple[str, ...]) -> None:
    assert grade(handed_in, *arguments).exit_code == 2


def test_a_parcel_holds_no_answers_and_no_tests(small_course: Course) -> None:
    (small_course.source(ASSIGNMENT) / "words.txt").write_text("la la")
    bundle = build_bundle(small_course, ASSIGNMENT)
    name, packed = parcel_of(bundle, bundle.notebooks[ASSIGNMENT], ()).packed()
    assert b"VERSE" in packed
    assert b"la la" in packed
    assert b"count_words" not in packed
    assert b"HIDDEN" not in packed
    assert parcel_of(bundle, bundle.notebooks[ASSIGNMENT], ()).packed()[0] == name


def test_too_much_data_is_one_line(small_course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grading_utils.runners.parcel.MOST_BYTES", 3)
    (small_course.source(ASSIGNMENT) / "words.txt").write_text("la la")
    bundle = build_bundle(small_course, ASSIGNMENT)
    with pytest.raises(MachineError, match=r"name their folder in c\.Sandbox\.readable"):
        parcel_of(bundle, bundle.notebooks[ASSIGNMENT], ()).packed()


@pytest.fixture
def shelf() -> Iterator[worker._Shelf]:
    yield worker._shelf
    worker._shelf.clear()


def test_a_worker_keeps_a_bounded_number_of_engines(
    small_course: Course, shelf: worker._Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MOST_ENGINES", 1)
    others = jails()
    bundle = build_bundle(small_course, ASSIGNMENT)
    parcel = parcel_of(bundle, bundle.notebooks[ASSIGNMENT], ())
    for assignment in ("first", "second"):
        name, packed = msgspec.structs.replace(parcel, assignment=assignment).packed()
        assert worker.run(name, identity(), None) == msgspec.msgpack.encode(worker.Reply(None))
        worker.run(name, identity(), None, packed)
        assert list(shelf._places) == [name]
    # The end of the first one takes a moment.
    wait_for(lambda: len(jails() - others) == 1)


def test_an_engine_whose_warm_process_was_killed_is_started_again(
    small_course: Course, solution: Any, shelf: worker._Shelf
) -> None:
    bundle = build_bundle(small_course, ASSIGNMENT)
    notebook = bundle.notebooks[ASSIGNMENT]
    name, packed = parcel_of(bundle, notebook, ()).packed()
    job = msgspec.msgpack.encode(make_job(restore(solution, notebook).notebook, notebook))
    others = jails()
    worker.run(name, identity(), job, packed)
    end_jails(others)
    reply = msgspec.msgpack.decode(worker.run(name, identity(), job, packed), type=worker.Reply)
    assert reply.run is not None
    assert {cell.status for cell in reply.run.cells} == {CellStatus.OK}


def test_a_worker_with_another_grader_refuses_and_says_in_what(shelf: worker._Shelf) -> None:
    other = {**identity(), "grading-utils": "older", "torch": "1.0"}
    with pytest.raises(MachineError, match=r"differs from this machine in grading-utils \(\w+, here older\), torch"):
        worker.run("name", other, None)


def test_a_worker_that_is_killed_costs_nobody_anything(handed_in: Course, as_here: object, cluster: Cluster) -> None:
    first = _slowly(handed_in)
    runner = DaskRunner.connect(handed_in, cluster.address, tls=cluster.tls)
    try:
        bundle = build_bundle(handed_in, ASSIGNMENT)
        results = {}
        for result in grade_all(handed_in, bundle, handed_in.students(ASSIGNMENT), runner.start, workers=2):
            if not results:
                with cluster.client() as client:
                    pids = client.run(os.getpid)
                kill_all(next(iter(pids.values())))
            results[result.student] = [(cell.grade_id, cell.score, cell.message) for cell in result.cells]
    finally:
        runner.close()
    assert first in results
    results.pop(first)
    assert results == as_here


def _slowly(course: Course) -> str:
    """Hand in something that takes a while, so that a worker has something to lose."""
    slow = course.submitted(ASSIGNMENT, "slow")
    shutil.copytree(course.submitted(ASSIGNMENT, "s0"), slow)
    path = slow / f"{ASSIGNMENT}.ipynb"
    path.write_text(
        path.read_text().replace(
            "return Counter(text.split())", "import time; time.sleep(1); return Counter(text.split())"
        )
    )
    return "slow"


def test_a_scheduler_that_is_gone_ends_with_3_and_grading_again_finishes(
    handed_in: Course, as_here: object, tmp_path: Path
) -> None:
    own = Cluster(tmp_path / "own")
    write_certificates(own.folder)
    try:
        own.start_scheduler()
        own.start_worker("one")
        with own.client() as client:
            client.wait_for_workers(1, timeout=120)
        assert own.scheduler is not None

        def end_it() -> None:
            wait_for(lambda: list((handed_in.root / "autograded").glob("s*/*")))
            kill_all(own.scheduler.pid)

        ending = threading.Thread(target=end_it)
        ending.start()
        result = grade(handed_in, *own.options)
        ending.join()
        assert result.exit_code == 3, result.output
        assert "is gone; what was graded is kept" in result.output
    finally:
        own.stop()
    assert grade(handed_in).exit_code == 0
    assert scores(handed_in) == as_here
