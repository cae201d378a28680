"""Running notebooks on a Dask cluster: one of our own on this machine, or somebody's scheduler.

Tasks, parcels and answers travel through the scheduler, so no file system is shared; `worker.py` is the other end. The
coordinator keeps reading what was handed in, scoring, and the gradebook. Whoever may talk to a scheduler may run code
on its workers: that is Dask's way, and why TLS comes with it.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import time
import uuid
import warnings
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any

import msgspec
from distributed import Client, KilledWorker, LocalCluster, Security
from distributed.comm.addressing import parse_address, parse_host_port

from grading_utils.course.bundle import Bundle, NotebookBundle, refuse_other_languages
from grading_utils.course.course import Course
from grading_utils.course.device import share_mib, wish_for
from grading_utils.course.readable import readable_paths
from grading_utils.devices.choice import AUTO, CPU, CUDA
from grading_utils.errors import MachineError, SandboxError
from grading_utils.grading.jobs import NotebookRun
from grading_utils.jobs import Job
from grading_utils.runners import worker
from grading_utils.runners.identity import identity
from grading_utils.runners.parcel import parcel_of

GPU = "GPU"
"""What workers with a card call it among their resources."""
_CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 5.0
_WITHOUT_WORKERS_SECONDS = 120.0
"""How long a class waits for a worker where the last one has gone: a nanny or a batch system brings it back."""
_AHEAD = 2
"""Submissions on their way for each one that runs, so that no worker waits for the next one to be read."""
_MOST_AHEAD = 256
_COUNT_SECONDS = 5.0
"""How often workers are counted: those that join in the middle of a class get work, and those that left no more."""


@dataclass(frozen=True)
class Tls:
    """Files of a private authority, and of a certificate that it has signed for this coordinator."""

    authority: str
    certificate: str
    key: str


@dataclass
class _Cluster:
    """A connection, and what is asked of workers."""

    client: Client
    address: str
    needs: Mapping[str, float]
    own: LocalCluster | None = None
    names: set[str] = field(default_factory=set)

    def workers(self) -> dict[str, Mapping[str, Any]]:
        """The workers that can meet the needs, by address.

        Raises:
            MachineError: The scheduler is gone.
        """
        try:
            known = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, CancelledError, RuntimeError, KeyError) as error:  # nothing is known while a client reconnects
            raise self.gone() from error
        return {address: one for address, one in known.items() if self._suits(one["resources"])}

    def _suits(self, offered: Mapping[str, float]) -> bool:
        return all(offered.get(name, 0) >= amount for name, amount in self.needs.items())

    def places(self) -> int:
        """How many submissions the workers can run at the same time.

        Raises:
            MachineError: No worker can meet the needs.
        """
        suitable = self.workers().values()
        if not suitable:
            raise MachineError(self.nobody())
        return sum(
            min([int(one["nthreads"]), *(int(one["resources"][name] // amount) for name, amount in self.needs.items())])
            for one in suitable
        )

    def nobody(self) -> str:
        """Why there is no worker for a task."""
        known = self.client.scheduler_info(n_workers=-1)["workers"].values()
        if not known:
            return f"the scheduler {self.address} has no workers: start some with `dask worker {self.address}`"
        wanted = ", ".join(f"{name}={amount:g}" for name, amount in self.needs.items())
        offers = sorted({", ".join(f"{k}={v:g}" for k, v in one["resources"].items()) or "nothing" for one in known})
        return f"no worker of {self.address} offers {wanted}: they offer {'; '.join(offers)}"

    def gone(self) -> MachineError:
        """What to say when the scheduler does not answer any more."""
        return MachineError(
            f"the scheduler {self.address} is gone; what was graded is kept: grade again when it is back"
        )


class ClusterEngine:
    """One notebook of an assignment on whichever worker is free; see `grading.jobs.Engine`."""

    isolated = True

    def __init__(self, cluster: _Cluster, name: str, parcel: bytes, device: str) -> None:
        self._cluster, self._name, self._parcel = cluster, name, parcel
        self.device = device
        self._ask(None)

    def run(self, job: Job) -> NotebookRun:
        """Execute one notebook.

        Raises:
            SandboxError: The engine of the worker broke, or workers ended whenever they ran this submission.
            MachineError: There is no scheduler or no worker any more.
        """
        return self._ask(msgspec.msgpack.encode(job))

    def _ask(self, job: bytes | None) -> NotebookRun:
        """Send a task; where the worker lacks the parcel, send both, wherever it then runs."""
        for parcel in (None, self._parcel):
            reply = msgspec.msgpack.decode(self._result(job, parcel), type=worker.Reply)
            if reply.run is not None:
                return reply.run
        raise SandboxError("a worker has lost the assignment that was just sent to it")

    def _result(self, job: bytes | None, parcel: bytes | None) -> bytes:
        future = self._cluster.client.submit(
            worker.run,
            self._name,
            identity(),
            job,
            parcel,
            key=f"grade-{uuid.uuid4()}",
            pure=False,
            resources=dict(self._cluster.needs) or None,
        )
        alone_since: float | None = None
        try:
            while True:
                try:
                    return bytes(future.result(timeout=_LOOK_SECONDS))
                except TimeoutError:
                    alone_since = self._look(alone_since)
        except KilledWorker as error:
            raise SandboxError(f"{error.allowed_failures + 1} workers ended while they ran it") from error
        except CancelledError as error:
            raise self._cluster.gone() from error
        finally:
            future.cancel()

    def _look(self, alone_since: float | None) -> float | None:
        """Since when there is nobody to run a task.

        Raises:
            MachineError: For too long, or the scheduler is gone.
        """
        if self._cluster.client.status != "running":
            raise self._cluster.gone()
        if self._cluster.workers():
            return None
        now = time.monotonic()
        if alone_since is not None and now - alone_since > _WITHOUT_WORKERS_SECONDS:
            raise MachineError(f"{self._cluster.nobody()}; what was graded is kept: grade again when there are workers")
        return alone_since or now

    def close(self) -> None:
        """Let the workers forget the assignment."""
        with contextlib.suppress(Exception):  # whoever is gone has forgotten it
            self._cluster.client.run(worker.forget, self._name, on_error="ignore")


class DaskRunner:
    """The workers of a cluster; see `runner.Runner`."""

    places = _MOST_AHEAD

    def __init__(self, course: Course, cluster: _Cluster, device: str | None = None) -> None:
        self._course, self._cluster, self._asked = course, cluster, device
        self._wanted, self._counted = cluster.places(), time.monotonic()

    def ahead(self) -> int:
        """See `Runner.ahead`; while there is no worker, as many as before, who wait for one."""
        if time.monotonic() - self._counted > _COUNT_SECONDS:
            with contextlib.suppress(MachineError):  # whoever waits for a worker says so when it is too long
                self._wanted = self._cluster.places()
            self._counted = time.monotonic()
        return min(_AHEAD * self._wanted, _MOST_AHEAD)

    @classmethod
    def connect(
        cls,
        course: Course,
        address: str | None,
        *,
        workers: int = 1,
        needs: Mapping[str, float] | None = None,
        tls: Tls | None = None,
        device: str | None = None,
    ) -> DaskRunner:
        """Connect to a scheduler, or start workers on this machine.

        Args:
            course: The course that is graded.
            address: The scheduler, as in `tls://10.0.0.1:8786`; None starts a cluster here.
            workers: How many workers to start here.
            needs: What a worker has to offer for one submission, as in `{"GPU": 1}`.
            tls: Files for an encrypted connection; None leaves it to Dask's own configuration.
            device: What workers are to compute on, whatever the course says.

        Raises:
            MachineError: There is no scheduler, or none of its workers can meet the needs.
        """
        _keep_quiet()
        needs = needs or {}
        if address is None:
            own = _own_cluster(workers, needs)
            client = Client(own, set_as_default=False)
            return cls._over(course, _Cluster(client, own.scheduler_address, needs, own), device)
        security = (
            Security()
            if tls is None
            else Security(
                tls_ca_file=tls.authority,
                tls_client_cert=tls.certificate,
                tls_client_key=tls.key,
                require_encryption=True,
            )
        )
        if address.startswith("tls://") and security.get_connection_args("client")["ssl_context"] is None:
            raise MachineError(f"{address} is encrypted: name the files with --tls-ca, --tls-cert and --tls-key")
        try:
            socket.create_connection(parse_host_port(parse_address(address)[1]), _CONNECT_SECONDS).close()
            client = Client(address, security=security, timeout=_CONNECT_SECONDS, set_as_default=False)
        except Exception as error:
            raise MachineError(f"no scheduler answers at {address}: {_said(error)}") from error
        return cls._over(course, _Cluster(client, address, needs), device)

    @classmethod
    def _over(cls, course: Course, cluster: _Cluster, device: str | None) -> DaskRunner:
        try:
            return cls(course, cluster, device)
        except BaseException:
            _end(cluster)
            raise

    def start(self, bundle: Bundle, notebook: NotebookBundle) -> ClusterEngine:
        """See `Runner.start`."""
        refuse_other_languages(notebook.metadata, f"{notebook.name}.ipynb")
        readable = tuple(str(path) for path in readable_paths(self._course))
        device = self._wish(bundle.assignment, notebook)
        parcel = parcel_of(bundle, notebook, readable, device=device, share_mib=share_mib(self._course))
        return ClusterEngine(self._cluster, *parcel.packed(), device)

    def device(self, bundle: Bundle) -> str:
        """See `Runner.device`; which card it is, each worker knows for itself."""
        wishes = (self._wish(bundle.assignment, notebook) for notebook in bundle.notebooks.values())
        return ", ".join(sorted(set(wishes))) or CPU

    def _wish(self, assignment: str, notebook: NotebookBundle) -> str:
        """`auto` means a card where workers with one were asked for: all of a class is computed on the same."""
        wish = wish_for(self._course, assignment, notebook.cells, self._asked)
        return (CUDA if GPU in self._cluster.needs else CPU) if wish == AUTO else wish

    def close(self) -> None:
        """Disconnect, and end the workers that were started here."""
        _end(self._cluster)


def _own_cluster(workers: int, needs: Mapping[str, float]) -> LocalCluster:
    """Workers on this machine, which nobody else on it can talk to."""
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        worker_dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
        security=Security.temporary(),
        resources=dict(needs) or None,
        memory_limit=None,  # the sandbox bounds what student code uses
    )


def _end(cluster: _Cluster) -> None:
    with contextlib.suppress(Exception):  # it may be gone already, and there is nothing left to ask of it
        cluster.client.close()
        if cluster.own is not None:
            cluster.own.close()


def _keep_quiet() -> None:
    """What matters of Dask's own messages is said here in one line each."""
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "Sending large graph")  # a parcel, once for each worker


def _said(error: BaseException) -> str:
    """The first line of the innermost of an error's causes."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).splitlines() or [type(error).__name__])[0]
