"""Isolation where the grader itself is an ordinary user, and the messages where a machine refuses."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import grading_utils
from grading_utils.errors import SandboxError
from grading_utils.sandbox import probe, refusals

from .conftest import INSIDE

SYSTEM_PYTHON = Path("/usr/bin") / f"python{sys.version_info.major}.{sys.version_info.minor}"
NOBODY = 65534
USE = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import stage
from grading_utils.sandbox.policy import Policy
from grading_utils.sandbox.server import WarmProcess
policy = Policy(readable=(sys.argv[1],), environment=(("PYTHONPATH", sys.argv[1]),))
with WarmProcess.start(policy, tester="stage:tester", student="stage:student") as warm, warm.fork_tester() as tester:
    stage.send(tester.socket, "s = students(); answer = ask(s, %r)" % sys.argv[2])
    print(json.dumps(stage.receive(tester.socket)))
"""


@pytest.fixture(scope="module")
def installation() -> Iterator[Path]:
    """A small installation that everybody can read, with the system's Python."""
    if os.geteuid() != 0:
        pytest.skip("all other tests ran as an ordinary user already")
    if not SYSTEM_PYTHON.exists():
        pytest.skip(f"there is no {SYSTEM_PYTHON} that an ordinary user could run")
    folder = Path(tempfile.mkdtemp(prefix="ordinary-user-"))
    try:
        folder.chmod(0o755)
        packages = folder / "venv/lib" / SYSTEM_PYTHON.name / "site-packages"
        package = Path(grading_utils.__file__).parent
        (folder / "venv/bin").mkdir(parents=True)
        (folder / "venv/bin/python").symlink_to(SYSTEM_PYTHON)
        (folder / "venv/pyvenv.cfg").write_text(f"home = {SYSTEM_PYTHON.parent}\n")
        shutil.copytree(Path(msgspec.__file__).parent, packages / "msgspec")
        for folder_of_ours in ("sandbox", "devices"):
            shutil.copytree(package / folder_of_ours, packages / "grading_utils" / folder_of_ours)
        for name in ("__init__.py", "errors.py", "open_files.py"):
            shutil.copy(package / name, packages / "grading_utils")
        shutil.copytree(INSIDE, folder / "inside")
        yield folder
    finally:
        shutil.rmtree(folder)


def as_nobody(folder: Path, code: str) -> str:
    command = [str(folder / "venv/bin/python"), "-c", USE, str(folder / "inside"), code]
    done = subprocess.run(
        command, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_ordinary_user_isolates_students_too(installation: Path) -> None:
    code = """
import os, socket
answer = [os.getpid(), os.getuid(), sorted(os.listdir('/proc'))[:1]]
answer += [os.path.exists(path) for path in ('/home', '/etc/shadow')]
try:
    socket.socket()
except OSError as error:
    answer.append(type(error).__name__)
"""
    assert msgspec.json.decode(as_nobody(installation, code)) == [1, 1000, ["1"], False, False, "PermissionError"]


def test_an_ordinary_users_student_has_limits(installation: Path) -> None:
    answer = as_nobody(installation, "bytearray(2 << 30)")
    assert msgspec.json.decode(answer)["raised"] == "MemoryError"


def test_a_python_that_students_cannot_run_is_named_with_the_fix() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can own a Python that its students cannot run")
    closed = Path(tempfile.mkdtemp(prefix="closed-python-"))
    try:
        closed.chmod(0o700)
        (closed / "bin").mkdir()
        shutil.copy(os.path.realpath(sys.executable), closed / "bin/python")
        (closed / "bin/python").chmod(0o700)
        (closed / "pyvenv.cfg").write_text(f"home = {Path(os.path.realpath(sys.executable)).parent}\n")
        packages = closed / "lib" / SYSTEM_PYTHON.name / "site-packages"
        packages.mkdir(parents=True)
        paths = [Path(grading_utils.__file__).parent.parent, Path(msgspec.__file__).parent.parent]
        (packages / "ours.pth").write_text("\n".join(map(str, paths)))
        code = f"import sys; sys.executable = {str(closed / 'bin/python')!r}"
        start = "from tests.sandbox.conftest import start; start()"
        done = subprocess.run([sys.executable, "-c", f"{code}\n{start}"], capture_output=True, text=True, timeout=60)
    finally:
        shutil.rmtree(closed)
    assert "SandboxError" in done.stderr
    assert "chmod -R o+rX" in done.stderr


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSYS, "5.12 or newer"),
        (errno.EPERM, "docker run"),
        (errno.EIO, "grading-utils doctor"),
    ],
)
def test_a_refusal_comes_with_its_fix(monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    monkeypatch.setattr(refusals, "_SETTINGS", ())
    assert words in refusals.explain(OSError(number, "refused"))


def test_a_kernel_setting_that_forbids_isolation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = tmp_path / "max_user_namespaces"
    setting.write_text("0\n")
    monkeypatch.setattr(refusals, "_SETTINGS", ((str(setting), "0", "sudo sysctl -w x=1"),))
    message = refusals.explain(PermissionError(errno.EPERM, "unshare: Operation not permitted"))
    assert "sudo sysctl -w x=1" in message
    assert f"{setting} is 0" in message


def test_a_machine_without_user_namespaces_refuses_instead_of_grading() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can forbid user namespaces to see what happens")
    code = """
import os
from grading_utils.sandbox import kernel
kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
open('/proc/self/setgroups', 'w').write('deny')
open('/proc/self/uid_map', 'w').write('0 0 1')
open('/proc/self/gid_map', 'w').write('0 0 1')
open('/proc/sys/user/max_user_namespaces', 'w').write('0')
from tests.sandbox.conftest import start
start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "SandboxError: cannot isolate student code here" in done.stderr
    assert "sysctl -w user.max_user_namespaces" in done.stderr


def test_doctor_learns_what_this_machine_offers() -> None:
    findings = {finding.name: finding for finding in probe.probe()}
    assert findings["isolated student process"].available
    assert all(finding.available or not finding.required for finding in findings.values())


def test_a_machine_that_cannot_isolate_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = probe.Finding("user namespaces", False, True, "switched off", "switch them on")
    monkeypatch.setattr(probe, "probe", lambda: [missing])
    with pytest.raises(SandboxError, match="user namespaces: switched off; switch them on"):
        probe.require_isolation()
