"""What came from the student's process during one test cell that a message about the cell has to know of."""

from __future__ import annotations

<<<<<<< HEAD
_MOST_ERRORS = 1000
=======
import copy
import re
from typing import Any

LONGEST_MESSAGE = 500
_LEAVES = 20_000
_SHORT = 3
_MOST_SHORT_WORDS = 12
_MOST_UNREAD = 16 << 20  # bytes of values kept until somebody needs their texts
_OVERHEAD = 1 << 12
_FRAMES = "_boundary_frames"
_WORD = re.compile(r"\w+")
>>>>>>> main


class Received:
    """The exceptions that student code raised, and whether it changed what it was given."""

    def __init__(self) -> None:
<<<<<<< HEAD
        self.changed_kinds: set[type] = set()
        """Of what types the arguments were that student code has changed in place; they may live on in later cells."""
        self._errors: list[tuple[BaseException, list[str]]] = []
=======
        self.is_recording = False
        self._texts: set[str] = set()
        self._unread: list[Any] = []
        self._room = _MOST_UNREAD
        self._overflowed = False
>>>>>>> main

    def restart(self) -> None:
        """A new test cell begins."""
        self._errors = []

    def error(self, error: BaseException, frames: list[str]) -> None:
        """Remember that student code raised this."""
<<<<<<< HEAD
        if len(self._errors) < _MOST_ERRORS:
            self._errors.append((error, frames))

    def frames_of(self, error: BaseException | None) -> list[str] | None:
        """Where in the student's cells an exception was raised; None where the test itself raised it."""
        return next((frames for known, frames in self._errors if known is error), None)
=======
        error.__dict__[_FRAMES] = frames

    def frames_of(self, error: BaseException | None) -> list[str] | None:
        """Where in the student's cells an exception was raised; None where the test itself raised it."""
        return getattr(error, _FRAMES, None)

    def value(self, value: Any) -> None:
        """Remember the texts and long numbers in a value."""
        if not self.is_recording or self._overflowed:
            return
        size = getattr(value, "nbytes", None)
        if type(size) is int and size <= self._room and type(value).__module__.partition(".")[0] in ("numpy", "torch"):
            self._room -= size + _OVERHEAD
            self._unread.append(copy.deepcopy(value))  # its text takes long to make, and most checks pass
        else:
            self._read(value)

    def _read(self, value: Any) -> None:
        if value is not None and not isinstance(value, str):
            self._texts.add(str(value)[:LONGEST_MESSAGE])
        self._note(value)

    def _note(self, value: Any) -> None:
        if len(self._texts) > _LEAVES:
            self._overflowed = True
        elif isinstance(value, str | bytes | bytearray):
            self._texts.update((str(value), repr(value), *str(value)[:LONGEST_MESSAGE].split()))
        elif isinstance(value, int | float | complex):
            self._texts.add(str(value))
        elif isinstance(value, dict):
            for pair in value.items():
                self._note(pair[0])
                self._note(pair[1])
        elif isinstance(value, list | tuple | set | frozenset):
            for item in value:
                self._note(item)

    def safe_message(self, message: str, own_words: str) -> str:
        """The message of a hidden check, without what could carry its arguments.

        A word stays if it is the instructor's own and didn't come from the student's process, or if it is short; of
        short words only a few. Everything else becomes an ellipsis: a message may also show a value that the test
        has worked on, which no list of received values would find.

        Args:
            message: What the check said.
            own_words: The literal text that the instructor wrote for this message.
        """
        while self._unread:
            self._read(self._unread.pop())
        if self._overflowed:
            return ""
        message = message[:LONGEST_MESSAGE]
        for text in sorted(self._texts, key=len, reverse=True):
            if len(text) > _SHORT and text in message:
                message = message.replace(text, "…")
        own = set(_WORD.findall(own_words))
        short_words = 0

        def replace(match: re.Match[str]) -> str:
            nonlocal short_words
            if match[0] in own:
                return match[0]
            short_words += 1
            return match[0] if len(match[0]) <= _SHORT and short_words <= _MOST_SHORT_WORDS else "…"

        return re.sub(r"…(\W*…)+", "…", _WORD.sub(replace, message)).strip()
>>>>>>> main
