"""What came from the student's process during one test cell that a message about the cell has to know of."""

from __future__ import annotations

_MOST_ERRORS = 1000


class Received:
    """The exceptions that student code raised, and whether it changed what it was given."""

    def __init__(self) -> None:
        self.changed_kinds: set[type] = set()
        """Of what types the arguments were that student code has changed in place; they may live on in later cells."""
        self._errors: list[tuple[BaseException, list[str]]] = []

    def restart(self) -> None:
        """A new test cell begins."""
        self._errors = []

    def error(self, error: BaseException, frames: list[str]) -> None:
        """Remember that student code raised this."""
        if len(self._errors) < _MOST_ERRORS:
            self._errors.append((error, frames))

    def frames_of(self, error: BaseException | None) -> list[str] | None:
        """Where in the student's cells an exception was raised; None where the test itself raised it."""
        return next((frames for known, frames in self._errors if known is error), None)
