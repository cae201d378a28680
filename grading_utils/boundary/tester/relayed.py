"""What a test listens to: what student code prints and warns of, and what it calls in place of some builtins."""

from __future__ import annotations

import builtins
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.wire.errors import Refused

_PATCHED = ("print", "input")


def builtins_now() -> dict[str, Callable[..., Any]]:
    """The builtins that student code calls, too, where a test has replaced them."""
    return {name: getattr(builtins, name) for name in _PATCHED}


def printed(stdout: str, stderr: str, context: Context) -> None:
    """Give printed text to a test that has redirected the streams; otherwise it is dropped."""
    for text, stream in ((stdout, sys.stdout), (stderr, sys.stderr)):
        if text and stream is not context.cell_stdout and not hasattr(stream, "drops_student_text"):
            stream.write(text)


def warnings_given(warned: Iterable[Exception], context: Context) -> None:
    """Warn of what student code has warned of; what the test has made of warnings decides what becomes of that.

    Raises:
        Refused: One of these is no warning.
        Warning: The test has made errors of them.
    """
    for warning in warned:
        if not isinstance(warning, Warning):
            raise Refused("the student's process gave a warning that is none")
        context.received.error(warning, [])
        warnings.warn(warning, stacklevel=2)
