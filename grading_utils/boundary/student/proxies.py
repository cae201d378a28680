"""Objects of one process as they appear in the other: attribute access, calls and items are forwarded.

`Proxy` is what student code sees of the tester's own functions and instances. The tester's counterpart, which has more
to refuse, is in `standins`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.kinds import SPECIALS, claimed_class
from grading_utils.boundary.wire.references import SharedNames

TOLD = ("__name__", "__qualname__", "__doc__")
"""What a decorator of the student's takes over from a test's function."""


class Link(Protocol):
    """The way to the process where an object lives."""

    @property
    def shared(self) -> SharedNames:
        """What instructor cells bound in both processes."""

    def operate(self, id: int, op: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Do something with object number `id` there, and bring back what it gives."""


class Proxy:
    """An object that lives in the tester's process."""

    __slots__ = ("_boundary_link", "_boundary_remote")

    def __init__(self, link: Link, remote: nodes.Remote) -> None:
        object.__setattr__(self, "_boundary_link", link)
        object.__setattr__(self, "_boundary_remote", remote)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        remote = self._boundary_remote
        return claimed_class(remote.type_name, remote.kinds, remote.can, self._boundary_link.shared.by_name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and not (name in TOLD and "__call__" in self._boundary_remote.can):
            raise AttributeError(f"{self._boundary_remote.type_name!r} object has no attribute {name!r}")
        return self._boundary_link.operate(self._boundary_remote.id, "getattr", (name,), {})

    def __setattr__(self, name: str, value: Any) -> None:
        self._boundary_link.operate(self._boundary_remote.id, "setattr", (name, value), {})


def make_proxy(link: Link, remote: nodes.Remote) -> Proxy:
    """What student code gets for an object of the tester's."""
    proxy: Proxy = proxy_class(Proxy, remote.type_name, tuple(remote.can))(link, remote)
    return proxy


@lru_cache(maxsize=1024)
def proxy_class(base: type, name: str, can: tuple[str, ...]) -> Any:
    """A subclass of `base` which has those of the operations `can` that Python looks up on the type."""
    methods = {special: _forward(special) for special in can if special in SPECIALS}
    about = {"__doc__": property(lambda self: self.__getattr__("__doc__"))}
    return type(name, (base,), {"__slots__": (), **about, **methods})


def _forward(special: str) -> Callable[..., Any]:
    def method(self: Any, /, *arguments: Any, **keywords: Any) -> Any:
        return self._boundary_link.operate(self._boundary_remote.id, special, arguments, keywords)

    method.__name__ = special
    return method
