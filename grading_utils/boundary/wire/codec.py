"""Python objects to wire nodes and back, for the types that Python itself brings.

Only objects of exactly these types are data. Everything else, subclasses with an `__eq__` of their own included,
stays where it is and travels as a reference (`nodes.Remote`). Decoding looks names up in a fixed table; it never
imports, evaluates or unpickles. What other libraries bring is in `libraries`.

Shared references are written out twice and a cycle becomes a reference, so what arrives is a tree whose size is the
size of the message: it can't blow up when the tester compares or prints it.
"""

from __future__ import annotations

import array
import contextlib
import datetime
import keyword
import pathlib
import re
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from grading_utils.boundary.wire import libraries, nodes
from grading_utils.boundary.wire.arrays import described
from grading_utils.boundary.wire.constants import constant, constant_name
from grading_utils.boundary.wire.errors import Refused
from grading_utils.boundary.wire.references import Stand, TooLarge

LONG_TEXT = 1 << 16
MANY_NUMBERS = 16
LONGEST_RANGE = 10_000_000  # a range costs nothing to send, but a check may go through it
_ROOM = nodes.MAX_STRUCTURE - (1 << 20)
_COMPOUND = 40  # charged for a container besides its items: what it costs is time rather than bytes

_AS_IT_IS = frozenset({type(None), bool, float})
_SEQUENCES: dict[type, str] = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset", deque: "deque"}
_BUILD_SEQUENCE: dict[str, Callable[[list[Any]], Any]] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque,
}  # fmt: skip
_MAPPINGS: dict[type, str] = {dict: "dict", Counter: "Counter", OrderedDict: "OrderedDict", defaultdict: "defaultdict"}
_MOMENTS: dict[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    datetime.date: ("date", datetime.date.isoformat, datetime.date.fromisoformat),
    datetime.time: ("time", datetime.time.isoformat, datetime.time.fromisoformat),
    datetime.datetime: ("datetime", datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    datetime.timedelta: (
        "timedelta",
        lambda delta: f"{delta.days} {delta.seconds} {delta.microseconds}",
        lambda text: datetime.timedelta(*map(int, text.split())),
    ),
    Decimal: ("Decimal", str, Decimal),
    pathlib.PosixPath: ("PosixPath", str, pathlib.PosixPath),
    pathlib.PurePosixPath: ("PurePosixPath", str, pathlib.PurePosixPath),
    Fraction: (
        "Fraction",
        lambda number: f"{number.numerator} {number.denominator}",
        lambda text: Fraction(*map(int, text.split())),
    ),
}
_READ_MOMENT = {kind: read for kind, _, read in _MOMENTS.values()}


class Encoder:
    """Writes the values of one message; use a new one for each message.

    Args:
        stand: Decides about objects that aren't data.
        strict: Raise `TooLarge` for a value that doesn't fit, instead of sending a reference to it.
    """

    def __init__(self, stand: Stand, *, strict: bool = False) -> None:
        self.bulk: list[bytes] = []
        self._stand = stand
        self._strict = strict
        self._room = _ROOM
        self._bulk_size = 0
        self._path: set[int] = set()

    @property
    def is_half_full(self) -> bool:
        """Has half of what fits in a message been written?"""
        return self._room < _ROOM // 2 or self._bulk_size > nodes.MAX_BULK // 2

    def value(self, value: object) -> nodes.Value:
        """The node for `value`; a reference where it is no data or (unless strict) too large to send."""
        before = self._room, self._bulk_size, len(self.bulk)
        try:
            return self.node(value)
        except (TooLarge, RecursionError):
            if self._strict:
                raise
            self._room, self._bulk_size = before[:2]
            del self.bulk[before[2] :]
            self._path.clear()
            return self.refer(value)

    def node(self, value: Any) -> nodes.Value:
        """The node for `value`, inside whatever is being written."""
        kind = type(value)
        self.take(12)
        if kind in _AS_IT_IS:
            return value  # type: ignore[no-any-return]
        if kind is int:
            return self._int(value)
        if kind is str:
            return self._str(value)
        if kind is bytes or kind is bytearray:
            return nodes.Bytes(*self.add_bulk(bytes(value)), "bytes" if kind is bytes else "bytearray")
        if kind is complex:
            return nodes.Complex(value.real, value.imag)
        if id(value) in self._path or len(self._path) > nodes.MAX_DEPTH:
            return self.refer(value)
        self.take(_COMPOUND)
        self._path.add(id(value))
        try:
            return self._compound(value, kind)
        finally:
            self._path.discard(id(value))

    def refer(self, value: object) -> nodes.Value:
        """A node that stands for an object without containing it."""
        self.take(2000)
        return self._stand.refer(value)

    def all(self, values: Any) -> list[nodes.Value]:
        """The nodes of several values."""
        found: list[nodes.Value] = []
        for value in values:
            kind = type(value)
            # What `node` says about the plainest values, without the calls: most values are many of these.
            if kind is str and len(value) <= LONG_TEXT and value.isascii():
                self._room -= 12 + len(value)
            elif kind in _AS_IT_IS or (kind is int and -(1 << 63) <= value < 1 << 63):
                self._room -= 12
            else:
                value = self.node(value)
            if self._room < 0:
                self.take(0)
            found.append(value)
        return found

    def take(self, size: int) -> None:
        """Reserve room in the structure, or raise `TooLarge`."""
        self._room -= size
        if self._room < 0:
            raise TooLarge("the value has too many parts to send")

    def add_bulk(self, data: bytes) -> tuple[int, int]:
        """Put bytes beside the structure; returns where they are."""
        start = self._bulk_size
        if start + len(data) > nodes.MAX_BULK:
            raise TooLarge(f"the value has more than {nodes.MAX_BULK >> 20} MB")
        self.bulk.append(data)
        self._bulk_size += len(data)
        return start, len(data)

    def _int(self, value: int) -> nodes.Value:
        if -(1 << 63) <= value < 1 << 63:
            return value
        digits = hex(value)
        if len(digits) > 1 << 16:
            raise TooLarge("an int has too many digits to send")
        self.take(len(digits))
        return nodes.BigInt(digits)

    def _str(self, value: str) -> nodes.Value:
        if len(value) <= LONG_TEXT:
            try:
                self.take(len(value) if value.isascii() else len(value.encode()))
                return value
            except UnicodeEncodeError:
                pass
        return nodes.Text(*self.add_bulk(value.encode("utf-8", "surrogatepass")))

    def _compound(self, value: Any, kind: type) -> nodes.Value:
        if kind is list or kind is tuple:
            return self._list(value, kind)
        if kind in _SEQUENCES:
            most = value.maxlen if kind is deque else None
            return nodes.Sequence(_SEQUENCES[kind], self.all(value), most)  # type: ignore[arg-type]
        if kind in _MAPPINGS:
            default = self.node(value.default_factory) if kind is defaultdict else None
            return nodes.Mapping(_MAPPINGS[kind], self.all(value), self.all(value.values()), default)  # type: ignore[arg-type]
        if kind is range and (value.stop - value.start) // value.step > LONGEST_RANGE:
            return self.refer(value)
        if kind is range or kind is slice:
            return nodes.Span(kind.__name__, *self.all((value.start, value.stop, value.step)))  # type: ignore[arg-type]
        if kind in _MOMENTS:
            name, write, _ = _MOMENTS[kind]
            text = write(value)
            return nodes.Moment(name, text) if len(text) <= 200 else self.refer(value)  # type: ignore[arg-type]
        if (named := constant_name(value)) is not None:
            return nodes.Named(*named)
        if issubclass(kind, tuple) and kind.__base__ is tuple and isinstance(getattr(kind, "_fields", None), tuple):
            return self._record(value, kind)
        node = libraries.encode(self, value)
        return self.refer(value) if node is None else node

    def _list(self, value: Any, kind: type) -> nodes.Value:
        name = _SEQUENCES[kind]
        if len(value) >= MANY_NUMBERS:
            types = set(map(type, value))
            if types == {float} or types == {int}:
                code = "d" if float in types else "q"
                try:
                    return nodes.Numbers(*self.add_bulk(array.array(code, value).tobytes()), name, code)  # type: ignore[arg-type]
                except OverflowError:
                    pass
            elif types == {str} and (joined := "".join(value)).isascii() and len(joined) < LONG_TEXT:
                self.take(len(joined) + 5 * len(value))
                return nodes.Sequence(name, list(value))  # type: ignore[arg-type]
        return nodes.Sequence(name, self.all(value))  # type: ignore[arg-type]

    def _record(self, value: Any, kind: type) -> nodes.Value:
        fields = list(kind._fields)  # type: ignore[attr-defined]
        if len(fields) != len(value) or not all(_is_field(name) for name in (kind.__name__, *fields)):
            return self.refer(value)
        return nodes.Record(kind.__name__, fields, self.all(tuple.__iter__(value)))


class Decoder:
    """Reads the values of one message.

    Args:
        stand: Decides about references.
        bulk: The message's bulk part.
    """

    def __init__(self, stand: Stand, bulk: bytes) -> None:
        self.bulk = bulk
        self._stand = stand
        self._bulk = memoryview(bulk)

    def value(self, node: nodes.Value) -> Any:
        """The object that a node describes.

        Raises:
            Refused: It describes none.
        """
        try:
            return self.read(node)
        except Exception as error:
            raise Refused(f"not a value: {type(error).__name__}: {str(error)[:200]}") from None

    def read(self, node: nodes.Value) -> Any:
        """The object that a node describes, inside whatever is being read; raises what it likes."""
        if not isinstance(node, nodes.Node):
            return node
        reader = _READERS.get(type(node))
        if reader is not None:
            return reader(self, node)
        return libraries.decode(self, node)

    def slice(self, node: nodes.Bulk) -> bytes:
        """The bytes that a node points to."""
        if node.start + node.size > len(self._bulk):
            raise ValueError("a node points outside the message")
        return bytes(self._bulk[node.start : node.start + node.size])

    def all(self, several: list[nodes.Value]) -> list[Any]:
        """The objects that several nodes describe."""
        return [self.read(node) if isinstance(node, nodes.Node) else node for node in several]

    def _sequence(self, node: nodes.Sequence) -> Any:
        if node.kind == "torch.Size":
            import torch

            return torch.Size(self.all(node.items))
        if node.most is not None:
            return deque(self.all(node.items), maxlen=node.most)
        return _BUILD_SEQUENCE[node.kind](self.all(node.items))

    def _mapping(self, node: nodes.Mapping) -> Any:
        pairs = zip(self.all(node.keys), self.all(node.values), strict=True)
        if node.kind == "defaultdict":
            factory = self.read(node.default)
            if factory is not None and not callable(factory):
                raise TypeError("a defaultdict needs a callable")
            return defaultdict(factory, pairs)
        if node.kind == "Counter":
            counter: Counter[Any] = Counter()
            for key, count in pairs:
                counter[key] = count
            return counter
        return OrderedDict(pairs) if node.kind == "OrderedDict" else dict(pairs)

    def _span(self, node: nodes.Span) -> Any:
        parts = (self.read(node.start), self.read(node.stop), self.read(node.step))
        if node.kind == "range" and (parts[1] - parts[0]) // parts[2] > LONGEST_RANGE:
            raise ValueError("a range is too long")
        return range(*parts) if node.kind == "range" else slice(*parts)

    def _named(self, node: nodes.Named) -> Any:
        with contextlib.suppress(KeyError, ImportError):
            return constant(node.module, node.name)
        if node.module in ("numpy.dtype", "torch.device"):
            return described(node.module, node.name)
        return self._stand.library(node.module, node.name)

    def _numbers(self, node: nodes.Numbers) -> Any:
        numbers = array.array(node.code)
        numbers.frombytes(self.slice(node))
        return numbers.tolist() if node.kind == "list" else tuple(numbers)

    def _record(self, node: nodes.Record) -> Any:
        return record_type(node.name, tuple(node.fields))(*map(self._stand.member, self.all(node.items)))


_READERS: dict[type, Callable[[Decoder, Any], Any]] = {
    nodes.BigInt: lambda _, node: int(node.digits, 16),
    nodes.Complex: lambda _, node: complex(node.real, node.imag),
    nodes.Text: lambda decoder, node: str(decoder.slice(node), "utf-8", "surrogatepass"),
    nodes.Bytes: lambda decoder, node: (bytes if node.kind == "bytes" else bytearray)(decoder.slice(node)),
    nodes.Numbers: Decoder._numbers,
    nodes.Sequence: Decoder._sequence,
    nodes.Mapping: Decoder._mapping,
    nodes.Span: Decoder._span,
    nodes.Named: Decoder._named,
    nodes.Record: Decoder._record,
    nodes.Remote: lambda decoder, node: decoder._stand.resolve(node),
    nodes.Own: lambda decoder, node: decoder._stand.resolve(node),
    nodes.Shared: lambda decoder, node: decoder._stand.resolve(node),
}


def read_moment(node: nodes.Moment) -> Any:
    """The date, time or exact number that a node describes."""
    if node.kind in _READ_MOMENT:
        return _READ_MOMENT[node.kind](node.text)
    import pandas

    if not re.fullmatch(r"[-+:.\dDHMPST]+", node.text):
        raise ValueError("not an ISO time")
    return pandas.Timestamp(node.text) if node.kind == "Timestamp" else pandas.Timedelta(node.text)


_READERS[nodes.Moment] = lambda _, node: read_moment(node)


def _is_field(name: object) -> bool:
    return type(name) is str and name.isidentifier() and not keyword.iskeyword(name) and name[0] != "_"


@lru_cache(maxsize=256)
def record_type(name: str, fields: tuple[str, ...]) -> Any:
    """A named tuple class; made anew from its names, which `namedtuple` checks to be plain identifiers."""
    if not all(map(_is_field, (name, *fields))) or len(name) > 100:
        raise Refused("a named tuple has names that are no identifiers")
    return namedtuple(name, fields)
