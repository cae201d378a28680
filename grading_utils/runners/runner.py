"""The seam between grading a class and where its notebooks run, and the ordinary case: this machine.

A runner gives the engine of a notebook and says how many submissions it takes at a time. Reading what was handed in,
scoring it and writing the gradebook stay with whoever asks (`grading.pipeline`), whatever the runner.
"""

from __future__ import annotations

from typing import Protocol

from grading_utils.course.bundle import Bundle, NotebookBundle
from grading_utils.course.course import Course
from grading_utils.grading.engines import devices_of, engine_factory
from grading_utils.grading.jobs import Engine


class Runner(Protocol):
    """Somewhere to run notebooks."""

    places: int
    """How many submissions may run at the same time, at most and ever."""

    def ahead(self) -> int:
        """How many submissions it is worth to have begun just now, so that nowhere one is waited for; at least 1."""
        ...

    def device(self, bundle: Bundle) -> str:
        """What an assignment is computed on, in words; see `engines.devices_of`.

        Raises:
            MachineError: There is none of the kind that was asked for.
        """
        ...

    def start(self, bundle: Bundle, notebook: NotebookBundle) -> Engine:
        """The engine for one notebook of an assignment.

        Raises:
            SandboxError: It cannot isolate student code.
            AuthoringError: A leading instructor cell raises.
            MachineError: There is nowhere to run it.
        """
        ...

    def close(self) -> None:
        """Let go of everything that the runner itself has started."""
        ...


class LocalRunner:
    """Forks on this machine, one warm process for each notebook; see `Runner`."""

    def __init__(self, course: Course, *, places: int, isolate: bool = True, device: str | None = None) -> None:
        self.places = places
        self._course, self._asked = course, device
        self._make_engine = engine_factory(course, isolate=isolate, device=device)

    def device(self, bundle: Bundle) -> str:
        """See `Runner.device`."""
        return devices_of(self._course, bundle, self._asked)

    def ahead(self) -> int:
        """See `Runner.ahead`: one for each place, and the one after it."""
        return 2 * self.places

    def start(self, bundle: Bundle, notebook: NotebookBundle) -> Engine:
        """See `Runner.start`."""
        return self._make_engine(bundle, notebook)

    def close(self) -> None:
        """Nothing to do: whoever asked for engines ends them."""
