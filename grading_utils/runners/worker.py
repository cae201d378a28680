"""What runs on a worker of a cluster: notebooks, each with the engine that this worker keeps warm for its assignment.

A task brings the name of a parcel and one submission as bytes. A worker that does not have the parcel says so, and is
sent it once. It sees no gradebook and no folder of the course; a submission lives here as long as its task. Student
code stays in the sandbox, so whatever it does to its processes, the worker goes on.
"""

from __future__ import annotations

import atexit
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from grading_utils.devices.choice import choose
from grading_utils.errors import MachineError, SandboxError
from grading_utils.grading.engines import sandbox_policy
from grading_utils.grading.jobs import Engine, NotebookRun
from grading_utils.grading.lasting import LastingEngine
from grading_utils.grading.sandbox_engine import SandboxEngine
from grading_utils.jobs import Job
from grading_utils.runners.identity import differences, identity
from grading_utils.runners.parcel import Parcel

MOST_ENGINES = 4
"""Notebooks that a worker keeps warm; the one that was unused for longest makes room."""


class Reply(msgspec.Struct, frozen=True):
    """What a worker answers; None where it has no such parcel."""

    run: NotebookRun | None


class _Place:
    """The engine of one parcel; several threads of a worker may use it at once."""

    def __init__(self, parcel: bytes) -> None:
        self._parcel = msgspec.msgpack.decode(parcel, type=Parcel)
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._resources = ExitStack()
        self.users = 0

    def engine(self) -> Engine:
        """The engine, started where it is the first time."""
        with self._lock:
            if self._engine is None:
                with ExitStack() as stack:
                    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="assignment-"))
                    bundle, notebook = self._parcel.unpack(Path(folder))
                    gpu = choose(self._parcel.device, self._parcel.share_mib)
                    policy = sandbox_policy(readable=self._parcel.readable, gpu=gpu)
                    self._engine = LastingEngine(lambda: SandboxEngine.start(bundle, notebook, policy))
                    stack.callback(self._engine.close)
                    self._resources = stack.pop_all()
            return self._engine

    def close(self) -> None:
        """End the engine."""
        self._resources.close()


class _Shelf:
    """The engines of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[str, _Place] = OrderedDict()

    @contextmanager
    def place(self, name: str, parcel: bytes | None) -> Iterator[_Place | None]:
        """The place of a parcel, made where it was sent along; None where it is not known."""
        with self._lock:
            if name not in self._places and parcel is not None:
                self._places[name] = _Place(parcel)
            place = self._places.get(name)
            if place is not None:
                place.users += 1
                self._places.move_to_end(name)
            spare = [key for key, other in self._places.items() if not other.users]
            left = [self._places.pop(key) for key in spare[: max(0, len(self._places) - MOST_ENGINES)]]
        for other in left:
            other.close()
        try:
            yield place
        except SandboxError:
            self.drop(name)  # its processes may not start again: the next task tries from the beginning
            raise
        finally:
            if place is not None:
                with self._lock:
                    place.users -= 1
                    is_over = place is not self._places.get(name) and not place.users
                if is_over:
                    place.close()

    def drop(self, name: str) -> None:
        """Let go of a place; who is using it ends it."""
        with self._lock:
            place = self._places.pop(name, None)
            is_over = place is not None and not place.users
        if place is not None and is_over:
            place.close()

    def clear(self) -> None:
        """End everything."""
        while self._places:
            self._places.popitem()[1].close()


_shelf = _Shelf()
atexit.register(_shelf.clear)


def run(name: str, ours: Mapping[str, str], job: bytes | None, parcel: bytes | None = None) -> bytes:
    """Run one notebook.

    Args:
        name: The parcel that it belongs to.
        ours: The coordinator's `identity.identity()`.
        job: A packed `Job`; None only starts the engine.
        parcel: The packed parcel, where this worker may not have it.

    Returns:
        A packed `Reply`.

    Raises:
        MachineError: This worker would not grade as the coordinator does, or has no GPU that it is to use.
        SandboxError: The engine broke; the next task starts another one.
        AuthoringError: A leading instructor cell raises.
    """
    if other := differences(ours, identity()):
        raise MachineError(f"a worker differs from this machine in {other}; install the same there")
    with _shelf.place(name, parcel) as place:
        if place is None:
            return msgspec.msgpack.encode(Reply(None))
        engine = place.engine()
        done = NotebookRun(cells=()) if job is None else engine.run(msgspec.msgpack.decode(job, type=Job))
    return msgspec.msgpack.encode(Reply(done))


def forget(name: str) -> None:
    """Let go of a parcel and its engine; who still wants it sends it again."""
    _shelf.drop(name)
