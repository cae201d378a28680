"""A student's process that something outside ends, such as a machine out of memory, costs the student nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grading_utils.results import Status

from ..conftest import hand_in
from .test_calibration import answer, graded, solved
from .test_calibration import course_of as course_of

CALLED = "wordlist-victim"
WORK = f"""
import ctypes, time
ctypes.CDLL(None).prctl(15, b"{CALLED}")
time.sleep(2)
words = ["a", "b"]
"""
"""An answer whose process can be found from outside while it runs."""


@contextlib.contextmanager
def killing(times: int) -> Iterator[list[int]]:
    """Kill processes of that name as they appear, so many of them; gives the list of those killed."""
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set() and len(killed) < times:
            for comm in Path("/proc").glob("[0-9]*/comm"):
                with contextlib.suppress(OSError):
                    if comm.read_text().strip() == CALLED and int(comm.parent.name) not in killed:
                        os.kill(int(comm.parent.name), signal.SIGKILL)
                        killed.append(int(comm.parent.name))
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(("times", "scores"), [(1, [2, 2]), (1000, [None, None])], ids=["once", "always"])
def test_a_process_that_is_killed_from_outside_gets_another_try_and_then_a_person(course_of, times, scores) -> None:
    course = course_of(
        answer("words = ['a', 'b']"), ("words-test", "assert words == ['a', 'b']"), ("more-test", "assert words[0]")
    )
    hand_in(course, "solution", solved(course))
    graded(course)  # calibrates
    hand_in(course, "ann", solved(course, answer=WORK))
    with killing(times) as killed:
        result = graded(course, "ann")["ann"]
    assert killed
    assert [cell.score for cell in result.cells] == scores, (killed, result)
    if times > 1:
        assert result.status is Status.NEEDS_ATTENTION
        assert all("the machine ended the student's process" in cell.open for cell in result.cells)
