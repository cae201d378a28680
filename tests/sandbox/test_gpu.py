"""What of a card a student's process can see and use, with a stand-in for the driver's files; no GPU is needed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grading_utils.devices.choice import Gpu, choose
from grading_utils.sandbox import gpu_watch
from grading_utils.sandbox.gpu_watch import first_process
from grading_utils.sandbox.server import WarmProcess

from ..stand_in_card import LIBRARIES, Plugged, address_of, plug_in
from .conftest import POLICY, Stage, family, start

WITHOUT = {
    "null", "full", "random", "urandom", "shm", "fd", "stdin", "stdout", "stderr",
}  # fmt: skip


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugged]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu_watch, "LOOK_EVERY", 0.1)
        yield plug_in(tmp_path_factory.mktemp("machine"), patch)


@pytest.fixture(scope="module")
def gpu(plugged: Plugged) -> Gpu:
    chosen = choose("cuda:1", 1000)
    assert chosen is not None
    return chosen


@pytest.fixture(scope="module")
def with_gpu(gpu: Gpu) -> Iterator[WarmProcess]:
    with start(gpu=gpu) as warm:
        yield warm


@pytest.fixture
def gpu_stage(with_gpu: WarmProcess) -> Iterator[Stage]:
    with with_gpu.fork_tester() as tester:
        yield Stage(tester)


def test_the_jail_has_exactly_the_nodes_of_the_card_that_was_chosen(gpu_stage: Stage) -> None:
    seen = gpu_stage.student("import os; answer = sorted(os.listdir('/dev'))")
    assert set(seen) == WITHOUT | {"nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"}
    assert gpu_stage.student("answer = open('/dev/nvidia0').read()") == "card 1"


def test_without_a_card_the_jail_has_none_of_it(stage: Stage) -> None:
    assert set(stage.student("import os; answer = sorted(os.listdir('/dev'))")) == WITHOUT
    code = "import os; answer = [os.path.lexists(p) for p in ('/run', '/sys/module', '/sys/bus', '/proc/driver')]"
    assert stage.student(code) == [False] * 4


def test_the_drivers_libraries_are_readable_and_nothing_beside_them(gpu_stage: Stage) -> None:
    found = gpu_stage.student(f"import os; answer = sorted(os.listdir('/{LIBRARIES}'))")
    assert found == ["libcuda.so.1", "libnvidia-ml.so.1", "libnvidia-ptxjitcompiler.so.1"]
    assert gpu_stage.student(f"answer = open('/{LIBRARIES}/libcuda.so.1').read()") == "a library"
    denied = gpu_stage.student(f"open('/{LIBRARIES}/libcuda.so.1', 'w')")
    assert denied["raised"] in ("OSError", "PermissionError")


def test_of_the_bus_only_the_card_is_there(gpu_stage: Stage) -> None:
    assert gpu_stage.student("import os; answer = os.listdir('/sys/bus/pci/devices')") == [address_of(1)]
    assert gpu_stage.student("answer = open('/sys/module/nvidia/initstate').read()") == "live\n"


def test_of_proc_only_processes_and_the_driver_can_be_read(gpu_stage: Stage) -> None:
    code = """
import os
answer = {}
for name in os.listdir('/proc'):
    path = '/proc/' + name
    if name.isdigit() or os.path.islink(path):
        continue
    if os.path.isdir(path):
        answer[name] = os.listdir(path)
    else:
        with open(path, 'rb') as file:
            answer[name] = file.read(100).decode(errors='replace')
"""
    seen = gpu_stage.student(code)
    assert seen.pop("devices").startswith("Character devices:")
    assert set(seen.pop("driver", [])) <= {"nvidia"}
    assert {"sys", "kallsyms", "modules", "cpuinfo"} & seen.keys()  # they are listed, and have nothing in them
    assert {name: content for name, content in seen.items() if content} == {}


def test_a_student_sees_its_own_processes_only(gpu_stage: Stage) -> None:
    pids = gpu_stage.student("import os; answer = [name for name in os.listdir('/proc') if name.isdigit()]")
    assert pids == ["1"]


def test_what_was_covered_cannot_be_uncovered(gpu_stage: Stage) -> None:
    code = """
import ctypes, os
answer = ctypes.CDLL(None).umount2(b'/proc/sys', 2), os.listdir('/proc/sys')
"""
    assert gpu_stage.student(code) == [-1, []]


def test_memory_may_be_reserved_that_is_never_used(gpu_stage: Stage, stage: Stage) -> None:
    code = """
import mmap
with mmap.mmap(-1, 1 << 34, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000) as room:
    answer = len(room)
"""
    assert gpu_stage.student(code) == 1 << 34
    assert "raised" in stage.student(code)


def test_memory_that_is_used_stays_bounded(gpu_stage: Stage) -> None:
    code = """
s = students()
s.start(60)
ask(s, "block = bytearray(0)\\nwhile True: block += bytes(1 << 20)")
answer = s.why()
"""
    said = gpu_stage.tester(code)
    why = said if isinstance(said, str) else gpu_stage.tester("answer = s.why()")
    assert "memory limit" in why, said
    assert POLICY.memory_bytes < 1 << 30


@pytest.fixture
def watched(gpu: Gpu, plugged: Plugged) -> Iterator[tuple[WarmProcess, Stage]]:
    with start(gpu=gpu) as warm, warm.fork_tester() as tester:
        yield warm, Stage(tester)
    plugged.processes()


def _outside(warm: WarmProcess, inside: int) -> int:
    """The PID on this machine of a process that the warm process knows by another number."""
    for pid in family(warm._jail.pid):
        if first_process(pid, warm._jail.pid) == inside:
            return pid
    raise LookupError(inside)


def test_a_process_that_a_student_started_is_known_as_the_students(watched: tuple[WarmProcess, Stage]) -> None:
    warm, stage = watched
    stage.tester("s = students(); s.start(60); ask(s, 'import os, time\\nif os.fork() == 0: time.sleep(60)')")
    inside = stage.tester("answer = s.pid")
    known = {pid: first_process(pid, warm._jail.pid) for pid in family(warm._jail.pid)}
    assert list(known.values()).count(inside) == 2
    assert first_process(os.getpid(), warm._jail.pid) is None
    assert first_process(warm._jail.pid, warm._jail.pid) is None


def test_who_holds_more_than_the_share_is_ended_and_the_neighbor_goes_on(
    watched: tuple[WarmProcess, Stage], plugged: Plugged
) -> None:
    warm, stage = watched
    stage.tester("a, b = students(), students()\nfor s in (a, b): s.start(60); ask(s, 'answer = 1')")
    inside, other = stage.tester("answer = a.pid, b.pid")
    plugged.processes(**{f"p{_outside(warm, inside)}": 1200, f"p{_outside(warm, other)}": 999})
    why, machine = stage.tester("ask(a, 'import time; time.sleep(30)')\nanswer = a.why(), a.machine()")
    assert why == "GPU memory limit: more than 1000 MiB"
    assert machine == ""  # it is the student's doing, and costs the question
    assert stage.tester("answer = ask(b, 'answer = 2')") == 2


def test_processes_of_others_are_left_alone(watched: tuple[WarmProcess, Stage], plugged: Plugged) -> None:
    warm, stage = watched
    bystander = threading.Thread(target=time.sleep, args=(0.5,))
    bystander.start()
    plugged.processes(**{f"p{os.getpid()}": 99_999, "p1": 99_999, f"p{warm._jail.pid}": 99_999})
    bystander.join()
    assert stage.student("answer = 'alive'") == "alive"


def test_a_card_does_not_open_anything_else(start_warm: Callable[..., WarmProcess], gpu: Gpu, tmp_path: Path) -> None:
    with start_warm(gpu=gpu) as warm, warm.fork_tester() as tester:
        hidden = [str(tmp_path), "/etc/shadow", "/sys/kernel", "/dev/kmsg", "/dev/kvm", "/dev/mem", "/dev/nvidia1"]
        code = f"import os; answer = [path for path in {hidden!r} if os.path.lexists(path)]"
        assert Stage(tester).student(code) == []
