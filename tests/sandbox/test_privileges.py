"""What a student's process can become: nothing more than it is."""

from __future__ import annotations

import errno
import json
import struct

import pytest

from grading_utils.sandbox import kernel, seccomp

from .conftest import Stage

COLUMN = 0 if kernel.machine() == "x86_64" else 1
CALLS = {name: numbers[COLUMN] for name, numbers in seccomp._CALLS.items() if numbers[COLUMN] is not None}


def test_a_student_has_no_capability_and_cannot_gain_one(stage: Stage) -> None:
    code = """
import subprocess
own = open('/proc/self/status').read()
child = subprocess.run(['cat', '/proc/self/status'], capture_output=True, text=True).stdout
answer = [dict(line.split(':\\t', 1) for line in text.splitlines() if ':\\t' in line) for text in (own, child)]
"""
    for status in stage.student(code):
        assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert status["Uid"].split() == ["1000"] * 4
        assert status["Groups"].strip() in ("", "65534")


@pytest.mark.parametrize("call", ["setuid(0)", "setgid(0)", "seteuid(0)", "chroot('/')", "setgroups([0])"])
def test_a_student_cannot_change_who_it_is(stage: Stage, call: str) -> None:
    assert stage.student(f"import os; os.{call}")["raised"] in ("PermissionError", "OSError")


def test_every_call_on_the_list_is_refused(stage: Stage) -> None:
    calls = {name: number for name, number in CALLS.items() if name not in seccomp._CONDITIONAL}
    answers = stage.student(f"""
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
answer = {{}}
for name, number in json.loads({json.dumps(json.dumps(calls))}).items():
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), 0, 0, 0, 0, 0)
    answer[name] = [result, ctypes.get_errno()]
""")
    expected = {name: errno.ENOSYS if name in seccomp._MISSING else errno.EPERM for name in calls}
    assert answers == {name: [-1, number] for name, number in expected.items()}


def test_the_list_has_every_call_that_the_page_on_security_promises_to_refuse() -> None:
    promised = """unshare setns mount umount2 pivot_root chroot move_mount open_tree fsopen fsmount fsconfig fspick
        mount_setattr ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp userfaultfd
        add_key request_key keyctl bpf perf_event_open io_uring_setup io_uring_enter io_uring_register io_setup
        inotify_init1 fanotify_init memfd_create memfd_secret shmget msgget semget mq_open seccomp
        open_by_handle_at name_to_handle_at init_module finit_module kexec_load syslog reboot"""
    assert set(promised.split()) <= seccomp._CALLS.keys() - seccomp._CONDITIONAL


def verdict(machine: str, number: int) -> int:
    """What the filter answers to a call without arguments, worked out as the kernel would."""
    code = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    words = {seccomp._OFFSET_NUMBER: number, seccomp._OFFSET_ARCH: seccomp._ARCH[machine]}
    position = loaded = 0
    while True:
        operation, if_true, if_false, value = code[position]
        position += 1
        if operation == seccomp._RETURN:
            return value
        if operation == seccomp._LOAD:
            loaded = words.get(value, 0)
        else:
            compare = {seccomp._EQUAL: loaded == value, seccomp._AT_LEAST: loaded >= value}
            position += if_true if compare.get(operation, bool(loaded & value)) else if_false


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_no_call_that_was_added_to_linux_later_exists(machine: str) -> None:
    mseal = 462  # of Linux 6.10, the last one that anybody has looked at
    assert verdict(machine, mseal) == seccomp._ALLOW
    assert {verdict(machine, number) for number in range(mseal + 1, mseal + 200)} == {seccomp._ERRNO | errno.ENOSYS}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("clone", f"{kernel.CLONE_NEWUSER | 17}, 0, 0, 0, 0"),
        ("clone", f"{kernel.CLONE_NEWNS | 17}, 0, 0, 0, 0"),
        ("socket", "2, 1, 0"),
        ("socket", "10, 1, 0"),
        ("socket", "16, 3, 0"),
        ("socket", "38, 5, 0"),
        ("socket", "40, 1, 0"),
        ("prctl", "4, 1, 0, 0, 0"),
        ("prctl", "0x59616d61, -1, 0, 0, 0"),
        ("fcntl", "0, 1026, 4"),
        ("fcntl", "0, 1024, 1"),
        ("mmap", "0, 4096, 3, 0x21, -1, 0"),
        ("mmap", "0, 4096, 3, 0x23, -1, 0"),
        ("mmap", "0, 4096, 3, 0x122, -1, 0"),
    ],
)
def test_a_call_is_refused_by_its_argument(stage: Stage, call: str, arguments: str) -> None:
    answer = stage.student(f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(ctypes.c_long({CALLS[call]}), {arguments})
answer = [result, ctypes.get_errno()]
""")
    assert answer == [-1, errno.EPERM]


def test_a_folder_cannot_be_watched(stage: Stage) -> None:
    answer = stage.student("import fcntl, os; fcntl.fcntl(os.open('.', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_CREATE)")
    assert answer["raised"] == "PermissionError"


def test_a_call_newer_than_the_list_does_not_exist(stage: Stage) -> None:
    answer = stage.student(f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
answer = [libc.syscall(ctypes.c_long({seccomp._LAST_KNOWN + 1}), 0), ctypes.get_errno()]
""")
    assert answer == [-1, errno.ENOSYS]


@pytest.mark.skipif(kernel.machine() != "x86_64", reason="the x32 calls exist on x86_64 only")
def test_a_call_of_another_architecture_ends_the_process(stage: Stage) -> None:
    answer = stage.student(f"import ctypes; ctypes.CDLL(None).syscall(ctypes.c_long({0x40000000 | 39}))")
    assert answer == {"ended": "crashed with signal SIGSYS"}


def test_the_filter_refuses_an_architecture_that_it_does_not_know() -> None:
    with pytest.raises(OSError, match="no system-call filter"):
        seccomp.program("riscv64")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_stays_inside_it(machine: str) -> None:
    code = seccomp.program(machine)
    length = len(code) // 8
    assert length < 4096
    for index in range(length):
        operation, yes, no = code[8 * index] + 256 * code[8 * index + 1], code[8 * index + 2], code[8 * index + 3]
        if operation in (0x15, 0x35, 0x45):
            assert index + 1 + max(yes, no) < length
    assert code[-8:-6] == b"\x06\x00"


@pytest.mark.parametrize("file", ["mem", "environ", "maps", "fd/0", "cwd", "root"])
def test_a_child_cannot_look_into_the_process_that_it_came_from(stage: Stage, file: str) -> None:
    answer = stage.student(f"""
import os
read, write = os.pipe()
if os.fork() == 0:
    try:
        os.open('/proc/1/{file}', os.O_RDONLY)
        os.write(write, b'opened')
    except OSError as error:
        os.write(write, type(error).__name__.encode())
    finally:
        os._exit(0)
os.close(write)
answer = os.read(read, 100).decode()
""")
    assert answer == "PermissionError"
