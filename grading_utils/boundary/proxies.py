"""Objects of one process as they appear in the other: attribute access, calls and items are forwarded.

`Proxy` is what student code sees of the tester's own functions and instances. The tester's counterpart, which has more
to refuse, is in `standins`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from grading_utils.boundary import wire
from grading_utils.boundary.kinds import SPECIALS, claimed_class


class Link(Protocol):
    """The way to the process where an object lives."""

    def operate(self, id: int, op: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Do something with object number `id` there, and bring back what it gives."""


class Proxy:
    """An object that lives in the tester's process."""

    __slots__ = ("_boundary_link", "_boundary_remote")

    def __init__(self, link: Link, remote: wire.Remote) -> None:
        object.__setattr__(self, "_boundary_link", link)
        object.__setattr__(self, "_boundary_remote", remote)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        remote = self._boundary_remote
        return claimed_class(remote.type_name, remote.kinds, remote.can)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"{self._boundary_remote.type_name!r} object has no attribute {name!r}")
        return self._boundary_link.operate(self._boundary_remote.id, "getattr", (name,), {})

    def __setattr__(self, name: str, value: Any) -> None:
        self._boundary_link.operate(self._boundary_remote.id, "setattr", (name, value), {})


def make_proxy(link: Link, remote: wire.Remote) -> Proxy:
    """What student code gets for an object of the tester's."""
    proxy: Proxy = proxy_class(Proxy, remote.type_name, tuple(remote.can))(link, remote)
    return proxy


@lru_cache(maxsize=1024)
def proxy_class(base: type, name: str, can: tuple[str, ...]) -> Any:
    """A subclass of `base` which has those of the operations `can` that Python looks up on the type."""
    methods = {special: _forward(special) for special in can if special in SPECIALS}
    return type(name, (base,), {"__slots__": (), **methods})


def _forward(special: str) -> Callable[..., Any]:
    def method(self: Any, /, *arguments: Any, **keywords: Any) -> Any:
        return self._boundary_link.operate(self._boundary_remote.id, special, arguments, keywords)

    method.__name__ = special
    return method


def perform(target: Any, op: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    """Do what `Link.operate` asked, in the process where the object lives."""
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
