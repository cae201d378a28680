"""Tells exceptions of our own machinery from those of a test and of a student.

Two nets. `guarded` is around what a conversation offers to stand-ins: whatever comes out of it that is neither the
student's exception nor one that `guarded` knows is recorded, so that a test which catches it can't take it for an
answer. `is_ours` looks at an exception that has ended a check: at where it came from.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.wire.errors import BoundaryError, Fault, Limit

_ROOM = str(Path(__file__).parent.parent)
_PLANNED = (Limit, RecursionError, MemoryError, TypeError, AttributeError, ValueError, NameError, StopIteration)
"""What stand-ins raise on purpose, as Python's protocols ask them to; the same from elsewhere passes `guarded` not."""

Method = TypeVar("Method", bound=Callable[..., Any])


def guarded(method: Method) -> Method:
    """A method of an object with a `context`, which turns what was not planned into a `Fault`.

    Planned are a broken conversation, a limit, a recursion that is too deep, and what student code has raised.
    """

    @wraps(method)
    def guard(self: Any, *arguments: Any, **keywords: Any) -> Any:
        try:
            return method(self, *arguments, **keywords)
        except (BoundaryError, Limit, RecursionError, MemoryError):
            raise
        except Exception as error:
            context: Context = self.context
            if context.received.frames_of(error) is not None:
                raise
            context.faults.append(error)
            raise Fault(f"{type(error).__name__}: {error}") from error

    return guard  # type: ignore[return-value]


def is_ours(error: BaseException, test: str) -> bool:
    """Does an exception come from our code, and was not planned there?

    Args:
        error: What has ended a check.
        test: The file name of the check's own text.
    """
    if isinstance(error, BoundaryError):
        return isinstance(error, Fault)
    if isinstance(error, _PLANNED) and not isinstance(error, LookupError):
        return False
    frames = [(frame.filename, frame.name) for frame in traceback.extract_tb(error.__traceback__)]
    known = [(name, function) for name, function in frames if name == test or name.startswith(_ROOM)]
    if not known or known[-1][0] == test or known[-1][1] == "__missing__":  # a test asks `globals()` for a name
        return False
    return any(name == test for name, _ in frames) or known[-1][1] != "_execute"
