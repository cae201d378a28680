"""Workers that are started over SSH, as docs/scaling.md says, on a host that shares nothing but the network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grading_utils.course.course import Course

from ..conftest import ASSIGNMENT, hand_in
from .conftest import scores, write_certificates
from .hosts import Network, missing

DASK = Path(sys.executable).with_name("dask")
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
TLS = ("--tls-ca-file", "/mnt/given/ca.pem", "--tls-cert", "/mnt/given/cert.pem", "--tls-key", "/mnt/given/key.pem")

pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="there is no OpenSSH with its server"),
]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A scheduler, a host on which nothing runs but sshd, and the machine that has the course and a key."""
    given, keys = tmp_path / "given", tmp_path / "keys"
    write_certificates(given)
    keys.mkdir(mode=0o700)
    for name in ("host", "person"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / name]
        subprocess.run(make, check=True)
    shutil.copy(keys / "host", given)
    shutil.copy(keys / "person.pub", given)
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd's unprivileged half lives
    with Network(given, ("scheduler", "one", "coordinator")) as network:
        host = f"tls://{network.addresses['scheduler']}"
        network.start("scheduler", str(DASK), "scheduler", "--host", host, "--port", "8786", "--no-dashboard", *TLS)
        assert SSHD is not None
        settings = {
            "HostKey": "/mnt/given/host", "AuthorizedKeysFile": "/mnt/given/person.pub", "PidFile": "none",
            "PasswordAuthentication": "no", "PermitRootLogin": "prohibit-password", "StrictModes": "no", "UsePAM": "no",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        network.start("one", SSHD, "-D", "-e", "-f", "/dev/null", *options)
        yield network


def test_a_worker_that_is_started_over_ssh_grades_a_class(
    network: Network, small_course: Course, solution: Any, tmp_path: Path
) -> None:
    for name in ("amara", "bo"):
        hand_in(small_course, name, solution)
    twin = Course.open(shutil.copytree(small_course.root, tmp_path / "twin"))
    scheduler = f"tls://{network.addresses['scheduler']}:8786"
    worker = f"{DASK} worker {scheduler} --nthreads 1 --no-dashboard --local-directory /tmp {' '.join(TLS)}"
    ssh = (
        "ssh", "-i", str(tmp_path / "keys" / "person"), "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
        "-o", f"UserKnownHostsFile={tmp_path / 'known'}", "-o", "ConnectionAttempts=60", "-tt",
        f"root@{network.addresses['one']}",
    )  # fmt: skip
    working = network.run("coordinator", *ssh, worker)
    try:
        files = [
            word
            for name in ("ca", "cert", "key")
            for word in (f"--tls-{name}", str(tmp_path / "given" / f"{name}.pem"))
        ]
        command = [
            str(DASK.with_name("grading-utils")), "grade", ASSIGNMENT, "--course", str(small_course.root),
            "--runner", "dask", "--scheduler", scheduler, *files,
        ]  # fmt: skip
        for _ in range(30):
            grading = network.run("coordinator", *command)
            output, _ = grading.communicate(timeout=240)
            if grading.returncode != 3:
                break
        assert grading.returncode == 0, output
    finally:
        working.terminate()
        said, _ = working.communicate()
    here = [command[0], "grade", ASSIGNMENT, "--course", str(twin.root)]
    subprocess.run(here, check=True, capture_output=True)
    assert scores(small_course) == scores(twin), said
