"""What a student's process tells libraries about its beginning."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import os, threading
import filelock
from filelock import _api
from grading_utils.boundary.student.forking import settle
_api._FORK_STATE.fork_owner_depths[threading.get_ident()] = 1  # as a fork leaves it whose child has the parent's number
settle()
assert _api._FORK_STATE.pid == os.getpid() and not _api._FORK_STATE.fork_owner_depths
if os.fork() == 0:
    os._exit(0)
assert os.wait()[1] == 0
"""


def test_a_student_may_fork_although_its_number_is_that_of_the_process_it_came_from() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True)
