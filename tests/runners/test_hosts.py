"""One class on several hosts that share nothing but a switch: hosts die, cables are cut, and the class is finished."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, cell_named, hand_in
from .conftest import scores, wait_for, write_certificates
from .hosts import Network, missing

PROGRAMS = Path(sys.executable).parent
TLS = ("--tls-ca-file", "/mnt/given/ca.pem", "--tls-cert", "/mnt/given/cert.pem", "--tls-key", "/mnt/given/key.pem")
IMPATIENT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}
"""A connection over a cut cable is given up after 12 s, in place of 30; Dask takes no less."""
STUDENTS = 12

pytestmark = [pytest.mark.hosts, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A scheduler, two hosts with a worker each, and the machine that has the course."""
    write_certificates(tmp_path / "given")
    with Network(tmp_path / "given", ("scheduler", "one", "two", "coordinator")) as network:
        host = f"tls://{network.addresses['scheduler']}"
        options = ("--host", host, "--port", "8786", "--no-dashboard", *TLS)
        network.start("scheduler", str(PROGRAMS / "dask"), "scheduler", *options, **IMPATIENT)
        for name in ("one", "two"):
            start_worker(network, name)
        yield network


def start_worker(network: Network, name: str) -> None:
    scheduler = f"tls://{network.addresses['scheduler']}:8786"
    options = ("--name", name, "--nthreads", "1", "--no-dashboard", "--local-directory", "/tmp", *TLS)
    network.start(name, str(PROGRAMS / "dask"), "worker", scheduler, *options, **IMPATIENT)


@pytest.fixture
def course(small_course: Course, solution: Any) -> Course:
    """A class in which every answer takes a second, so that there is something to lose at any moment."""
    cell_named(solution, "commonest").source += "\nimport time; time.sleep(1)"
    for number in range(STUDENTS):
        wrong = {"count-words": "def count_words(text):\n    return {}"} if number % 3 == 1 else {}
        for name, source in wrong.items():
            before, cell_named(solution, name).source = cell_named(solution, name).source, source
        hand_in(small_course, f"s{number:02}", solution)
        for name in wrong:
            cell_named(solution, name).source = before
    return small_course


@pytest.fixture
def as_here(course: Course, tmp_path: Path) -> dict[str, list[tuple[str, float | None, str]]]:
    """What the class gets on one machine."""
    twin = Course.open(shutil.copytree(course.root, tmp_path / "twin"))
    subprocess.run(
        [PROGRAMS / "grading-utils", "grade", ASSIGNMENT, "--course", twin.root, "--workers", "4"],
        check=True, capture_output=True,
    )  # fmt: skip
    return scores(twin)


def grade(network: Network, course: Course, given: Path) -> subprocess.Popen[str]:
    """Start to grade from the machine that has the course."""
    files = [word for name in ("ca", "cert", "key") for word in (f"--tls-{name}", str(given / f"{name}.pem"))]
    return network.run(
        "coordinator", str(PROGRAMS / "grading-utils"), "grade", ASSIGNMENT, "--course", str(course.root),
        "--runner", "dask", "--scheduler", f"tls://{network.addresses['scheduler']}:8786", *files, **IMPATIENT,
    )  # fmt: skip


def until_workers_are_there(network: Network, course: Course, given: Path) -> subprocess.Popen[str]:
    """Grade, again where no scheduler or no worker was there yet."""
    for _ in range(30):
        grading = grade(network, course, given)
        while grading.poll() is None and not graded(course):
            with contextlib.suppress(subprocess.TimeoutExpired):
                grading.wait(0.2)
        if grading.poll() != 3:
            return grading
        assert grading.stdout is not None
        print(grading.stdout.read())
    raise AssertionError("no worker came")


def graded(course: Course) -> int:
    return len(list(course.root.glob(f"autograded/s*/{ASSIGNMENT}")))


def test_a_host_dies_and_another_loses_its_cable_and_the_class_is_graded_as_on_one_machine(
    network: Network, course: Course, as_here: object, tmp_path: Path
) -> None:
    grading = until_workers_are_there(network, course, tmp_path / "given")
    network.kill("one")
    wait_for(lambda: graded(course) > 3)
    start_worker(network, "one")
    with network.cut("two"):
        output, _ = grading.communicate(timeout=240)
    assert grading.returncode == 0, output
    assert scores(course) == as_here


def test_the_machine_with_the_course_loses_its_cable_and_grading_again_finishes(
    network: Network, course: Course, as_here: object, tmp_path: Path
) -> None:
    grading = until_workers_are_there(network, course, tmp_path / "given")
    with network.cut("coordinator"):
        output, _ = grading.communicate(timeout=240)
    assert grading.returncode == 3, output
    assert "what was graded is kept" in output
    output, _ = until_workers_are_there(network, course, tmp_path / "given").communicate(timeout=240)
    assert scores(course) == as_here, output
