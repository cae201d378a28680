"""A scheduler with two workers as their own processes, talking TLS, as on somebody's cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from distributed import Client, Security

from grading_utils.course.course import Course
from grading_utils.reporting.records import RESULTS, read_json
from grading_utils.runners.cluster import Tls

from ..sandbox.conftest import family


@dataclass
class Cluster:
    """Processes of `dask`, started by the commands of docs/scaling.md."""

    folder: Path
    port: int = field(default_factory=lambda: free_port())
    scheduler: subprocess.Popen[bytes] | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"tls://127.0.0.1:{self.port}"

    @property
    def tls(self) -> Tls:
        return Tls(*(str(self.folder / name) for name in ("ca.pem", "cert.pem", "key.pem")))

    @property
    def options(self) -> list[str]:
        files = (f"{self.folder}/{name}.pem" for name in ("ca", "cert", "key"))
        named = [word for pair in zip(("--tls-ca", "--tls-cert", "--tls-key"), files, strict=True) for word in pair]
        return ["--runner", "dask", "--scheduler", self.address, *named]

    def client(self) -> Client:
        tls = self.tls
        security = Security(
            tls_ca_file=tls.authority, tls_client_cert=tls.certificate, tls_client_key=tls.key, require_encryption=True
        )
        return Client(self.address, security=security, set_as_default=False)

    def start_scheduler(self) -> None:
        self.scheduler = self._start("scheduler", "--host", "tls://127.0.0.1", "--port", str(self.port))
        wait_for(lambda: answers(self.port))

    def start_worker(self, name: str, *options: str) -> None:
        self.workers[name] = self._start(
            "worker", self.address, "--name", name, "--local-directory", str(self.folder), "--nthreads", "1", *options
        )

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        tls = self.tls
        files = ("--tls-ca-file", tls.authority, "--tls-cert", tls.certificate, "--tls-key", tls.key)
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [str(Path(sys.executable).parent / "dask"), kind, *options, *files, "--no-dashboard"],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def stop(self) -> None:
        for process in (*self.workers.values(), self.scheduler):
            if process is not None:
                kill_all(process.pid)
                process.wait()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def answers(port: int) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def kill_all(pid: int) -> None:
    """End a process that the tests have started and everything that it has started."""
    for each in (pid, *family(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def wait_for(holds: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def write_certificates(folder: Path) -> None:
    made = Security.temporary()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("ca.pem", made.tls_ca_file),
        ("cert.pem", made.tls_client_cert),
        ("key.pem", made.tls_client_key),
    ):
        (folder / name).write_text(text)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    write_certificates(cluster.folder)
    try:
        cluster.start_scheduler()
        cluster.start_worker("plain")
        cluster.start_worker("card", "--resources", "GPU=1")
        with cluster.client() as client:
            client.wait_for_workers(2, timeout=120)
        yield cluster
    finally:
        cluster.stop()


def scores(course: Course) -> dict[str, list[tuple[str, float | None, str]]]:
    """What each student got, check by check."""
    results = read_json(course.root / RESULTS)
    return {one.student: [(cell.grade_id, cell.score, cell.message) for cell in one.cells] for one in results}
