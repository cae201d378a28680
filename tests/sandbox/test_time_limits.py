"""How long a student's code may compute and wait, and what counts as its time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from grading_utils.sandbox.server import WarmProcess

from .conftest import Stage

STOP = """
s = students()
s.start({seconds})
import time
begun = time.monotonic()
try:
    answer = ask(s, {code!r})
except TimeoutError as error:
    answer = str(error)
"""


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(1000)",
        "import os; os.read(os.pipe()[0], 1)",
        "import subprocess; subprocess.run(['sleep', '1000'])",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])",
        "import threading; threading.Event().wait()",
    ],
)
def test_code_without_end_is_stopped(stage: Stage, code: str) -> None:
    assert stage.tester(STOP.format(code=code, seconds=0.2)) == "time limit: more than 0.2 s used"


def test_an_interrupted_student_keeps_what_it_had(stage: Stage) -> None:
    answer = stage.tester("""
s = students()
ask(s, "kept = 42")
s.start(0.2)
try:
    ask(s, "while True: pass")
except TimeoutError:
    s.interrupt()
    s.start(20)
    s.wait_readable(s.sock)
    import stage
    answer = [stage.receive(s.sock), ask(s, "answer = kept")]
""")
    assert answer == [{"raised": "KeyboardInterrupt", "message": ""}, 42]


def test_a_student_that_ignores_the_interrupt_is_ended(stage: Stage) -> None:
    answer = stage.tester("""
s = students()
s.start(0.2)
try:
    ask(s, '''
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    pass
''')
except TimeoutError as error:
    s.interrupt()
    s.kill(str(error))
    s.kill("again")
    s.start(5)
    s.wait_readable(s.sock)
    answer = [s.why(), s.sock.recv(1).decode()]
""")
    assert answer == ["time limit: more than 0.2 s used", ""]


@pytest.fixture
def crowd() -> Iterator[int]:
    """Processes that compete for one processor; yields its number."""
    processor = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{processor}}})\nwhile True: pass"
    # Linux may share a processor out by session, and a jail is one of its own: so each of these is one, too.
    hogs = [subprocess.Popen([sys.executable, "-c", code], start_new_session=True) for _ in range(4)]
    yield processor
    for hog in hogs:
        hog.kill()
        hog.wait()


COUNTED = """
stopped = []
s = students()
s.start({seconds})
try:
    ask(s, {code!r})
except TimeoutError as error:
    stopped.append(str(error))
answer = [stopped, s.usage().cpu_seconds]
"""


def test_waiting_for_a_busy_machine_costs_no_time(stage: Stage, crowd: int) -> None:
    """Four others want the same processor, so that what is computed here takes far longer than the limit."""
    code = f"""
import os, time
os.sched_setaffinity(0, {{{crowd}}})
while time.process_time() < 0.6:
    pass
"""
    stopped, computed = stage.tester(COUNTED.format(code=code, seconds=1.0))
    assert stopped == []
    assert computed >= 0.5


@pytest.mark.parametrize(
    "ignore",
    [
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "ctypes.CDLL(None).signal(17, ctypes.c_void_p(1))",
        "libc = ctypes.CDLL(None); libc.sigaction(17, (ctypes.c_ulong * 20)(0, *[0] * 16, 2), None)",
        "ctypes.CDLL(None).syscall(13, 17, (ctypes.c_ulong * 4)(1, 0x04000000, 0, 0), None, 8)",
    ],
)
def test_children_that_nobody_waits_for_are_counted(stage: Stage, ignore: str) -> None:
    code = f"""
import ctypes, os, signal, time
{ignore}
for _ in range(8):
    if os.fork() == 0:
        while time.process_time() < 0.25:
            pass
        os._exit(0)
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
"""
    stopped, computed = stage.tester(COUNTED.format(code=code, seconds=60.0))
    assert stopped == []
    assert computed >= 1.9


def test_a_decoy_that_queues_does_not_stretch_the_budget(stage: Stage, crowd: int) -> None:
    code = f"""
import os, time
for _ in range(3):
    if os.fork() == 0:
        os.sched_setaffinity(0, {{{crowd}}})
        while True:
            pass
time.sleep(1000)
"""
    assert stage.tester(STOP.format(code=code, seconds=0.5)).startswith("time limit")


def test_patience_ends_even_on_a_busy_machine(start_warm: Callable[..., WarmProcess], crowd: int) -> None:
    code = f"import os\nos.sched_setaffinity(0, {{{crowd}}})\nwhile True: pass"
    with start_warm(patience=1.5) as warm, warm.fork_tester() as tester:
        answer = Stage(tester).tester(STOP.format(code=code, seconds=2.0))
    assert answer.startswith("time limit: no answer in 3 s")


def test_processor_time_counts_whatever_becomes_of_the_process_that_used_it(stage: Stage) -> None:
    used = stage.tester("""
s = students()
ask(s, '''
import os, time
for _ in range(3):
    if os.fork() == 0:
        if os.fork() == 0:
            while time.process_time() < 0.4: pass
        os._exit(0)
while True:
    try: os.wait()
    except ChildProcessError: break
''')
answer = s.usage().cpu_seconds
""")
    assert used >= 1.2
