"""What a test gets for an object of the student's that is no data: a stand-in, or for exceptions a real class.

Python lets only real classes be raised and caught, so a student's exception class has one here, with the same name
and family; its instances carry the text and the arguments of the original, and ask there for anything else.
"""

from __future__ import annotations

import sys
from typing import Any

from grading_utils.boundary.tester import standins
from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.kinds import SharedClasses, trusted_class
from grading_utils.boundary.wire.raised import ENDS_OF_ITERATION

_ROOT = "builtins:BaseException"


class ExceptionKind(type):
    """The class of the classes that stand for a student's exception classes."""

    _boundary_link: standins.Link
    _boundary_id: int

    @property
    def __doc__(cls) -> Any:  # type: ignore[override]
        """What the student's class says about itself."""
        return cls._boundary_link.describe(cls._boundary_id).doc if "_boundary_id" in vars(cls) else None

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        """Make an instance: of the student's class in the student's process, of a test's subclass here."""
        if "_boundary_id" not in vars(cls):  # a subclass that the test has made
            return super().__call__(*arguments, **keywords)
        return cls._boundary_link.operate(cls._boundary_id, "__call__", arguments, keywords)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_") or "_boundary_id" not in vars(cls):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return cls._boundary_link.operate(cls._boundary_id, "getattr", (name,), {})


def _attribute(self: Any, name: str) -> Any:
    number = vars(self).get("_boundary_number")
    if name.startswith("_") or number is None:
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    return self._boundary_link.operate(number, "getattr", (name,), {})


def _text(self: Any) -> str:
    text, number = vars(self).get("_boundary_text"), vars(self).get("_boundary_number")
    if text is None and number is not None:  # made by the test, and never raised
        text = self._boundary_link.operate(number, "__str__", (), {})
    return text if isinstance(text, str) else BaseException.__str__(self)


def _read_arguments(self: Any) -> tuple[Any, ...]:
    number = vars(self).get("_boundary_number")
    if "_boundary_text" not in vars(self) and number is not None:
        found = self._boundary_link.operate(number, "getattr", ("args",), {})
        return found if isinstance(found, tuple) else ()
    return BaseException.args.__get__(self)  # type: ignore[attr-defined,no-any-return]


_ARGUMENTS = property(_read_arguments, lambda self, given: BaseException.args.__set__(self, given))  # type: ignore[attr-defined]


def reference(value: object, link: object) -> int | None:
    """The number of the original of an exception or of its class; None for anything else, and for another link's."""
    if isinstance(value, ExceptionKind):
        return vars(value).get("_boundary_id") if value._boundary_link is link else None
    if isinstance(type(value), ExceptionKind):
        own: Any = value
        return vars(own).get("_boundary_number") if own._boundary_link is link else None
    return None


class Likenesses:
    """All stand-ins and exceptions of one conversation: one for each object of the student's.

    Args:
        link: The conversation.
    """

    def __init__(self, link: standins.Link) -> None:
        self._link = link
        self._stand_ins: dict[int, dict[str | None, Any]] = {}
        self._kinds: dict[object, type] = {}
        self._errors: dict[int, Exception] = {}

    def of(self, remote: nodes.Remote, path: str | None) -> Any:
        """What stands for an object; another one only where the test finds it under a second name.

        Args:
            remote: What the student's process says about it.
            path: How the test found it: a global name, or attributes of one. Never from the student's process.
        """
        if remote.family and _ROOT in remote.bases:
            return self._kind(remote.family, remote.bases)
        if _ROOT in remote.kinds and (error := self._error(remote)) is not None:
            return error
        known = self._stand_ins.setdefault(remote.id, {})
        if path in known or (path is None and known):
            return known[path] if path in known else next(iter(known.values()))
        if None in known:
            known[path] = known.pop(None)
            standins.set_path(known[path], path)
        else:
            known[path] = standins.make_stand_in(self._link, remote, path)
        return known[path]

    def kinds_of(self, number: int) -> list[str]:
        """Qualified names of the classes that an object is said to have; none where it is no stand-in."""
        stand_ins = self._stand_ins.get(number, {}).values()
        return next((stand_in._boundary_remote.kinds for stand_in in stand_ins), [])

    def _kind(self, family: list[nodes.Kin], names: list[str]) -> type:
        """The class for a family, or, where no student wrote any of it, a subclass of what the tester has too."""
        root = _root(names, self._link.shared.by_name)
        key = family[0].id if family else root
        if key not in self._kinds:
            about = {
                "_boundary_link": self._link,
                "__module__": "__main__",
                "__getattr__": _attribute,
                "__str__": _text,
                "args": _ARGUMENTS,
            }
            base, name = root, root.__name__
            if family:
                about["_boundary_id"] = family[0].id
                base = self._kind(family[1:], names) if len(family) > 1 else root
                name = family[0].name if family[0].name.isidentifier() else "Error"
            self._kinds[key] = ExceptionKind(name, (base,), about)
        return self._kinds[key]

    def _error(self, remote: nodes.Remote) -> Exception | None:
        if remote.id not in self._errors:
            kind: Any = self._kind(remote.family, remote.kinds)
            error = kind.__new__(kind)
            if not isinstance(error, Exception):
                return None
            vars(error)["_boundary_number"] = remote.id
            self._errors[remote.id] = error
        return self._errors[remote.id]


def _root(names: list[str], shared: SharedClasses) -> type[Exception]:
    """The nearest class among these that the tester has too, and that can be raised here without ending anything."""
    for name in names:
        kind = trusted_class(name, shared)
        if kind is not None and issubclass(kind, Exception) and not issubclass(kind, _orders()):
            return kind
    return Exception


def _orders() -> tuple[type, ...]:
    """Classes that tell Python's own machinery to stop quietly, as `unittest` does where a test case is skipped."""
    unittest = sys.modules.get("unittest.case")
    quiet = (unittest.SkipTest, unittest._ShouldStop) if unittest is not None else ()
    return (BaseExceptionGroup, *ENDS_OF_ITERATION, *quiet)
