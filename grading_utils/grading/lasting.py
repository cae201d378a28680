"""An engine that outlives its processes: where something outside has ended them, it starts them again.

A machine that runs out of memory, or somebody's `kill`, ends a warm process and with it every submission that was
being run. Each of them is run once more in the next one. Who ends two in a row is believed to be the reason.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from grading_utils.errors import SandboxError
from grading_utils.grading.jobs import Engine, NotebookRun
from grading_utils.jobs import Job

_TRIES = 2

_log = logging.getLogger(__name__)


class Mortal(Engine, Protocol):
    """An engine that can tell whether its processes are there."""

    def is_gone(self) -> bool:
        """Whether something has ended the processes that everything is forked from."""
        ...


class LastingEngine:
    """Runs notebooks with one engine after the other; see `jobs.Engine`."""

    isolated = True

    def __init__(self, start: Callable[[], Mortal]) -> None:
        """Start the first one; raises what `start` raises."""
        self._start = start
        self._lock = threading.Lock()
        self._engine: Mortal | None = start()
        self.device = self._engine.device
        self._is_closed = False

    def run(self, job: Job) -> NotebookRun:
        """See `jobs.Engine.run`."""
        for _ in range(_TRIES - 1):
            engine = self._living()
            try:
                return engine.run(job)
            except SandboxError as error:
                if not engine.is_gone():
                    raise
                self._bury(engine, error)
        return self._living().run(job)

    def _living(self) -> Mortal:
        with self._lock:
            if self._engine is None:
                try:
                    self._engine = self._start()
                except SandboxError as error:  # it has started before, so something outside has ended this one, too
                    _log.warning("a warm process has ended while it started: %s", error)
                    self._engine = self._start()
            return self._engine

    def _bury(self, gone: Mortal, error: SandboxError) -> None:
        """Make room for another engine, unless another thread has done so or it was closed on purpose."""
        with self._lock:
            if self._is_closed:
                raise error
            if self._engine is gone:
                _log.warning("a warm process has ended and is started again: %s", error)
                self._engine = None
                gone.close()

    def close(self) -> None:
        """See `jobs.Engine.close`."""
        with self._lock:
            self._is_closed = True
            if self._engine is not None:
                self._engine.close()
