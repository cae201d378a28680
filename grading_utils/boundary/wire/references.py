"""References to objects that are no data, and what reading and writing values asks of the process that they live in."""

from __future__ import annotations

from typing import Any, Protocol

from grading_utils.boundary.wire import kinds, nodes
from grading_utils.boundary.wire.errors import BoundaryError, Refused


class TooLarge(Exception):
    """A value doesn't fit in one message."""


class Objects:
    """The objects of one process for which the other holds references, by number."""

    LIMIT = 200_000

    def __init__(self) -> None:
        self._by_id: list[object] = []
        self._ids: dict[int, int] = {}

    def add(self, value: object) -> int:
        """The number of an object, the same each time; keeps it alive."""
        known = self._ids.get(id(value))
        if known is not None:
            return known
        if len(self._by_id) >= self.LIMIT:
            raise TooLarge(f"more than {self.LIMIT} objects are referred to")
        self._by_id.append(value)
        self._ids[id(value)] = len(self._by_id) - 1
        return len(self._by_id) - 1

    def __getitem__(self, number: int) -> object:
        if not 0 <= number < len(self._by_id):
            raise BoundaryError(f"a reference to object {number}, which was never sent")
        return self._by_id[number]


class SharedNames:
    """Objects that instructor cells bound to a name, the same ones in every process forked from the warm one."""

    def __init__(self) -> None:
        self._by_name: dict[str, object] = {}
        self._names: dict[int, str] = {}

    def register(self, name: str, value: object) -> None:
        """Remember what `name` was bound to; later rebinding by a student changes nothing here."""
        self._by_name[name] = value
        self._names[id(value)] = name

    def name_of(self, value: object) -> str | None:
        """The name of a registered object; None for any other."""
        name = self._names.get(id(value))
        return name if name is not None and self._by_name.get(name) is value else None

    @property
    def by_name(self) -> dict[str, object]:
        """Everything that is registered."""
        return self._by_name

    def __getitem__(self, name: str) -> object:
        if name not in self._by_name:
            raise Refused(f"{name!r} was not bound by an instructor's cell")
        return self._by_name[name]


class Stand(Protocol):
    """What an encoder and a decoder need to know about objects that aren't data."""

    def refer(self, value: object) -> nodes.Value:
        """The node for an object that stays here, or that came from the other side."""

    def resolve(self, node: nodes.Remote | nodes.Own | nodes.Shared) -> object:
        """The object that such a node means on this side."""

    def member(self, value: Any) -> Any:
        """Take note that a value is an attribute of something; returns it."""

    def library(self, module: str, name: str) -> object:
        """What a `Named` node outside the fixed table means; raises `Refused`."""


class Writer(Protocol):
    """The part of `codec.Encoder` with which the values of libraries are written."""

    def node(self, value: Any) -> nodes.Value:
        """The node for a value inside of the one that is being written."""

    def all(self, values: Any) -> list[nodes.Value]:
        """The nodes of several values."""

    def add_bulk(self, data: bytes) -> tuple[int, int]:
        """Put bytes beside the structure; returns where they are."""


class Reader(Protocol):
    """The part of `codec.Decoder` with which the values of libraries are read."""

    def read(self, node: nodes.Value) -> Any:
        """The object that a node describes."""

    def all(self, several: list[nodes.Value]) -> list[Any]:
        """The objects that several nodes describe."""

    def slice(self, node: nodes.Bulk) -> bytes:
        """The bytes that a node points to."""


def remote(objects: Objects, value: object, shared: SharedNames) -> nodes.Remote:
    """The node for an object that stays here."""
    kind = type(value)
    name = kind.__name__ if isinstance(kind.__name__, str) else "object"
    bases = kinds.type_names(value, shared.name_of) if isinstance(value, type) else []
    return nodes.Remote(
        objects.add(value),
        name[:200],
        kinds.type_names(kind, shared.name_of),
        kinds.specials(value),
        bases,
        _family(objects, value if isinstance(value, type) else kind, shared),
    )


def _family(objects: Objects, kind: type, shared: SharedNames) -> list[nodes.Kin]:
    """The classes written in a student's cells among a class and what it inherits from."""
    written = [base for base in kinds.mro(kind) if base.__module__ == "__main__" and shared.name_of(base) is None]
    return [nodes.Kin(objects.add(base), str(base.__name__)[:200]) for base in written[:16]]
