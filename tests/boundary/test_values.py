"""The codec: what goes in comes out, and whatever else arrives is a value or a `BoundaryError`."""

from __future__ import annotations

import math
import random
import socket
import struct
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grading_utils.boundary.wire import codec as values
from grading_utils.boundary.wire import frames, messages, references
from grading_utils.boundary.wire import nodes as wire
from grading_utils.boundary.wire.errors import BoundaryError

from .stand import Stand

DECODER = msgspec.msgpack.Decoder(messages.Reply)


def encoded(value):
    encoder = values.Encoder(Stand())
    node = encoder.value(value)
    structure = msgspec.msgpack.encode(messages.Answer(seq=1, value=node))
    return structure, b"".join(encoder.bulk)


def decoded(structure, bulk):
    return values.Decoder(Stand(), bulk).value(frames.parse(structure, DECODER).value)


def round_trip(value):
    return decoded(*encoded(value))


def same(one, other):
    """Equal, of the same types all the way down, nan included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list | tuple | deque):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return all(map(same, one.items(), other.items())) and len(one) == len(other)
    return one == other


atoms = (
    st.none() | st.booleans() | st.integers() | st.integers(min_value=2**60, max_value=2**90) | st.floats()
    | st.text(st.characters()) | st.binary() | st.dates() | st.datetimes() | st.timedeltas() | st.fractions()
    | st.decimals(allow_nan=False) | st.builds(range, st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 9))
)  # fmt: skip
hashable = st.none() | st.booleans() | st.integers() | st.text() | st.tuples(st.integers(), st.text())
trees = st.recursive(
    atoms,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(hashable, inner) | st.sets(hashable)
    | st.lists(inner).map(deque) | st.dictionaries(hashable, inner).map(OrderedDict) | st.frozensets(hashable),
    max_leaves=30,
)  # fmt: skip
numbers = st.lists(st.floats(), min_size=14, max_size=40) | st.lists(st.integers(), min_size=14, max_size=40)


@settings(deadline=None, max_examples=300)
@given(trees | numbers)
def test_a_value_arrives_as_it_was(value):
    assert same(round_trip(value), value)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(["?", "i1", "u2", "<i4", ">i8", "f2", "<f4", "f8", "c8", "c16", "M8[s]", "m8[ns]"]), st.data())
def test_an_array_arrives_as_it_was(dtype, data):
    shape = data.draw(st.lists(st.integers(0, 4), max_size=4))
    raw = np.random.default_rng(0).integers(0, 2, (*shape, np.dtype(dtype).itemsize), dtype=np.uint8)
    array = raw.reshape(-1).view(dtype).reshape(shape) if raw.size else np.empty(shape, dtype)
    got = round_trip(array)
    assert (got.dtype, got.shape) == (array.dtype, array.shape)
    assert got.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "value",
    [
        Counter("aab"), defaultdict(int, a=1), Decimal("NaN").to_integral_value, "\ud800\udfff",
        "ü" * 100_000, b"x" * 10,
        [1] * 100, (1.5,) * 100, ["word"] * 100, np.array(["a", "ü"]), np.float16(1.5), np.bool_(True),
        np.datetime64("2024-02-29"),
        Decimal("1E-400"), Fraction(-1, 3), date(1, 1, 1), datetime.max, timedelta.min, {(): {frozenset({1}): [set()]}},
        pd.Timestamp("2024-02-29 12:00", tz="Europe/Vienna"), pd.Timedelta("1 days 2:03:04.5"), torch.Size([2, 3]),
        torch.device("cpu"), np.dtype("<U5"), int, ValueError, torch.bfloat16, ..., NotImplemented,
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:20]!r}",
)  # fmt: skip
def test_a_special_value_arrives_as_it_was(value):
    got = round_trip(value)
    if callable(value) and not isinstance(value, type):
        assert isinstance(got, wire.Remote)
    else:
        assert type(got) is type(value)
        assert np.all(got == value)


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([1, 2, 3]), pd.Series([1.5, np.nan]), pd.Series(["a", None]), pd.Series(["a", pd.NA], dtype="string"),
        pd.Series([1, None], dtype="Int64"), pd.Series([True, None], dtype="boolean"), pd.Series([0.5],
        dtype="Float32"),
        pd.Series(pd.date_range("2024", periods=3)), pd.Series(pd.date_range("2024", periods=3, tz="Europe/Vienna")),
        pd.Series(["a", "b"], dtype="category"), pd.Series([{"k": 1}, [2], None], dtype=object), pd.Series([],
        dtype="float64"),
        pd.Series([1, 2], index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"]), name=("t", 1)),
        pd.Series([1, 2], index=pd.RangeIndex(5, 1, -2, name="r")), pd.Series(pd.to_timedelta(["1s", "2h"])),
    ],
    ids=lambda series: str(series.dtype) + "-" + type(series.index).__name__,
)  # fmt: skip
def test_a_column_arrives_as_it_was(series):
    pd.testing.assert_series_equal(round_trip(series), series)
    frame = pd.DataFrame({"one": series, "two": series})
    pd.testing.assert_frame_equal(round_trip(frame), frame)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "bfloat16", "float32", "complex64"])
def test_a_tensor_arrives_as_it_was(dtype):
    for tensor in (torch.ones(2, 3), torch.tensor(1), torch.zeros(0, 2), torch.arange(6).reshape(2, 3).T):
        tensor = tensor.to(getattr(torch, dtype))
        got = round_trip(tensor)
        assert got.dtype == tensor.dtype
        assert got.shape == tensor.shape
        assert torch.equal(got, tensor)
    assert isinstance(round_trip(torch.nn.Parameter(torch.ones(2))), torch.nn.Parameter)


@pytest.mark.parametrize("make", [random.Random, np.random.default_rng, np.random.RandomState])
def test_a_random_generator_arrives_in_its_state(make):
    mine = make(5)
    theirs = round_trip(mine)
    assert [theirs.random() for _ in range(700)] == [mine.random() for _ in range(700)]


def test_a_subclass_of_an_array_a_tensor_or_a_table_is_data_of_its_base_class():
    tensor = type("T", (torch.Tensor,), {"__eq__": lambda *_: True, "detach": lambda _: None})([1.0, 2.0])
    frame = type("F", (pd.DataFrame,), {"equals": lambda *_: True})({"a": [1]})
    assert type(round_trip(tensor)) is torch.Tensor
    assert round_trip(tensor).tolist() == [1.0, 2.0]
    assert type(round_trip(np.ones(2).view(type("A", (np.ndarray,), {})))) is np.ndarray
    assert type(round_trip(frame)) is pd.DataFrame
    assert round_trip(frame)["a"].tolist() == [1]


def test_a_deque_keeps_its_bound():
    assert round_trip(deque([1, 2], maxlen=2)).maxlen == 2


def test_a_subclass_of_a_builtin_is_no_data():
    class Words(list):
        pass

    for value in (Words(), type("N", (int,), {})(3)):
        assert isinstance(round_trip(value), wire.Remote)
    assert isinstance(round_trip([Words([1])])[0], wire.Remote)


def test_a_cycle_becomes_a_reference():
    loop = [1]
    loop.append(loop)
    got = round_trip({"k": loop})
    assert got["k"][0] == 1
    assert isinstance(got["k"][1], wire.Remote)


def test_what_is_too_large_or_too_deep_becomes_a_reference():
    deep = []
    for _ in range(500):
        deep = [deep]
    assert isinstance(round_trip([deep])[0], list)
    assert isinstance(round_trip(torch.zeros(1).expand(10**9)), wire.Remote)
    assert isinstance(round_trip(range(10**18)), wire.Remote)
    assert isinstance(round_trip(10**100_000), wire.Remote)
    with pytest.raises(references.TooLarge):
        values.Encoder(Stand(), strict=True).value(np.zeros(150_000_000, dtype=np.uint8))


# --- hostile frames ---

EXAMPLES = [
    encoded(value)
    for value in (
        [1, 2.5, "text", None, True, {"k": (1,)}], np.arange(6.0), np.array(["ab", "c"]),
        torch.ones(2, dtype=torch.bfloat16),
        pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}), pd.Series(["a"], dtype="category"), random.Random(1),
        np.random.RandomState(1), np.random.default_rng(1), torch.Generator(), Counter("ab"), defaultdict(list),
        object(),
        datetime.max, pd.Timestamp("2024"), 2**80, [1.5] * 20, np.array([1, "x"], dtype=object),
        torch.topk(torch.ones(3), 1),
    )
]  # fmt: skip


def value_or_refusal(structure, bulk):
    try:
        return decoded(structure, bulk)
    except BoundaryError:
        return None


@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(EXAMPLES), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6), st.data())
def test_a_damaged_frame_is_a_value_or_refused(example, changes, data):
    structure, bulk = (bytearray(part) for part in example)
    for position, byte in changes:
        target = structure if position % 3 or not bulk else bulk
        target[position % len(target)] = byte
    cut = data.draw(st.integers(0, len(bulk)))
    repr(value_or_refusal(bytes(structure), bytes(bulk[:cut] if changes else bulk)))


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_noise_is_refused(data):
    with pytest.raises(BoundaryError):
        frames.parse(data, DECODER)


names = st.sampled_from(
    ["<f8", "|b1", "<U4", "|S2", "<M8[ns]", "float32", "bool", "Int64", "|O", "<f8,<f8", "V8", "PCG64", ""]
)
small = st.integers(0, 9) | st.sampled_from([2**31, 2**40])
nodes = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=3)
    | st.builds(wire.BigInt, st.sampled_from(["0x10", "", "zz", "-0x1"]))
    | st.builds(wire.Bytes, small, small, st.sampled_from(["bytes", "bytearray"]))
    | st.builds(wire.Numbers, small, small, st.sampled_from(["list", "tuple"]), st.sampled_from("dq"))
    | st.builds(wire.Array, small, small, st.sampled_from(["array", "scalar"]), names, st.lists(small, max_size=3))
    | st.builds(wire.Tensor, small, small, st.sampled_from(["tensor", "parameter"]), names, st.lists(small, max_size=3))
    | st.builds(wire.Moment, st.sampled_from(["date", "datetime", "timedelta", "Decimal", "Fraction", "Timestamp",
    "Timedelta"]), st.text(max_size=9))
    | st.builds(wire.Named, st.sampled_from(["builtins", "torch", "numpy.dtype", "torch.device", "os"]),
    st.sampled_from(["int", "eval", "system", "<f8", "cpu"])),
    lambda inner: st.builds(wire.Sequence, st.sampled_from(["list", "tuple", "set", "frozenset", "deque",
    "torch.Size"]), st.lists(inner, max_size=4))
    | st.builds(wire.Mapping, st.sampled_from(["dict", "Counter", "OrderedDict", "defaultdict"]),
    st.lists(inner, max_size=3), st.lists(inner, max_size=3), inner)
    | st.builds(wire.Span, st.sampled_from(["range", "slice"]), inner, inner, inner)
    | st.builds(wire.Record, st.sampled_from(["P", "a b", "class"]), st.lists(st.sampled_from(["x", "y", "_z",
    "def"]), max_size=3), st.lists(inner, max_size=3))
    | st.builds(wire.ObjectArray, st.lists(small, max_size=2), st.lists(inner, max_size=4))
    | st.builds(wire.Strings, st.just("python"), st.booleans(), st.lists(inner, max_size=3))
    | st.builds(wire.Masked, names, st.lists(inner, max_size=3))
    | st.builds(wire.Zoned, st.sampled_from(["datetime64[ns, UTC]", "datetime64[ns, ../../x]"]), inner)
    | st.builds(wire.Categorical, inner, inner, st.booleans())
    | st.builds(wire.Index, st.sampled_from(["plain", "multi", "range"]), st.lists(inner, max_size=3),
    st.lists(inner, max_size=3))
    | st.builds(wire.Series, inner, inner, inner)
    | st.builds(wire.Frame, inner, inner, st.lists(inner, max_size=3))
    | st.builds(wire.Randomness, st.sampled_from(["Random", "Generator", "RandomState", "torch"]), inner),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
@given(nodes, st.binary(max_size=20))
def test_any_structure_is_a_value_or_refused(node, bulk):
    structure = msgspec.msgpack.encode(messages.Answer(seq=1, value=node))
    repr(value_or_refusal(structure, bulk))


@pytest.mark.parametrize(
    "node",
    [
        wire.Named("os", "system"), wire.Named("builtins", "eval"), wire.Named("builtins", "exec"),
        wire.Named("torch", "load"),
        wire.Array(0, 8, "array", "|O", [1]), wire.Array(0, 8, "array", "<f8", [2]), wire.Array(0, 8, "array",
        "<f8", [2**40]),
        wire.Array(0, 4, "array", "<U1", [1]), wire.Tensor(0, 8, "tensor", "quint8", [8]), wire.Bytes(4, 100, "bytes"),
        wire.Sequence("set", [wire.Sequence("list", [])]), wire.Span("range", 0, 10**15, 1), wire.Record("P",
        ["x; import os"], [1]),
        wire.Zoned("datetime64[ns, dateutil//etc/localtime]", wire.Array(0, 8, "array", "<i8", [1])),
        wire.Zoned("datetime64[ns, /etc/localtime]", wire.Array(0, 8, "array", "<i8", [1])),
        wire.Moment("Fraction", "1 0"), wire.BigInt("__import__"), wire.Series(wire.Sequence("list", []), None, None),
        wire.Randomness("RandomState", wire.Sequence("tuple", ["MT19937", wire.Sequence("list", [0] * 624),
        10**6, 0, 0.0])),
    ],
    ids=str,
)  # fmt: skip
def test_a_forged_node_is_refused(node):
    with pytest.raises(BoundaryError):
        decoded(msgspec.msgpack.encode(messages.Answer(seq=1, value=node)), b"\xff" * 8)


def test_booleans_are_zero_or_one_whatever_bytes_came():
    for node in (wire.Array(0, 2, "array", "|b1", [2]), wire.Tensor(0, 2, "tensor", "bool", [2])):
        got = decoded(msgspec.msgpack.encode(messages.Answer(seq=1, value=node)), b"\x02\xff")
        assert got.tolist() == [True, True]
        assert bytes(np.asarray(got).view(np.uint8)) == b"\x01\x01"


def test_a_deeply_nested_frame_is_refused():
    nested = b"\x93\xa3seq\xa4list\x91" * 100_000
    with pytest.raises(BoundaryError):
        frames.parse(b"\x96\xa6answer\x01\x90\xa0\xa0\x90" + nested, DECODER)


def test_announced_sizes_are_refused_before_anything_is_read():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for sizes in ((2**32 - 1, 0), (0, 2**32 - 1)):
            theirs.sendall(struct.pack(">II", *sizes))
            with pytest.raises(BoundaryError, match="announces"):
                frames.receive(ours, DECODER)
