"""What a student's process may use, and what is said when it takes more."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grading_utils.sandbox import cgroups
from grading_utils.sandbox.policy import MIB
from grading_utils.sandbox.server import WarmProcess

from .conftest import POLICY, Stage


def test_more_memory_than_allowed_is_a_memory_error_and_the_student_lives_on(stage: Stage) -> None:
    answer = stage.tester("""
s = students()
answer = [ask(s, "big = bytearray(400 << 20)"), ask(s, "answer = len(bytearray(100 << 20))")]
""")
    assert answer == [{"raised": "MemoryError", "message": ""}, 100 << 20]


@pytest.mark.parametrize(
    "memory",
    [
        "mmap.mmap(-1, 300 << 20)",
        "mmap.mmap(os.open('/dev/zero', os.O_RDWR), 300 << 20)",
        "mmap.mmap(os.memfd_create('hoard'), 300 << 20)",
        "mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)",
    ],
)
def test_shared_memory_that_no_file_backs_is_refused(stage: Stage, memory: str) -> None:
    """Nobody outside could tell how much of it there is: pages that nobody maps any more are still held."""
    answer = stage.student(f"import mmap, os; answer = len({memory})")
    assert answer["raised"] in ("PermissionError", "FileNotFoundError", "OSError")


def test_memory_shared_through_a_file_is_bounded_by_the_scratch_folder(stage: Stage) -> None:
    answer = stage.student("""
import mmap, os
held = 0
try:
    while True:
        with open(f"part-{held}", "w+b") as file:
            os.posix_fallocate(file.fileno(), 0, 1 << 20)
            part = mmap.mmap(file.fileno(), 1 << 20)
            part[:] = b"x" * len(part)
            part.madvise(mmap.MADV_DONTNEED)
        held += len(part)
except OSError:
    answer = held
""")
    assert POLICY.scratch_bytes // 2 <= answer <= POLICY.scratch_bytes


@pytest.mark.parametrize(
    "hold",
    [
        # page tables of memory that is only read
        "m = [mmap.mmap(-1, 1 << 37, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)"
        " for _ in range(2)]\nfor part in m:\n    part.madvise(15)\n"
        "    for offset in range(0, 1 << 37, 1 << 21): part[offset]",
        # what was sent and nobody has read
        "pairs = [socket.socketpair() for _ in range(60)]\n"
        "def fill():\n    for pair in pairs:\n        for end in pair:\n            end.setblocking(False)\n"
        "            with contextlib.suppress(OSError):\n                while True: end.send(bytes(1 << 16))\n"
        "fill()\nfor _ in range(9):\n    if os.fork() == 0:\n"
        "        pairs = [socket.socketpair() for _ in range(60)]\n        fill()\n        time.sleep(60)",
    ],
    ids=["page tables", "sockets"],
)
def test_memory_that_the_kernel_keeps_for_a_student_counts(stage: Stage, hold: str) -> None:
    answer = stage.student(f"import contextlib, mmap, os, socket, time\n{hold}\ntime.sleep(60)", seconds=60.0)
    assert answer == {"ended": "memory limit: more than 256 MiB"}


@pytest.mark.parametrize(
    "hold",
    [
        # mappings of memory that nobody touches
        "libc = ctypes.CDLL(None)\nlibc.mmap.restype = ctypes.c_void_p\n"
        "base = libc.mmap(None, ctypes.c_size_t(56_000 * 4096), 1, 0x22, -1, ctypes.c_long(0))\n"
        "for page in range(0, 56_000, 2):\n"
        "    libc.mprotect(ctypes.c_void_p(base + page * 4096), ctypes.c_size_t(4096), 0)\n"
        "def mine(): pass",
        # event queues that each watch all the others
        "def mine():\n    queues = [select.epoll() for _ in range(120)]\n"
        "    events = [os.eventfd(0) for _ in range(120)]\n"
        "    for queue in queues:\n        for event in events: queue.register(event)\n    return queues, events",
    ],
    ids=["mappings", "event queues"],
)
def test_what_many_processes_have_the_kernel_keep_counts(start_warm: Callable[..., WarmProcess], hold: str) -> None:
    """A hundred megabytes in twenty-four processes, of which none touches any memory."""
    code = f"""
import ctypes, os, select, time
{hold}
for _ in range(24):
    if os.fork() == 0:
        kept = mine()
        time.sleep(60)
time.sleep(60)
"""
    with start_warm(memory_bytes=64 * MIB, processes=40) as warm, warm.fork_tester() as tester:
        assert Stage(tester).student(code, seconds=60.0) == {"ended": "memory limit: more than 64 MiB"}


def test_memory_of_all_processes_together_is_limited(stage: Stage) -> None:
    answer = stage.student("""
import os, time
for _ in range(4):
    if os.fork() == 0:
        block = bytearray(os.urandom(4096) * (100 << 8))
        time.sleep(20)
        os._exit(0)
time.sleep(20)
""")
    assert answer == {"ended": "memory limit: more than 256 MiB"}


def test_memory_shared_with_a_forked_process_counts_once(stage: Stage) -> None:
    answer = stage.student("""
import os, time
block = bytearray(180 << 20)
for offset in range(0, len(block), 4096):
    block[offset] = 1
if os.fork() == 0:
    time.sleep(0.5)
    os._exit(0)
os.wait()
answer = len(block)
""")
    assert answer == 180 << 20


def test_memory_that_forked_processes_make_their_own_counts(start_warm: Callable[..., WarmProcess]) -> None:
    """They write to what they shared and then do next to nothing: a copied page doesn't show in `status`."""
    code = """
import os, time
block = bytearray(60 << 20)
def write():
    for offset in range(0, len(block), 4096):
        block[offset] += 1
write()
for _ in range(6):
    if os.fork() == 0:
        time.sleep(0.5)  # by now all of them have been looked at
        write()
        begun = time.process_time()
        while time.process_time() < begun + 0.03:
            pass
        time.sleep(10)
        os._exit(0)
time.sleep(10)
"""
    with start_warm(memory_bytes=90 * MIB) as warm, warm.fork_tester() as tester:
        assert Stage(tester).student(code, seconds=60.0) == {"ended": "memory limit: more than 90 MiB"}


def test_memory_of_the_warm_process_does_not_count(start_warm: Callable[..., WarmProcess]) -> None:
    setup = "import os\nmodel = bytearray(os.urandom(4096) * (200 << 8))"
    with start_warm(setup=setup) as warm, warm.fork_tester() as tester:
        code = "import time; block = bytearray(b'x' * (100 << 20)); time.sleep(0.3); answer = len(WARM['model'])"
        assert Stage(tester).student(code) == 200 << 20


def test_a_fork_bomb_meets_the_process_limit(stage: Stage) -> None:
    answer = stage.student("""
import os, time
started = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        started += 1
except OSError as error:
    answer = [started, type(error).__name__]
""")
    assert answer == [POLICY.processes - 1, "BlockingIOError"]


def test_threads_meet_the_process_limit(stage: Stage) -> None:
    answer = stage.student("""
import threading, time
started = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        started += 1
except RuntimeError:
    answer = started
""")
    assert answer == POLICY.processes - 1


def test_processes_and_threads_are_counted_from_outside_too(stage: Stage) -> None:
    """Where the kernel lets more of them start than the policy says."""
    code = """
import threading, time
for _ in range(6): threading.Thread(target=time.sleep, args=(5,)).start()
time.sleep(5)
"""
    answer = stage.tester(f"""
import dataclasses
s = students()
s._policy = dataclasses.replace(s._policy, processes=3)
answer = ask(s, {code!r})
""")
    assert answer == {"ended": "process limit: more than 3 processes and threads"}


def test_a_bomb_in_one_student_leaves_the_others_their_processes(stage: Stage) -> None:
    answer = stage.tester("""
bomber, other = students(), students()
ask(bomber, '''
import os, time
try:
    while True:
        if os.fork() == 0:
            time.sleep(30)
except OSError:
    pass
''')
answer = ask(other, "import subprocess; answer = subprocess.call(['true'])")
""")
    assert answer == 0


def test_the_scratch_folder_fills_up(stage: Stage) -> None:
    answer = stage.student("""
import os
written = 0
try:
    with open('big', 'wb') as file:
        while True:
            written += file.write(b'x' * 65536)
            file.flush()
except OSError as error:
    answer = [written, error.strerror]
""")
    written, message = answer
    assert POLICY.scratch_bytes // 2 < written <= POLICY.scratch_bytes
    assert message == "No space left on device"


def test_the_number_of_files_is_limited(stage: Stage) -> None:
    answer = stage.student("""
made = 0
try:
    while True:
        open(f'file-{made}', 'w').close()
        made += 1
except OSError:
    answer = made
""")
    assert POLICY.scratch_files // 2 < answer < POLICY.scratch_files


def test_one_file_is_limited(start_warm: Callable[..., WarmProcess]) -> None:
    with start_warm(file_bytes=MIB) as warm, warm.fork_tester() as tester:
        answer = Stage(tester).student("open('big', 'wb').write(b'x' * (2 << 20))")
    assert answer == {"raised": "OSError", "message": "[Errno 27] File too large"}


def test_open_files_are_limited(stage: Stage) -> None:
    answer = stage.student("""
files = []
try:
    while True:
        files.append(open('/dev/null'))
except OSError:
    answer = len(files)
""")
    assert POLICY.open_files // 2 < answer < POLICY.open_files


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import subprocess; answer = subprocess.check_output(['echo', 'hi'], text=True)", "hi\n"),
        ("from multiprocessing import Pool\nwith Pool(2) as pool: answer = pool.map(abs, [-1, -2])", [1, 2]),
        ("import tempfile\nwith tempfile.TemporaryFile() as file: answer = file.write(b'abc')", 3),
        ("import getpass, os; answer = [getpass.getuser(), os.path.expanduser('~')]", ["student", "/scratch"]),
        ("import asyncio; answer = asyncio.run(asyncio.sleep(0, 'slept'))", "slept"),
        ("import sqlite3; answer = sqlite3.connect('a.db').execute('select 1').fetchone()", [1]),
        ("import mmap; answer = len(mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))", 4096),
        ("import multiprocessing as m; a = m.Array('i', 3); a[1] = 7; answer = list(a)", [0, 7, 0]),
        (
            "import os\nfrom multiprocessing.shared_memory import SharedMemory\nm = SharedMemory(create=True, size=9)\n"
            "if os.fork() == 0: m.buf[0] = 5; os._exit(0)\nos.wait(); answer = m.buf[0]",
            5,
        ),
        ("from signal import *; signal(SIGCHLD, print); answer = getsignal(SIGCHLD) is print", True),
        ("import os; answer = os.system('true | cat; exit 3') >> 8", 3),
        ("import ctypes; answer = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 7)()", 7),
        ("import time; answer = time.localtime(0).tm_year in (1969, 1970)", True),
        ("from concurrent.futures import ThreadPoolExecutor as T\nanswer = list(T(4).map(abs, [-3]))", [3]),
    ],
)
def test_honest_code_works(stage: Stage, code: str, expected: object) -> None:
    assert stage.student(code) == expected


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os._exit(3)", "exited with code 3"),
        ("import os; os._exit(0)", "exited with code 0"),
        ("import sys; sys.exit(5)", "exited with code 5"),
        ("import ctypes; ctypes.string_at(0)", "crashed with signal SIGSEGV"),
        (
            "import sys\nsys.setrecursionlimit(10**9)\ndef fall(x): sorted([x], key=fall)\nfall(0)",
            "crashed with signal SIGSEGV",
        ),
        ("import os, signal; signal.signal(15, signal.SIG_DFL); os.abort()", "crashed with signal "),
    ],
)
def test_an_early_end_is_reported(stage: Stage, code: str, reason: str) -> None:
    assert stage.student(code)["ended"].startswith(reason)


def test_a_tester_has_the_same_bound_of_memory(stage: Stage) -> None:
    answer = stage.tester("bytearray(400 << 20)")
    assert answer == {"raised": "MemoryError", "message": ""}
    assert stage.tester("answer = len(bytearray(100 << 20))") == 100 << 20


def test_a_tester_has_a_bound_of_processor_time(start_warm: Callable[..., WarmProcess]) -> None:
    with start_warm(life_cpu_seconds=1) as warm, warm.fork_tester() as tester:
        with pytest.raises(EOFError):
            Stage(tester).tester("while True: pass")
        assert tester.wait(20)


def test_a_control_group_leaves_nothing_behind(start_warm: Callable[..., WarmProcess]) -> None:
    with start_warm() as warm, warm.fork_tester() as tester:
        group = warm._group
        if group is None:
            pytest.skip("this machine gives no control group")
        Stage(tester).tester("s = students(); answer = ask(s, 'answer = 1')")
        leaves = list(group.glob("student-*"))
        assert len(leaves) == 1
        assert (leaves[0] / "cgroup.procs").read_text().split(), "the student is somewhere else"
        bounds = (group / "cgroup.subtree_control").read_text().split()
        if "memory" in bounds:
            assert POLICY.memory_bytes < int((leaves[0] / "memory.max").read_text()) < 1.2 * POLICY.memory_bytes
        if "pids" in bounds:
            assert int((leaves[0] / "pids.max").read_text()) == POLICY.processes
    assert not group.exists()


@pytest.mark.parametrize(
    ("events", "seconds", "is_swept"),
    [("populated 0", 100, True), ("populated 1", 100, False), ("populated 0", 0, False)],
)
def test_groups_of_coordinators_that_cannot_be_seen_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: str, seconds: float, is_swept: bool
) -> None:
    """A container that shares the hierarchy has numbers of its own for its processes."""
    group = tmp_path / "grading-utils-4194305-0"  # no process has a number that high
    group.mkdir()
    (group / "cgroup.events").write_text(f"{events}\nfrozen 0\n")
    now = time.time() + seconds
    monkeypatch.setattr(cgroups.time, "time", lambda: now)
    released: list[Path] = []
    monkeypatch.setattr(cgroups, "release", released.append)
    cgroups._sweep(tmp_path)
    assert released == [group] * is_swept


def test_a_shell_waits_for_its_jobs_where_a_control_group_counts(start_warm: Callable[..., WarmProcess]) -> None:
    with start_warm() as warm, warm.fork_tester() as tester:
        if warm._group is None:
            pytest.skip("this machine gives no control group")
        command = ["bash", "-c", "sleep 0.2 & sleep 0.3 & wait; echo over"]
        code = f"import subprocess; answer = subprocess.check_output({command}, text=True)"
        assert Stage(tester).tester(f"answer = ask(students(), {code!r})") == "over\n"


def test_every_limit_of_the_kernels_is_the_policys(stage: Stage) -> None:
    """Those that no attack meets before another one, too: a limit that is forgotten would not be noticed."""
    life = POLICY.life_cpu_seconds
    wanted = {"CORE": [0, 0], "CPU": [life, life + 5]}
    students = {
        "FSIZE": POLICY.file_bytes, "MEMLOCK": 1 << 16, "MSGQUEUE": 0, "NOFILE": POLICY.open_files,
        "NPROC": POLICY.processes, "SIGPENDING": 256, "STACK": POLICY.stack_bytes,
    }  # fmt: skip
    ask = "import resource; answer = {n: resource.getrlimit(getattr(resource, 'RLIMIT_' + n)) for n in %r}"
    assert stage.tester(ask % list(wanted)) == wanted
    wanted |= {name: [value, value] for name, value in students.items()}
    assert stage.student(ask % list(wanted)) == wanted
