"""What Python looks up on the type of a stand-in: calls, items, iteration, text, and the operators that decide.

What only gives a value (a call, an item, `len`, `float`, `str`) is asked of the student's process. What could decide
a check, because it is handed the expected value or is taken for a verdict (`==`, `<`, `in`, truth, hash, arithmetic
with the test's own values), is asked there only in a check whose solution needs it. Elsewhere it is settled here:
an instance of a subclass of `list`, `str`, `int` and the like by its plain value, any other by identity; and where
the student's class would have had a say, that is noted as a limit of ours.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterator
from typing import Any

from grading_utils.boundary.tester.fields import dataclass_fields
from grading_utils.boundary.wire.errors import Limit
from grading_utils.boundary.wire.kinds import FIELDS, SPECIALS, SharedClasses, trusted_class

MAX_ITEMS = 1_000_000
"""Items that one loop over a stand-in may take."""

_BUILTIN = (bool, int, float, str, bytes, list, tuple, dict, set, frozenset)
_PLAIN_KINDS = frozenset(f"builtins:{kind.__name__}" for kind in _BUILTIN)
_ORDER = ("__lt__", "__le__", "__gt__", "__ge__")


class StandInKind(type):
    """The class of all classes of stand-ins; `type(a) == Account` holds where `Account` is the student's class."""

    origin: tuple[int | None, str] = (None, "")
    """Number of the student's class that its instances have, and the qualified name of that class."""
    shared: SharedClasses | None = None

    def __eq__(cls, other: object) -> bool:
        if is_stand_in(other):
            stand_in: Any = other
            return bool(stand_in._boundary_remote.bases) and stand_in._boundary_remote.id == cls.origin[0]
        return cls is other or (type(other) is type and trusted_class(cls.origin[1], cls.shared) is other)

    def __hash__(cls) -> int:
        return type.__hash__(cls)


def is_stand_in(value: object) -> bool:
    """Is it a stand-in? `isinstance` can't tell, because a stand-in claims its original's class."""
    return type(type(value)) is StandInKind


def is_same(one: Any, other: Any) -> bool:
    """Do both stand for the same object?"""
    return (
        is_stand_in(other)
        and other._boundary_link is one._boundary_link
        and other._boundary_remote.id == one._boundary_remote.id
    )


def ask(stand_in: Any, name: str, *arguments: Any, **keywords: Any) -> Any:
    """Have an operation done in the student's process."""
    return stand_in._boundary_link.operate(stand_in._boundary_remote.id, name, arguments, keywords)


def ask_number(link: Any, number: int, name: str, *arguments: Any, **keywords: Any) -> Any:
    """The same for an object of which only the number is known."""
    return link.operate(number, name, arguments, keywords)


def _may(stand_in: Any, name: str) -> bool:
    """Is there such an operation of the student's class, and may it decide here?"""
    remote = stand_in._boundary_remote
    kind = remote.type_name if remote.type_name.isidentifier() else "object"
    return name in remote.can and stand_in._boundary_link.may_decide(f"{kind}.{name}")


def _is_plain(stand_in: Any) -> bool:
    return not _PLAIN_KINDS.isdisjoint(stand_in._boundary_remote.kinds)


def plain(value: Any) -> Any:
    """The builtin value of an instance of a subclass of a builtin class; anything else as it is."""
    if not (is_stand_in(value) and _is_plain(value)):
        return value
    found = ask(value, "plain")
    if not any(type(found) is kind for kind in _BUILTIN):  # `in` would ask a stand-in's class
        raise value._boundary_link.limit(f"a {value._boundary_remote.type_name} is too large to be sent")
    return found


# --- what decides ---


def equal(self: Any, other: Any) -> Any:
    """`==`."""
    if is_same(self, other):
        return True
    if isinstance(other, type) and type(other) is StandInKind:
        return NotImplemented  # a class of stand-ins knows
    if _may(self, "__eq__"):
        return ask(self, "__eq__", other)
    return plain(self) == plain(other) if _is_plain(self) else False


def unequal(self: Any, other: Any) -> Any:
    """`!=`."""
    if _may(self, "__ne__"):
        return ask(self, "__ne__", other)
    result = equal(self, other)
    return result if result is NotImplemented else not result


def hashed(self: Any) -> int:
    """`hash`."""
    if _may(self, "__hash__"):
        number = ask(self, "__hash__")
        if type(number) is int:
            return hash(number)
    return hash(plain(self)) if _is_plain(self) else hash((id(self._boundary_link), self._boundary_remote.id))


def truth(self: Any) -> bool:
    """`bool`."""
    can = self._boundary_remote.can
    if _is_plain(self) and "__bool__" not in can:
        return bool(plain(self))
    return ask(self, "__bool__") is True if _may(self, "__bool__" if "__bool__" in can else "__len__") else True


def _ordered(name: str) -> Callable[..., Any]:
    compare: Callable[[Any, Any], Any] = getattr(operator, name)

    def method(self: Any, other: Any) -> Any:
        if _may(self, name):
            return ask(self, name, other)
        return compare(plain(self), plain(other)) if _is_plain(self) else NotImplemented

    return method


def _contains(self: Any, wanted: Any) -> bool:
    if _may(self, "__contains__"):
        return ask(self, "__contains__", wanted) is True
    can = self._boundary_remote.can
    if "__iter__" not in can and "__getitem__" not in can:
        raise TypeError(f"argument of type {self._boundary_remote.type_name!r} is not iterable")
    return any(item is wanted or item == wanted for item in iter(self))


def _arithmetic(name: str) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return ask(self, name, other) if is_stand_in(other) or _may(self, name) else NotImplemented

    return method


def _leave(self: Any, kind: Any, error: Any, _trace: Any) -> bool:
    """`__exit__`: the student's object hears of the error, and may keep it to itself only where it may decide."""
    swallows = ask(self, "__exit__", kind, error, None)
    if error is None or not swallows:
        return False
    return _may(self, "__exit__") and not isinstance(error, AssertionError)


# --- what gives a value ---


def _forwarded(name: str) -> Callable[..., Any]:
    return lambda self, /, *arguments, **keywords: ask(self, name, *arguments, **keywords)


def _text(name: str) -> Callable[..., Any]:
    def method(self: Any, *arguments: Any) -> str:
        text = ask(self, name, *arguments)
        return text if isinstance(text, str) else object.__repr__(self)

    return method


def _length(self: Any) -> int:
    length = ask(self, "__len__")
    if type(length) is not int or length < 0:
        raise TypeError("__len__() gave no length")
    return length


def _item(self: Any, key: Any) -> Any:
    return ask(self, "__getitem__", key)


def _iterate(self: Any) -> Iterator[Any]:
    """A fresh iterator over a container of the student's, or over the rest of one that `next` has begun."""
    iterator = ask(self, "__iter__")
    if not is_stand_in(iterator):
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
    too_long = f"an iterator of the student's gave more than {MAX_ITEMS} items"
    iterator._boundary_link.hinder("", too_long)
    raise Limit(too_long)


def _reverse(self: Any) -> Iterator[Any]:
    return _bounded(ask(self, "__reversed__"))


def _next(self: Any) -> Any:
    if not self._boundary_items and not self._boundary_link.take(self, 1):
        raise StopIteration
    return self._boundary_items.pop(0)


def _await(self: Any) -> Generator[None, None, Any]:
    """`await`: the student's coroutine runs to its end there, in one go."""
    yield from ()
    return ask(self, "__await__")


def _send(self: Any, _value: Any) -> Any:
    """What an event loop of the test's does with a coroutine."""
    raise StopIteration(ask(self, "__await__"))


_UNARY = SPECIALS[SPECIALS.index("__abs__") : SPECIALS.index("__str__")]
_BINARY = SPECIALS[SPECIALS.index("__add__") :]
_METHODS: dict[str, Any] = {
    **{name: _forwarded(name) for name in ("__call__", "__setitem__", "__delitem__", "__enter__", *_UNARY)},
    **{name: _arithmetic(name) for name in _BINARY},
    **{name: _ordered(name) for name in _ORDER},
    **{name: _text(name) for name in ("__str__", "__repr__", "__format__")},
    "__len__": _length,
    "__getitem__": _item,
    "__next__": _next,
    "__reversed__": _reverse,
    "__exit__": _leave,
    "__await__": _await,
}


def methods(can: tuple[str, ...], kinds: tuple[str, ...]) -> dict[str, Any]:
    """The special methods of a class of stand-ins.

    Args:
        can: The operations that the original's type has.
        kinds: Qualified names of the original's classes.
    """
    found = {special: _METHODS[special] for special in can if special in _METHODS}
    if not {"__iter__", "__getitem__", "__contains__"}.isdisjoint(can):
        found["__contains__"] = _contains
    if "__iter__" in can:
        found["__iter__"] = _bounded if "__next__" in can else _iterate
    if not _PLAIN_KINDS.isdisjoint(kinds):
        found |= {name: _ordered(name) for name in _ORDER}
    if FIELDS in can:
        found[FIELDS] = property(dataclass_fields)
    if "builtins:coroutine" in kinds:
        found |= {"send": _send, "throw": _send, "close": lambda _: None}
    return found
