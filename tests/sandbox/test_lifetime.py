"""What is inherited, what is fresh, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grading_utils.errors import SandboxError
from grading_utils.sandbox import kernel
from grading_utils.sandbox.server import WarmProcess

from .conftest import INSIDE, Stage, family


def gone(pids: set[int], seconds: float = 20.0) -> bool:
    """Whether none of these processes is alive, at the latest after `seconds`."""
    deadline = time.monotonic() + seconds
    while any(family(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_the_state_of_the_set_up_is_inherited(warm: WarmProcess, stage: Stage) -> None:
    assert warm.setup_result == b"warm"
    assert warm.threads == 1
    assert stage.student("answer = WARM['loaded']") == {"weights": [1, 2, 3]}
    assert stage.tester("answer = WARM['loaded']") == {"weights": [1, 2, 3]}


def test_files_of_the_set_up_are_inherited_as_copies(stage: Stage) -> None:
    first = stage.student("answer = open('table.csv').read(); open('table.csv', 'w').write('mine')")
    second = stage.student("answer = open('table.csv').read()")
    tester = stage.tester("answer = open('table.csv').read(); open('table.csv', 'w').write('expected')")
    third = stage.student("answer = open('table.csv').read()")
    assert {first, second, tester, third} == {"a,b\n1,2\n"}


def test_a_seed_of_the_set_up_holds_in_every_fork(stage: Stage) -> None:
    draws = [stage.student("import random; answer = random.random()") for _ in range(2)]
    draws.append(stage.tester("import random; answer = random.random()"))
    import random

    assert draws == [random.Random(20).random()] * 3


def test_a_student_changes_nothing_for_the_next_one(stage: Stage) -> None:
    stage.student("""
import json, builtins, os
WARM['loaded']['weights'].append('poison')
json.dumps = None
builtins.len = lambda _: 0
os.environ['PLANTED'] = 'yes'
open('planted', 'w').close()
""")
    answer = stage.student("""
import json, os
answer = [WARM['loaded'], json.dumps([1]), len('ab'), 'PLANTED' in os.environ, os.path.exists('planted')]
""")
    assert answer == [{"weights": [1, 2, 3]}, "[1]", 2, False, False]


def test_what_a_tester_knows_does_not_reach_a_student_forked_later(stage: Stage) -> None:
    stage.tester(
        "WARM['hidden'] = 'assert x == 42'; import os; os.environ['HIDDEN'] = '42'; open('hidden', 'w').close()"
    )
    code = "import os; answer = ['hidden' in WARM, 'HIDDEN' in os.environ, os.path.exists('hidden')]"
    assert stage.student(code) == [False, False, False]


def test_a_tester_has_no_way_to_more(stage: Stage) -> None:
    status = stage.tester("answer = open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert int(fields["CapBnd"], 16) == 0
    kept = 1 << kernel.CAP_KILL | 1 << kernel.CAP_SYS_PTRACE  # to end its students and to measure their memory
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == kept
    assert int(fields["CapInh"], 16) == int(fields["CapAmb"], 16) == 0
    answer = stage.tester("import socket; socket.socket()")
    assert answer["raised"] == "PermissionError"


def test_a_student_that_could_not_be_sealed_never_runs(start_warm: Callable[..., WarmProcess]) -> None:
    with start_warm(open_files=1) as warm, warm.fork_tester() as tester:  # too few to enter a user namespace
        answer = Stage(tester).tester("answer = ask(students(), 'answer = 1')")
    assert answer["raised"] == "SandboxError"
    assert answer["message"].startswith("a student's process could not be sealed: [Errno 24] Too many open files")


def test_a_replacement_student_starts_from_the_warm_state(stage: Stage) -> None:
    answer = stage.tester("""
first = students()
ask(first, "x = 1")
ended = ask(first, "import os; os._exit(9)")
second = students()
answer = [ended, ask(second, "answer = 'x' in globals()"), ask(second, "answer = WARM['loaded']")]
""")
    assert answer == [{"ended": "exited with code 9"}, False, {"weights": [1, 2, 3]}]


def test_a_student_and_its_children_die_together(warm: WarmProcess, stage: Stage) -> None:
    before = family(warm._jail.pid)
    stage.tester("""
s = students()
ask(s, '''
import subprocess
for _ in range(3):
    subprocess.Popen(['setsid', 'sleep', '987'])
''')
""")
    started = family(warm._jail.pid) - before
    assert len(started) >= 4
    stage.tester("s.kill()")
    assert gone(started)


def test_the_end_of_a_tester_ends_its_students(warm: WarmProcess) -> None:
    before = family(warm._jail.pid)
    with warm.fork_tester() as tester:
        Stage(tester).tester("s = students(); ask(s, \"import subprocess; subprocess.Popen(['sleep', '987'])\")")
        started = family(warm._jail.pid) - before
        assert len(started) >= 3
    assert gone(started)


def test_a_tester_whose_coordinator_hangs_up_ends(warm: WarmProcess) -> None:
    with warm.fork_tester() as tester:
        tester.socket.close()
        assert tester.wait(20)


def test_closing_leaves_no_process_mount_or_file(start_warm: Callable[..., WarmProcess]) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    files = set(Path("/tmp").iterdir())
    descriptors = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    warm = start_warm()
    tester = warm.fork_tester()
    Stage(tester).tester("s = students(); ask(s, \"import subprocess; subprocess.Popen(['setsid', 'sleep', '987'])\")")
    started = family(warm._jail.pid)
    assert len(started) >= 5
    warm.close()
    warm.close()
    tester.close()
    assert gone(started)
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert {path for path in set(Path("/tmp").iterdir()) - files if "grading" in path.name} == set()
    assert set(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208


COORDINATOR = f"""
import sys, time
sys.path[:0] = [{str(INSIDE)!r}, {str(INSIDE.parents[2])!r}]
from tests.sandbox.conftest import Stage, start, family
warm = start()
tester = warm.fork_tester()
Stage(tester).tester("s = students(); ask(s, \\"import subprocess; subprocess.Popen(['setsid', 'sleep', '987'])\\")")
print(*family(warm._jail.pid), flush=True)
"""


@pytest.mark.parametrize("busy", ["", "Stage(tester).tester('while True: pass')\n"])
def test_killing_the_coordinator_leaves_nothing(busy: str) -> None:
    code = COORDINATOR + busy + "time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as coordinator:
        assert coordinator.stdout is not None
        started = set(map(int, coordinator.stdout.readline().split()))
        assert len(started) >= 5
        coordinator.send_signal(signal.SIGKILL)
        coordinator.wait()
    assert gone(started)


def test_killing_the_coordinator_during_a_set_up_without_end_leaves_nothing() -> None:
    code = f"""
import sys, threading, time
sys.path[:0] = [{str(INSIDE)!r}, {str(INSIDE.parents[2])!r}]
from tests.sandbox.conftest import start, family
threading.Thread(target=start, kwargs={{"setup": "while True: pass"}}, daemon=True).start()
time.sleep(1)
import os
print(*(family(os.getpid()) - {{os.getpid()}}), flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as coordinator:
        assert coordinator.stdout is not None
        started = set(map(int, coordinator.stdout.readline().split()))
        assert len(started) >= 2
        coordinator.send_signal(signal.SIGKILL)
        coordinator.wait()
    assert gone(started)


def test_testers_may_be_asked_for_from_several_threads(warm: WarmProcess) -> None:
    def one(number: int) -> int:
        with warm.fork_tester() as tester:
            answer: int = Stage(tester).student(f"answer = {number} ** 2")
            return answer

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(12))) == [number**2 for number in range(12)]


def test_testers_that_end_at_any_moment_leave_the_warm_process_alone_and_well(warm: WarmProcess) -> None:
    import stage

    for number in range(10):
        tester = warm.fork_tester()
        stage.send(tester.socket, "s = students(); answer = ask(s, 'while True: pass')")
        time.sleep(0.005 * number)
        tester.close()
    with warm.fork_tester() as tester:
        assert Stage(tester).student("answer = 1") == 1
    deadline = time.monotonic() + 20
    while len(family(warm._jail.pid)) > 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(family(warm._jail.pid)) == 2  # the jail's watcher and the warm process


def test_a_process_that_the_coordinator_forked_keeps_nothing_alive() -> None:
    code = COORDINATOR + "import os\nif os.fork() == 0: time.sleep(40); os._exit(0)\nos.kill(os.getpid(), 9)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as coordinator:
        assert coordinator.stdout is not None
        started = set(map(int, coordinator.stdout.readline().split()))
        assert len(started) >= 5
        assert gone(started)


def test_students_can_be_interrupted_although_the_coordinator_ignores_it() -> None:
    code = COORDINATOR.replace("warm = start()", "import signal\nsignal.signal(2, signal.SIG_IGN)\nwarm = start()")
    code += """
answer = Stage(tester).student("import signal; answer = signal.getsignal(2) is signal.default_int_handler")
print(answer)
warm.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "True", done.stderr


def test_a_set_up_that_fails_is_named(start_warm: Callable[..., WarmProcess]) -> None:
    with pytest.raises(SandboxError, match="set-up failed: ZeroDivisionError: division by zero"):
        start_warm(setup="1 / 0")


def test_a_set_up_that_takes_too_long_is_ended(start_warm: Callable[..., WarmProcess]) -> None:
    with pytest.raises(SandboxError, match="gave no answer in 2 s"):
        start_warm(setup="while True: pass", start_seconds=2.0)


def test_a_set_up_that_ends_the_process_is_an_error(start_warm: Callable[..., WarmProcess]) -> None:
    with pytest.raises(SandboxError, match="the warm process ended without a word"):
        start_warm(setup="import os; os._exit(1)")
    with pytest.raises(SandboxError, match="it was the disk"):
        start_warm(setup="import os, sys; print('it was the disk', file=sys.stderr, flush=True); os._exit(1)")


def test_a_warm_process_that_is_gone_is_an_error(start_warm: Callable[..., WarmProcess]) -> None:
    with start_warm() as warm:
        started = family(warm._jail.pid)
        warm._jail.kill()
        assert gone(started)
        with pytest.raises(SandboxError, match="the warm process ended without a word"):
            warm.fork_tester()


def test_standard_error_is_kept_and_bounded(start_warm: Callable[..., WarmProcess]) -> None:
    setup = "import sys\nfor n in range(100_000): print('line', n, file=sys.stderr)"
    with start_warm(setup=setup) as warm:
        deadline = time.monotonic() + 20
        while "line 99999" not in warm.stderr() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert warm.stderr().endswith("line 99999\n")
        assert len(warm.stderr()) <= 1 << 16
