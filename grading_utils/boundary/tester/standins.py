"""Objects of the student's process as a test cell sees them.

A stand-in forwards attribute access, calls, items and iteration; what comes back is data or another stand-in. It
never lets student code decide a verdict: comparing it with data is False, whatever its class says; it is true; it
has no order; `in` looks at its items here; and arithmetic is forwarded only between stand-ins, because a subtraction
that is handed the expected value could answer 0 each time.

`isinstance(x, nn.Module)` holds where the student's process says so. It may lie, as an object may about its class.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Protocol

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.errors import BoundaryError, StudentError
from grading_utils.boundary.wire.kinds import SPECIALS, claimed_class, trusted_class
from grading_utils.boundary.wire.messages import Description

MAX_ITEMS = 1_000_000
"""Items that one loop over a stand-in may take."""

_PLAIN = ("__call__", "__next__", "__setitem__", "__delitem__", "__enter__", "__exit__")
_UNARY = SPECIALS[SPECIALS.index("__abs__") : SPECIALS.index("__str__")]
_BINARY = tuple(name for name in SPECIALS[SPECIALS.index("__add__") :])
# Asked for on the instance by `inspect`, `functools` or a test, and harmless to answer with the student's data.
_READABLE = frozenset({"__dict__", "__annotations__", "__defaults__", "__kwdefaults__", "__wrapped__", "__members__"})


class Link(Protocol):
    """What a stand-in asks of the conversation that it came from; see `session.Session`."""

    def operate(
        self, id: int, op: str, arguments: tuple[Any, ...], keywords: dict[str, Any], *, path: str | None = None
    ) -> Any:
        """Do something with the student's object."""

    def take(self, iterator: Any, count: int) -> bool:
        """Fetch up to `count` more items of an iterator."""

    def describe(self, id: int) -> Description:
        """Name and docstring of the student's object."""

    def signature(self, id: int) -> inspect.Signature | None:
        """Its signature, where it has one."""

    def source(self, path: str) -> Any:
        """Where it is defined in the student's cells."""


class StandIn:
    """An object that lives in the student's process."""

    __slots__ = ("__weakref__", "_boundary_items", "_boundary_link", "_boundary_path", "_boundary_remote")

    _boundary_link: Link
    _boundary_remote: nodes.Remote
    _boundary_path: str | None
    _boundary_items: list[Any]

    def __init__(self, link: Link, remote: nodes.Remote, path: str | None) -> None:
        for name, value in (("link", link), ("remote", remote), ("path", path), ("items", [])):
            object.__setattr__(self, f"_boundary_{name}", value)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        remote = self._boundary_remote
        return claimed_class(remote.type_name, remote.kinds, remote.can)

    @property
    def __bases__(self) -> tuple[type, ...]:
        """For `issubclass`, where the student's object is a class."""
        if not self._boundary_remote.bases:
            raise AttributeError("__bases__")
        found = [trusted_class(base) for base in self._boundary_remote.bases]
        return tuple(dict.fromkeys(base for base in found if base is not None)) or (object,)

    def __instancecheck__(self, value: object) -> bool:
        if type(value) in _classes:
            return self._boundary_link.operate(self._boundary_remote.id, "isinstance", (value,), {}) is True
        return False

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        return self._boundary_link.describe(self._boundary_remote.id).doc

    @property
    def __signature__(self) -> inspect.Signature:
        signature = self._boundary_link.signature(self._boundary_remote.id)
        if signature is None:
            raise ValueError("no signature found")
        return signature

    @property
    def __student_source__(self) -> Any:
        """What `check_global_vars` reads: the cells' text, and where this object was found by the test."""
        if self._boundary_path is None:
            raise AttributeError("__student_source__")
        return self._boundary_link.source(self._boundary_path)

    def __getattr__(self, name: str) -> Any:
        if name in ("__name__", "__qualname__"):
            said = getattr(self._boundary_link.describe(self._boundary_remote.id), name.strip("_"))
            if said is not None:
                return said
        if name.startswith("__") and name not in _READABLE and name not in SPECIALS:
            raise AttributeError(f"{self._boundary_remote.type_name!r} object has no attribute {name!r}")
        path = None if self._boundary_path is None else f"{self._boundary_path}.{name}"
        return self._boundary_link.operate(self._boundary_remote.id, "getattr", (name,), {}, path=path)

    def __setattr__(self, name: str, value: Any) -> None:
        self._boundary_link.operate(self._boundary_remote.id, "setattr", (name, value), {})

    def __delattr__(self, name: str) -> None:
        self._boundary_link.operate(self._boundary_remote.id, "delattr", (name,), {})

    def __dir__(self) -> list[str]:
        names = self._boundary_link.operate(self._boundary_remote.id, "dir", (), {})
        return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []

    def __eq__(self, other: object) -> bool:
        return _is_same(self, other)

    def __hash__(self) -> int:
        return hash((id(self._boundary_link), self._boundary_remote.id))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<the student's {self._boundary_remote.type_name}>"

    def __copy__(self) -> StandIn:
        return self

    def __deepcopy__(self, memo: object) -> StandIn:
        raise TypeError(f"{self!r} can't be copied; copy it in the notebook")

    def __reduce_ex__(self, protocol: object) -> Any:
        raise TypeError(f"{self!r} can't be pickled")


def _is_same(one: Any, other: Any) -> bool:
    return (
        type(other) in _classes
        and other._boundary_link is one._boundary_link
        and other._boundary_remote.id == one._boundary_remote.id
    )


def _operation(name: str) -> Any:
    def method(self: Any, /, *arguments: Any, **keywords: Any) -> Any:
        return self._boundary_link.operate(self._boundary_remote.id, name, arguments, keywords)

    return method


def _binary(name: str) -> Any:
    def method(self: Any, other: Any) -> Any:
        if type(other) not in _classes:
            return NotImplemented
        return self._boundary_link.operate(self._boundary_remote.id, name, (other,), {})

    return method


def _text(name: str) -> Any:
    def method(self: Any) -> str:
        text = self._boundary_link.operate(self._boundary_remote.id, name, (), {})
        return text if isinstance(text, str) else StandIn.__repr__(self)

    return method


def _length(self: Any) -> int:
    length = self._boundary_link.operate(self._boundary_remote.id, "__len__", (), {})
    if type(length) is not int or length < 0:
        raise TypeError("__len__() gave no length")
    return length


def _item(self: Any, key: Any) -> Any:
    return self._boundary_link.operate(self._boundary_remote.id, "__getitem__", (key,), {})


def _iterate(self: Any) -> Iterator[Any]:
    """A fresh iterator over a container of the student's, or over the rest of one that `next` has begun."""
    iterator = self._boundary_link.operate(self._boundary_remote.id, "__iter__", (), {})
    if type(iterator) not in _classes:
        raise TypeError(f"iter() gave no iterator but {type(iterator).__name__}")
    return _bounded(iterator)


def _bounded(iterator: Any) -> Iterator[Any]:
    size = 1
    for count in range(MAX_ITEMS):
        if not iterator._boundary_items:
            if not iterator._boundary_link.take(iterator, size):
                return
            size = min(size * 2, 64) if count >= 4 else 1
        yield iterator._boundary_items.pop(0)
    raise StudentError(f"the iterator gave more than {MAX_ITEMS} items")


def _next(self: Any) -> Any:
    if not self._boundary_items and not self._boundary_link.take(self, 1):
        raise StopIteration
    return self._boundary_items.pop(0)


def _contains(self: Any, wanted: Any) -> bool:
    return any(item is wanted or item == wanted for item in iter(self))


_METHODS: dict[str, Any] = {
    **{name: _operation(name) for name in (*_PLAIN, *_UNARY)},
    **{name: _binary(name) for name in _BINARY},
    "__str__": _text("__str__"),
    "__repr__": _text("__repr__"),
    "__len__": _length,
    "__getitem__": _item,
    "__next__": _next,
}
_classes: set[type] = set()


def is_stand_in(value: object) -> bool:
    """Is it a stand-in? `isinstance` can't tell, because a stand-in claims its original's class."""
    return type(value) in _classes


def make_stand_in(link: Link, remote: nodes.Remote, path: str | None) -> Any:
    """The stand-in for an object of the student's.

    Args:
        link: The conversation with the process where it lives.
        remote: What that process says about it.
        path: How the test found it: a global name, or attributes of one. Never from the student's process.
    """
    kind = _stand_in_class(remote.type_name, tuple(remote.can))
    return kind(link, remote, path)


def set_path(stand_in: Any, path: str | None) -> None:
    """Note how the test found an object that it already had."""
    object.__setattr__(stand_in, "_boundary_path", path)


def _stand_in_class(name: str, can: tuple[str, ...]) -> Any:
    methods = {special: _METHODS[special] for special in can if special in _METHODS}
    if "__iter__" in can or "__getitem__" in can:
        methods["__contains__"] = _contains
    if "__iter__" in can:
        methods["__iter__"] = _bounded if "__next__" in can else _iterate
    name = name if name.isidentifier() else "object"
    key = (name, can)
    if key not in _made:
        if len(_made) >= _MOST_KINDS:
            raise BoundaryError("the student's process claims too many kinds of objects")
        about = {"__slots__": (), "__module__": "__main__", "__doc__": StandIn.__dict__["__doc__"]}
        _made[key] = type(name, (StandIn,), {**about, **methods})
        _classes.add(_made[key])
    return _made[key]


_made: dict[tuple[str, tuple[str, ...]], Any] = {}
_MOST_KINDS = 2000
