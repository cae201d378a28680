"""What came from the student's process during one test cell that a message about the cell has to know of."""

from __future__ import annotations

_FRAMES = "_boundary_frames"


class Received:
    """The exceptions that student code raised, and whether it changed what it was given."""

    def __init__(self) -> None:
        self.changed_kinds: set[type] = set()
        """Of what types the arguments were that student code has changed in place; they may live on in later cells."""

    def error(self, error: BaseException, frames: list[str]) -> None:
        """Remember that student code raised this."""
        error.__dict__[_FRAMES] = frames

    def frames_of(self, error: BaseException | None) -> list[str] | None:
        """Where in the student's cells an exception was raised; None where the test itself raised it."""
        return getattr(error, _FRAMES, None)
