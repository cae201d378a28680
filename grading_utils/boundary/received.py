"""What came from the student's process during one test cell, so that a message to the student can leave it out.

Student code sees the arguments of a hidden check. Whatever it answers could carry them, so the message of a hidden
check keeps the instructor's words and loses the student's values.
"""

from __future__ import annotations

import re
from typing import Any

LONGEST_MESSAGE = 500
_LEAVES = 20_000
_SHORT = 3
_SEQUENCES = re.compile(r"[\[({][^\[\](){}]{40,}[\])}]")


class Received:
    """The texts and numbers that came from the student's process, and the exceptions that its code raised."""

    def __init__(self) -> None:
        self.is_recording = False
        self._texts: set[str] = set()
        self._overflowed = False
        self._errors: list[tuple[BaseException, list[str]]] = []

    def restart(self, *, is_recording: bool) -> None:
        """Forget everything; a new test cell begins."""
        self.__init__()  # type: ignore[misc]
        self.is_recording = is_recording

    def error(self, error: BaseException, frames: list[str]) -> None:
        """Remember that student code raised this."""
        if len(self._errors) < 1000:
            self._errors.append((error, frames))

    def frames_of(self, error: BaseException | None) -> list[str] | None:
        """Where in the student's cells an exception was raised; None where the test itself raised it."""
        return next((frames for known, frames in self._errors if known is error), None)

    def value(self, value: Any) -> None:
        """Remember the texts and long numbers in a value."""
        if self.is_recording and not self._overflowed:
            self._note(value)

    def _note(self, value: Any) -> None:
        if len(self._texts) > _LEAVES:
            self._overflowed = True
            return
        if isinstance(value, str | bytes | bytearray):
            self._texts.add(str(value))
            if isinstance(value, str):
                self._texts.update((repr(value)[1:-1], *value.split()))
        elif isinstance(value, int | float | complex):
            self._texts.add(str(value))
        elif isinstance(value, dict):
            self._texts.add(str(value)[:LONGEST_MESSAGE])
            for pair in value.items():
                self._note(pair[0])
                self._note(pair[1])
        elif isinstance(value, list | tuple | set | frozenset):
            self._texts.add(str(value)[:LONGEST_MESSAGE])
            for item in value:
                self._note(item)
        elif value is not None:
            self._texts.add(str(value)[:LONGEST_MESSAGE])

    def without_values(self, message: str) -> str:
        """The message with what came from the student's process replaced by an ellipsis."""
        if self._overflowed:
            return ""
        message = message[: 4 * LONGEST_MESSAGE]
        for text in sorted(self._texts, key=len, reverse=True):
            if len(text) > _SHORT and text in message:
                message = message.replace(text, "…")
        return _SEQUENCES.sub("…", message)[:LONGEST_MESSAGE]
