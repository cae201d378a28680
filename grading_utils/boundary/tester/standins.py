"""Objects of the student's process as a test cell sees them.

A stand-in forwards attribute access, calls, items and iteration; what comes back is data or another stand-in. What it
does where Python looks on the type, and what may decide a check, is in `operators`.

`isinstance(x, nn.Module)` holds where the student's process says so. It may lie, as an object may about its class.
"""

from __future__ import annotations

import inspect
import types
from functools import lru_cache, partial
from typing import Any, Protocol

from grading_utils.boundary.tester import operators
from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.operators import StandInKind, is_stand_in
from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.errors import Limit, Refused
from grading_utils.boundary.wire.kinds import SPECIALS, claimed_class, is_unclaimed, trusted_class, with_constructor
from grading_utils.boundary.wire.messages import Description
from grading_utils.boundary.wire.references import SharedNames

__all__ = ["Link", "StandIn", "is_stand_in", "make_stand_in", "set_path"]

# Asked for on the instance by `inspect`, `functools` or a test, and harmless to answer with the student's data.
_READABLE = frozenset({
    "__dict__", "__annotations__", "__defaults__", "__kwdefaults__", "__wrapped__", "__members__",
    "__abstractmethods__", "__isabstractmethod__", "__match_args__", "__func__", "__self__", "__version__",
    "__all__", "__file__",
})  # fmt: skip


def _is_out_of_reach(name: str) -> bool:
    return name.startswith("__") and name not in _READABLE and name not in SPECIALS and name != "__sklearn_tags__"


class Link(Protocol):
    """What a stand-in asks of the conversation that it came from; see `session.Session`."""

    def operate(
        self, id: int, op: str, arguments: tuple[Any, ...], keywords: dict[str, Any], *, path: str | None = None,
        times: int = 0, each: tuple[int, ...] = (),
    ) -> Any:  # fmt: skip
        """Do something with the student's object; with `times`, call it again and again."""

    def take(self, iterator: Any, count: int) -> bool:
        """Fetch up to `count` more items of an iterator."""

    def describe(self, id: int) -> Description:
        """Name and docstring of the student's object."""

    def signature(self, id: int) -> inspect.Signature | None:
        """Its signature, where it has one."""

    def source(self, path: str) -> Any:
        """Where it is defined in the student's cells."""

    def code(self, path: str) -> types.CodeType | None:
        """The compiled text of the function of that name, which nobody runs here."""

    def may_decide(self, what: str) -> bool:
        """May a method of a student's class decide something in the check that is running? A refusal is noted."""

    def limit(self, sentence: str) -> Limit:
        """Note that a limit of ours was hit; what it returns is to be raised."""

    def hinder(self, name: str, sentence: str) -> None:
        """Note a limit that counts only where the check says `name` itself (or that is empty), and fails."""

    @property
    def shared(self) -> SharedNames:
        """What instructor cells bound in both processes."""

    @property
    def context(self) -> Context:
        """What is known about the check that is running."""


class StandIn(metaclass=StandInKind):
    """An object that lives in the student's process."""

    __slots__ = ("__weakref__", "_boundary_items", "_boundary_link", "_boundary_path", "_boundary_remote")

    def __init__(self, link: Link, remote: nodes.Remote, path: str | None) -> None:
        for name, value in (("link", link), ("remote", remote), ("path", path), ("items", [])):
            object.__setattr__(self, f"_boundary_{name}", value)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        remote = self._boundary_remote
        if remote.kinds and (kind := trusted_class(remote.kinds[0])) is not None and is_unclaimed(kind):
            self._boundary_link.limit(f"a {kind.__name__} of the student's is too large to be sent, or can't be")
        claimed = claimed_class(remote.type_name, remote.kinds, remote.can, self._boundary_link.shared.by_name)
        is_theirs = remote.family and not remote.bases
        return _students_class(claimed, self._boundary_link, remote.family[0].id) if is_theirs else claimed

    @property
    def __bases__(self) -> tuple[type, ...]:
        """For `issubclass`, where the student's object is a class."""
        if not self._boundary_remote.bases:
            raise AttributeError("__bases__")
        found = [trusted_class(base, self._boundary_link.shared.by_name) for base in self._boundary_remote.bases]
        return tuple(dict.fromkeys(base for base in found if base is not None)) or (object,)

    def __mro_entries__(self, _bases: Any) -> tuple[type, ...]:
        raise self._boundary_link.limit("a test makes a subclass of a class that lives in the student's process")

    def __instancecheck__(self, value: object) -> bool:
        if is_stand_in(value):
            return self._boundary_link.operate(self._boundary_remote.id, "isinstance", (value,), {}) is True
        return False

    def __subclasscheck__(self, kind: object) -> bool:
        if is_stand_in(kind):
            return self._boundary_link.operate(self._boundary_remote.id, "issubclass", (kind,), {}) is True
        return False

    @property
    def __code__(self) -> types.CodeType:
        """For `inspect.getsource`, and for tests that look at names and constants: made from the cells' text."""
        code = self._boundary_link.code(self._boundary_path) if self._boundary_path is not None else None
        if not isinstance(code, types.CodeType):
            raise AttributeError("__code__")
        return code

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        return self._boundary_link.describe(self._boundary_remote.id).doc

    @property
    def __signature__(self) -> inspect.Signature:
        signature = self._boundary_link.signature(self._boundary_remote.id)
        if not isinstance(signature, inspect.Signature):
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
        elif _is_out_of_reach(name):
            self._boundary_link.hinder(name, f"a test can't read `{name}` of an object of the student's")
        if _is_out_of_reach(name):
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

    __eq__ = operators.equal
    __ne__ = operators.unequal
    __hash__ = operators.hashed
    __bool__ = operators.truth

    def __repr__(self) -> str:
        return f"<the student's {self._boundary_remote.type_name}>"

    def __copy__(self) -> Any:
        return self._boundary_link.operate(self._boundary_remote.id, "copy", (), {})

    def __deepcopy__(self, memo: object) -> Any:
        return self._boundary_link.operate(self._boundary_remote.id, "deepcopy", (), {})

    def __reduce_ex__(self, protocol: object) -> Any:
        raise self._boundary_link.limit("a test pickles an object that lives in the student's process")


@lru_cache(maxsize=1024)
def _students_class(claimed: type, link: Link, number: int) -> type:
    """What an instance of a class of the student's claims to be of: calling it makes another one, there."""
    return with_constructor(claimed, partial(operators.ask_number, link, number, "__call__"))


def make_stand_in(link: Link, remote: nodes.Remote, path: str | None) -> Any:
    """The stand-in for an object of the student's.

    Args:
        link: The conversation with the process where it lives.
        remote: What that process says about it.
        path: How the test found it: a global name, or attributes of one. Never from the student's process.
    """
    return _stand_in_class(link, remote)(link, remote, path)


def set_path(stand_in: Any, path: str | None) -> None:
    """Note how the test found an object that it already had."""
    object.__setattr__(stand_in, "_boundary_path", path)


def _stand_in_class(link: Link, remote: nodes.Remote) -> Any:
    name = remote.type_name if remote.type_name.isidentifier() else "object"
    is_class = bool(remote.bases)
    origin = (remote.family[0].id if remote.family and not is_class else None, remote.kinds[0] if remote.kinds else "")
    is_plain = tuple(kind for kind in remote.kinds if kind.startswith("builtins:"))
    key = (name, tuple(remote.can), origin, is_plain)
    if key not in _made:
        if len(_made) >= _MOST_KINDS:
            raise Refused("the student's process claims too many kinds of objects")
        about = {"__slots__": (), "__module__": "__main__", "__doc__": StandIn.__dict__["__doc__"]}
        _made[key] = kind = StandInKind(name, (StandIn,), {**about, **operators.methods(key[1], is_plain)})
        kind.origin, kind.shared = origin, link.shared.by_name
    return _made[key]


_made: dict[Any, Any] = {}
_MOST_KINDS = 2000
