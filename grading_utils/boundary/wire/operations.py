"""What one process may ask another to do with an object that lives there, and the doing of it.

Both ends offer the same operations; which of them the tester lets a student's process use is decided in `permits`.
"""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import operator
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


def _plain(value: Any) -> Any:
    """The builtin value inside of an instance of a subclass of list, dict, str, int and the like."""
    base: Any = next((kind for kind in PLAIN if isinstance(value, kind)), None)
    if base is None:
        raise TypeError(f"{type(value).__name__} is no builtin collection or number")
    read = PLAIN[base]
    return read(value) if read is not None else base(base.__iter__(value))


def _fields(value: Any) -> list[tuple[str, Any, Any, bool]]:
    """Name, type, default (`...` where there is none) and whether a default is made, of a dataclass's fields."""
    if not dataclasses.is_dataclass(value):
        return []
    return [
        (field.name, field.type, ... if field.default is dataclasses.MISSING else field.default,
         field.default_factory is not dataclasses.MISSING)
        for field in dataclasses.fields(value)
    ]  # fmt: skip


def _awaited(value: Any) -> Any:
    """What a coroutine or another awaitable gives, run to its end."""

    async def whole() -> Any:
        return await value

    return asyncio.run(whole())


def _assign(owner: Any, name: str, value: Any) -> None:
    """Have an attribute hold what a test has made of it: in place, where that can be done."""
    current = getattr(owner, name)
    if type(current) is list:
        current[:] = value
    elif type(current) in IN_PLACE:
        current.clear()
        current.update(value)


IN_PLACE = (list, dict, set)
"""Types of attributes that a test can change in place."""

PLAIN: dict[type, Callable[[Any], Any] | None] = {
    bool: bool, int: int.__int__, float: float.__float__, str: str.__str__,
    bytes: lambda value: bytes.__getnewargs__(value)[0], dict: lambda value: dict(dict.items(value)),
    list: None, tuple: None, set: None, frozenset: None,
}  # fmt: skip
"""Builtin classes whose subclasses hold a plain value, and how it is read without the subclass's methods."""

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "isinstance": lambda kind, value: isinstance(value, kind),
    "issubclass": lambda kind, other: issubclass(other, kind),
    "dir": dir,
    "assign": _assign,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "plain": _plain,
    "fields": _fields,
    "__await__": _awaited,
    "__bool__": bool,
    "__hash__": hash,
    "__format__": format,
    "__contains__": operator.contains,
    "__reversed__": reversed,
    "__iter__": iter,
    "__next__": next,
    "__len__": len,
    "__str__": str,
    "__repr__": repr,
}
