"""Pyplot as the student's process has it, for tests that look at figures which student code has drawn or is to draw.

Only in checks whose solution needs it. Pyplot's functions then run there: `plt.gca()` is what the student's code has
left as the current axes, and axes that the test makes can be handed to the student's functions. What comes back is a
stand-in, and what it says of itself is believed, as of any object of the student's.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import types
from collections.abc import Callable, Iterator
from typing import Any

from grading_utils.boundary.tester.held import Held
from grading_utils.boundary.tester.session import Session
from grading_utils.jobs import Cell

_PYPLOT = "matplotlib.pyplot"


@contextlib.contextmanager
def students_figures(session: Session | Held, cell: Cell) -> Iterator[None]:
    """Let pyplot's functions run in the student's process meanwhile, where the check may have that."""
    if not cell.rights.figures or not isinstance(session, Session):
        yield
        return
    pyplot = importlib.import_module(_PYPLOT)
    own = {
        name: function
        for name, function in vars(pyplot).items()
        if type(function) is types.FunctionType and function.__module__ == _PYPLOT and not name.startswith("_")
    }
    for name, function in own.items():
        setattr(pyplot, name, _there(session, name, function))
    try:
        yield
    finally:
        for name, function in own.items():
            setattr(pyplot, name, function)


def _there(session: Session, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        return session.borrow(_PYPLOT, name)(*arguments, **keywords)

    return call
