"""What one process may ask another to do with an object that lives there, and the doing of it.

Both ends offer the same operations; which of them the tester lets a student's process use is decided in `permits`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grading_utils.boundary.wire.kinds import SPECIALS


def perform(target: Any, op: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Do what the other end's `operate` asked, in the process where the object lives.

    Raises:
        TypeError: There is no such operation; the object's own exceptions come as they are.
    """
    if op == "__call__":
        return target(*arguments, **keywords)
    if op in _FUNCTIONS:
        return _FUNCTIONS[op](target, *arguments)
    if op in SPECIALS:
        return getattr(type(target), op)(target, *arguments, **keywords)
    raise TypeError(f"no such operation: {op[:50]}")


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "isinstance": lambda kind, value: isinstance(value, kind),
    "dir": dir,
    "__iter__": iter,
    "__next__": next,
    "__len__": len,
    "__str__": str,
    "__repr__": repr,
}
