"""What a Python value looks like between the processes: a closed set of nodes, checked by msgspec as they arrive.

None, bool, float, str and 64-bit int stand for themselves; everything else is one of the structs below. Bulky bytes
lie beside the structure (`start`, `size` point into them). Nothing here names code to import or to run.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

MAX_STRUCTURE = 8 << 20
"""Bytes of structure in one frame; as Python objects these can take some forty times the room."""
MAX_BULK = 128 << 20
"""Bytes of bulk data (arrays, tensors, long strings) in one frame."""
MAX_DEPTH = 64
"""Containers within containers."""

Natural = Annotated[int, msgspec.Meta(ge=0)]
Name = Annotated[str, msgspec.Meta(max_length=200)]
Shape = Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]], msgspec.Meta(max_length=32)]


class Node(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """One value that msgpack has no type for."""


class Bulk(Node, frozen=True, gc=False):
    """A node whose content lies in the frame's bulk part."""

    start: Natural
    size: Natural


class BigInt(Node, frozen=True, gc=False, tag="int"):
    """An int beyond 64 bits, in hexadecimal."""

    digits: Annotated[str, msgspec.Meta(max_length=1 << 16)]


class Complex(Node, frozen=True, gc=False, tag="complex"):
    """A complex number."""

    real: float
    imag: float


class Text(Bulk, frozen=True, gc=False, tag="str"):
    """A str that is long or holds lone surrogates, as UTF-8 with these let through."""


class Bytes(Bulk, frozen=True, gc=False, tag="bytes"):
    """Bytes or a bytearray."""

    kind: Literal["bytes", "bytearray"]


class Numbers(Bulk, frozen=True, gc=False, tag="numbers"):
    """A list or tuple of floats only (`d`) or of 64-bit ints only (`q`)."""

    kind: Literal["list", "tuple"]
    code: Literal["d", "q"]


class Sequence(Node, frozen=True, gc=False, tag="seq"):
    """A builtin collection of items."""

    kind: Literal["list", "tuple", "set", "frozenset", "deque", "torch.Size"]
    items: list[Value]
    most: int | None = None
    """The `maxlen` of a deque."""


class Mapping(Node, frozen=True, gc=False, tag="map"):
    """A dict or one of its cousins; `default` is the factory of a defaultdict."""

    kind: Literal["dict", "Counter", "OrderedDict", "defaultdict"]
    keys: list[Value]
    values: list[Value]
    default: Value = None


class Span(Node, frozen=True, gc=False, tag="span"):
    """A range or a slice."""

    kind: Literal["range", "slice"]
    start: Value
    stop: Value
    step: Value


class Named(Node, frozen=True, gc=False, tag="named"):
    """A well-known constant or class, such as `builtins.int` or `torch.float32`."""

    module: Name
    name: Name


class Record(Node, frozen=True, gc=False, tag="record"):
    """A named tuple."""

    name: Name
    fields: Annotated[list[Name], msgspec.Meta(max_length=200)]
    items: list[Value]


class Moment(Node, frozen=True, gc=False, tag="moment"):
    """A small immutable value that has a canonical text."""

    kind: Literal[
        "date",
        "time",
        "datetime",
        "timedelta",
        "Decimal",
        "Fraction",
        "Timestamp",
        "Timedelta",
        "PosixPath",
        "PurePosixPath",
    ]
    text: Name


class Array(Bulk, frozen=True, gc=False, tag="array"):
    """A NumPy array or scalar in C order."""

    kind: Literal["array", "scalar"]
    dtype: Name
    shape: Shape


class ObjectArray(Node, frozen=True, gc=False, tag="objects"):
    """A NumPy array of Python objects."""

    shape: Shape
    items: list[Value]


class Tensor(Bulk, frozen=True, gc=False, tag="tensor"):
    """A dense CPU tensor in C order."""

    kind: Literal["tensor", "parameter"]
    dtype: Name
    shape: Shape


class Strings(Node, frozen=True, gc=False, tag="strings"):
    """A pandas string array; None is its missing value."""

    storage: Literal["python", "pyarrow"]
    nan: bool
    items: list[Value]


class Masked(Node, frozen=True, gc=False, tag="masked"):
    """A pandas nullable array, such as `Int64`."""

    dtype: Name
    items: list[Value]


class Zoned(Node, frozen=True, gc=False, tag="zoned"):
    """A pandas array of moments with a time zone."""

    dtype: Name
    moments: Value


class Categorical(Node, frozen=True, gc=False, tag="categories"):
    """A pandas categorical array."""

    codes: Value
    categories: Value
    ordered: bool


class Index(Node, frozen=True, gc=False, tag="index"):
    """A pandas index; `multi` has one column per level, `range` one range."""

    kind: Literal["plain", "multi", "range"]
    columns: list[Value]
    names: list[Value]


class Series(Node, frozen=True, gc=False, tag="series"):
    """A pandas Series."""

    values: Value
    index: Value
    name: Value


class Frame(Node, frozen=True, gc=False, tag="frame"):
    """A pandas DataFrame."""

    columns: Value
    index: Value
    values: list[Value]


class Randomness(Node, frozen=True, gc=False, tag="rng"):
    """A random number generator, by its state."""

    kind: Literal["Random", "Generator", "RandomState", "torch"]
    state: Value


class Stream(Node, frozen=True, gc=False, tag="stream"):
    """A stream in memory."""

    kind: Literal["StringIO", "BytesIO"]
    content: Value
    position: Annotated[int, msgspec.Meta(ge=-1, le=1 << 40)]
    """How far it has been read; -1 where it is closed."""


class OpenFile(Node, frozen=True, gc=False, tag="file"):
    """An open file below the working folder, of which each side has its own."""

    path: Annotated[str, msgspec.Meta(max_length=500)]
    mode: Literal["r", "rb", "r+", "r+b"]
    position: Annotated[int, msgspec.Meta(ge=-1, le=1 << 62)]


class Picture(Bulk, frozen=True, gc=False, tag="picture"):
    """A picture of Pillow's, row by row."""

    mode: Literal["1", "L", "P", "LA", "RGB", "YCbCr", "HSV", "LAB", "RGBA", "CMYK", "I", "F"]
    width: Annotated[int, msgspec.Meta(ge=0, le=1 << 30)]
    height: Annotated[int, msgspec.Meta(ge=0, le=1 << 30)]
    palette: Value = None
    format: Name | None = None


class Graph(Node, frozen=True, gc=False, tag="graph"):
    """A graph of NetworkX's; nodes and edges as it lists them, with their attributes."""

    kind: Literal["Graph", "DiGraph", "MultiGraph", "MultiDiGraph"]
    attributes: Value
    points: Value
    edges: Value


class Symbolic(Node, frozen=True, gc=False, tag="symbolic"):
    """An expression of SymPy's: an operation and its operands."""

    name: Name
    items: list[Value]


class Kin(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """A class that was written in a cell of the sender's."""

    id: Natural
    name: Name


class Remote(Node, frozen=True, gc=False, tag="remote"):
    """An object that stays with the sender; the receiver gets a stand-in."""

    id: Natural
    type_name: Name
    kinds: Annotated[list[Name], msgspec.Meta(max_length=64)]
    """Qualified names of the classes that it is an instance of, nearest first."""
    can: Annotated[list[Name], msgspec.Meta(max_length=128)]
    """The operations in `kinds.SPECIALS` that its type has."""
    bases: Annotated[list[Name], msgspec.Meta(max_length=64)] = []
    """For a class: qualified names of the classes that it inherits from."""
    family: Annotated[list[Kin], msgspec.Meta(max_length=16)] = []
    """Which of its classes were written in the sender's cells, nearest first; a class's own family begins with it."""


class Own(Node, frozen=True, gc=False, tag="own"):
    """An object of the receiver's, for which the sender holds a stand-in."""

    id: Natural


class Shared(Node, frozen=True, gc=False, tag="shared"):
    """An object that an instructor's cell bound to this name in both processes."""

    name: Name


Value = (
    bool | int | float | str | BigInt | Complex | Text | Bytes | Numbers | Sequence | Mapping | Span | Named | Record
    | Moment | Array | ObjectArray | Tensor | Strings | Masked | Zoned | Categorical | Index | Series | Frame
    | Randomness | Stream | OpenFile | Picture | Graph | Symbolic | Remote | Own | Shared | None
)  # fmt: skip


def is_data(root: Value, most: int) -> bool:
    """Does this node describe its value completely, without a reference to an object, and in `most` parts or fewer?"""
    waiting: list[Any] = [root]
    text = 0
    for count, node in enumerate(waiting):  # grows meanwhile; no recursion, since a forged node can be deep
        if count + text // 64 >= most or isinstance(node, Remote | Own):
            return False
        if isinstance(node, str):
            text += len(node)
        elif isinstance(node, list):
            waiting.extend(node[: most + 1])
        elif isinstance(node, Node):
            waiting.extend(getattr(node, name) for name in node.__struct_fields__)
    return True
