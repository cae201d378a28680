"""Arrays, tensors, tables and random number generators to wire nodes and back.

What comes in is hostile: dtypes are looked up in tables or matched against a pattern, sizes must agree with the bytes
that are there, booleans are made 0 or 1, and a generator's position must lie inside its state (NumPy and torch would
otherwise read outside the array). No object of a subclass, no sparse, quantized or GPU tensor is data.

A library is imported here only when a value of its kind has to be rebuilt.
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from grading_utils.boundary.wire import nodes

if TYPE_CHECKING:
    from grading_utils.boundary.wire.codec import Decoder, Encoder

_DTYPE = re.compile(r"[<>|=](?:[biuf][1248]|c8|c16|f2|[SU]\d{1,6}|[mM]8(?:\[\d{0,9}[a-zA-Zμ]{1,7}\])?)")
_MASKED = re.compile(r"U?Int(?:8|16|32|64)|Float(?:32|64)|boolean")
_ZONED = re.compile(r"datetime64\[(?:s|ms|us|ns), [-+:/\w]{1,60}\]")
_BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
_MERSENNE_LENGTH = 624


def encode(encoder: Encoder, value: Any) -> nodes.Value:
    """The node for a value of a library's type; None where it isn't data."""
    kind = type(value)
    if kind is random.Random:
        return nodes.Randomness("Random", encoder.node(value.getstate()))
    root = str(getattr(kind, "__module__", "")).partition(".")[0]
    if root not in _ENCODERS or root not in sys.modules:
        return None
    return _ENCODERS[root](encoder, value, kind)


def decode(decoder: Decoder, node: Any) -> Any:
    """The array, tensor, table or generator that a node describes; raises what the library raises."""
    return _DECODERS[type(node)](decoder, node)


# --- NumPy ---


def _encode_numpy(encoder: Encoder, value: Any, kind: type) -> nodes.Value:
    import numpy as np

    if kind is np.ndarray:
        if value.dtype == object:
            return nodes.ObjectArray(list(value.shape), encoder.all(value.ravel().tolist()))
        return _array(encoder, value, "array")
    if issubclass(kind, np.generic):
        return _array(encoder, np.asarray(value), "scalar")
    if isinstance(value, np.dtype):
        return nodes.Named("numpy.dtype", value.str) if _DTYPE.fullmatch(value.str) else None
    if kind is np.random.Generator:
        state = dict(value.bit_generator.state)
        return nodes.Randomness("Generator", encoder.node(state)) if state["bit_generator"] in _BIT_GENERATORS else None
    if kind is np.random.RandomState:
        return nodes.Randomness("RandomState", encoder.node(value.get_state()))
    return None


def _array(encoder: Encoder, value: Any, kind: Any) -> nodes.Value:
    if not _DTYPE.fullmatch(value.dtype.str):
        return None
    _check_bulk(encoder, value.nbytes)
    return nodes.Array(*encoder.add_bulk(value.tobytes()), kind, value.dtype.str, list(value.shape))


def _check_bulk(encoder: Encoder, size: int) -> None:
    if size > nodes.MAX_BULK:  # before a copy is made
        from grading_utils.boundary.wire.codec import TooLarge

        raise TooLarge(f"the value has more than {nodes.MAX_BULK >> 20} MB")


def numpy_dtype(name: str) -> Any:
    """A NumPy dtype from its canonical text."""
    import numpy as np

    if not _DTYPE.fullmatch(name):
        raise ValueError("not a dtype that may be sent")
    return np.dtype(name)


def described(module: str, name: str) -> Any:
    """A dtype or a device from its text; raises `LookupError` for anything else."""
    if module == "numpy.dtype":
        return numpy_dtype(name)
    if module == "torch.device" and re.fullmatch(r"cpu|meta|mps|cuda(:\d{1,3})?", name):
        import torch

        return torch.device(name)
    raise LookupError(f"{module}.{name}")


def _decode_array(decoder: Decoder, node: nodes.Array) -> Any:
    import numpy as np

    dtype = numpy_dtype(node.dtype)
    if math.prod(node.shape) * dtype.itemsize != node.size:
        raise ValueError("an array has more or fewer bytes than its shape says")
    array = np.frombuffer(bytearray(decoder.slice(node)), dtype=dtype) if node.size else np.empty(0, dtype)
    if dtype.kind == "b":
        array = array.view(np.uint8) != 0
    elif dtype.kind == "U" and array.size:
        points = array.view(dtype.newbyteorder("=").str[0] + "u4" if dtype.str[0] == "=" else f"{dtype.str[0]}u4")
        if points.max() > sys.maxunicode:
            raise ValueError("a string array holds no characters")
    if node.kind == "scalar":
        if node.shape:
            raise ValueError("a scalar has no shape")
        return array.reshape(())[()]
    return array.reshape(node.shape)


def _decode_objects(decoder: Decoder, node: nodes.ObjectArray) -> Any:
    import numpy as np

    items = decoder.all(node.items)
    if math.prod(node.shape) != len(items):
        raise ValueError("an array has more or fewer items than its shape says")
    array = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):
        array[position] = item
    return array.reshape(node.shape)


# --- torch ---


def _encode_torch(encoder: Encoder, value: Any, kind: type) -> nodes.Value:
    import torch

    if kind is torch.Size:
        return nodes.Sequence("torch.Size", encoder.all(tuple(value)))
    if kind is torch.Generator:
        return nodes.Randomness("torch", encoder.node(value.get_state())) if value.device.type == "cpu" else None
    if kind is torch.device:
        return nodes.Named("torch.device", str(value))
    if kind is torch.Tensor or kind is torch.nn.Parameter:
        dense = value.layout is torch.strided and not value.is_quantized and value.device.type != "meta"
        if not dense or value.dtype not in _torch_dtypes().values():
            return None
        _check_bulk(encoder, value.numel() * value.element_size())
        plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        data = plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        name: Literal["tensor", "parameter"] = "parameter" if kind is torch.nn.Parameter else "tensor"
        return nodes.Tensor(*encoder.add_bulk(data), name, str(value.dtype)[6:], list(value.shape))
    if issubclass(kind, tuple) and kind.__module__ == "torch.return_types":
        return nodes.Record(kind.__name__, list(kind.__match_args__), encoder.all(tuple(value)))  # type: ignore[attr-defined]
    return None


def _torch_dtypes() -> dict[str, Any]:
    import torch

    names = (
        "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64",
        "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
    )  # fmt: skip
    return {name: getattr(torch, name) for name in names}


def _decode_tensor(decoder: Decoder, node: nodes.Tensor) -> Any:
    import torch

    dtype = _torch_dtypes()[node.dtype]
    count = math.prod(node.shape)
    if count * dtype.itemsize != node.size:
        raise ValueError("a tensor has more or fewer bytes than its shape says")
    if node.size:
        raw = torch.frombuffer(bytearray(decoder.slice(node)), dtype=torch.uint8)
        tensor = ((raw != 0) if dtype is torch.bool else raw.view(dtype)).reshape(node.shape)
    else:
        tensor = torch.empty(node.shape, dtype=dtype)
    if node.kind == "parameter":
        return torch.nn.Parameter(tensor, requires_grad=dtype.is_floating_point or dtype.is_complex)
    return tensor


# --- pandas ---


def _encode_pandas(encoder: Encoder, value: Any, kind: type) -> nodes.Value:
    import pandas as pd

    if kind is pd.DataFrame:
        columns = [_column(encoder, value.iloc[:, position].array) for position in range(value.shape[1])]
        if any(column is None for column in columns):
            return None
        return nodes.Frame(encoder.node(value.columns), encoder.node(value.index), columns)
    if kind is pd.Series:
        column = _column(encoder, value.array)
        return None if column is None else nodes.Series(column, encoder.node(value.index), encoder.node(value.name))
    if kind is pd.RangeIndex:
        spread = range(value.start, value.stop, value.step)
        return nodes.Index("range", [encoder.node(spread)], [encoder.node(value.name)])
    if kind is pd.MultiIndex:
        levels = [_column(encoder, value.get_level_values(level).array) for level in range(value.nlevels)]
        return None if None in levels else nodes.Index("multi", levels, encoder.all(list(value.names)))
    if kind in (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex, pd.CategoricalIndex):
        column = _column(encoder, value.array)
        return None if column is None else nodes.Index("plain", [column], [encoder.node(value.name)])
    if kind is pd.Timestamp or kind is pd.Timedelta:
        return nodes.Moment("Timestamp" if kind is pd.Timestamp else "Timedelta", value.isoformat())
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return _column(encoder, value)
    return None


def _column(encoder: Encoder, array: Any) -> nodes.Value:
    """The node for the content of a column; None where it isn't data."""
    import numpy as np
    import pandas as pd

    dtype = array.dtype
    if isinstance(dtype, np.dtype) or type(array) is pd.arrays.NumpyExtensionArray:
        return _encode_numpy(encoder, np.asarray(array), np.ndarray)
    if isinstance(dtype, pd.StringDtype):
        items = [None if item is pd.NA or item != item else str(item) for item in array]
        return nodes.Strings(dtype.storage, dtype.na_value is not pd.NA, encoder.all(items))
    if isinstance(dtype, pd.CategoricalDtype):
        return nodes.Categorical(encoder.node(array.codes), encoder.node(array.categories), bool(array.ordered))
    if isinstance(dtype, pd.DatetimeTZDtype) and _ZONED.fullmatch(str(dtype)):
        return nodes.Zoned(str(dtype), encoder.node(array.asi8))
    if _MASKED.fullmatch(str(dtype)):
        return nodes.Masked(str(dtype), encoder.all([None if item is pd.NA else item.item() for item in array]))
    return None


def _decode_strings(decoder: Decoder, node: nodes.Strings) -> Any:
    import numpy as np
    import pandas as pd

    items = decoder.all(node.items)
    if not all(item is None or type(item) is str for item in items):
        raise TypeError("a string array holds something else")
    return pd.array(items, dtype=pd.StringDtype(node.storage, na_value=np.nan if node.nan else pd.NA))  # type: ignore[arg-type]


def _decode_masked(decoder: Decoder, node: nodes.Masked) -> Any:
    import pandas as pd

    if not _MASKED.fullmatch(node.dtype):
        raise ValueError("not a dtype that may be sent")
    return pd.array(decoder.all(node.items), dtype=node.dtype)  # type: ignore[call-overload]


def _decode_zoned(decoder: Decoder, node: nodes.Zoned) -> Any:
    import numpy as np
    import pandas as pd

    if not _ZONED.fullmatch(node.dtype):
        raise ValueError("not a dtype that may be sent")
    unit, zone = node.dtype[11:-1].split(", ", 1)
    moments = _plain_array(decoder.read(node.moments), np.int64).view(f"M8[{unit}]")
    return pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(zone).array


def _decode_categorical(decoder: Decoder, node: nodes.Categorical) -> Any:
    import numpy as np
    import pandas as pd

    codes = decoder.read(node.codes)
    categories = decoder.read(node.categories)
    if type(codes) is not np.ndarray or codes.dtype.kind != "i" or not isinstance(categories, pd.Index):
        raise TypeError("a categorical needs codes and categories")
    return pd.Categorical.from_codes(codes, categories=categories, ordered=node.ordered)


def _plain_array(value: Any, dtype: Any) -> Any:
    import numpy as np

    if type(value) is not np.ndarray or value.dtype != dtype or value.ndim != 1:
        raise TypeError("not the array that belongs here")
    return value


def _decode_column(decoder: Decoder, node: nodes.Value) -> Any:
    import numpy as np
    import pandas as pd

    column = decoder.read(node)
    if not isinstance(column, np.ndarray | pd.api.extensions.ExtensionArray) or column.ndim != 1:
        raise TypeError("a column must be a one-dimensional array")
    return column


def _decode_index(decoder: Decoder, node: nodes.Index) -> Any:
    import numpy as np
    import pandas as pd

    names = decoder.all(node.names)
    if node.kind == "range":
        (spread,) = decoder.all(node.columns)
        if type(spread) is not range:
            raise TypeError("a range index needs a range")
        return pd.RangeIndex(spread, name=names[0])
    columns = [_decode_column(decoder, column) for column in node.columns]
    if node.kind == "multi":
        return pd.MultiIndex.from_arrays(columns, names=names)
    dtype = object if isinstance(columns[0], np.ndarray) and columns[0].dtype.kind == "O" else None
    return pd.Index(columns[0], name=names[0], dtype=dtype)


def _decode_series(decoder: Decoder, node: nodes.Series) -> Any:
    import pandas as pd

    column, index = _decode_column(decoder, node.values), _index(decoder, node.index)
    if len(column) != len(index):
        raise ValueError("a series has more or fewer values than its index")
    return pd.Series(column, index=index, name=decoder.read(node.name), dtype=column.dtype)


def _decode_frame(decoder: Decoder, node: nodes.Frame) -> Any:
    import pandas as pd

    columns, index = _index(decoder, node.columns), _index(decoder, node.index)
    values = [_decode_column(decoder, column) for column in node.values]
    if len(columns) != len(values) or any(len(column) != len(index) for column in values):
        raise ValueError("a frame has more or fewer values than its axes")
    frame = pd.DataFrame(
        {position: pd.Series(column, index=index, dtype=column.dtype) for position, column in enumerate(values)},
        index=index,
    )
    frame.columns = columns
    return frame


def _index(decoder: Decoder, node: nodes.Value) -> Any:
    import pandas as pd

    index = decoder.read(node)
    if not isinstance(index, pd.Index):
        raise TypeError("an axis must be an index")
    return index


# --- random number generators ---


def _decode_randomness(decoder: Decoder, node: nodes.Randomness) -> Any:
    state = decoder.read(node.state)
    if node.kind == "torch":
        import torch

        generator = torch.Generator()
        set_state(generator, state)
        return generator
    if node.kind == "Random":
        fresh: Any = random.Random()
    else:
        import numpy as np

        if node.kind == "RandomState":
            fresh = np.random.RandomState()
        else:
            if state["bit_generator"] not in _BIT_GENERATORS:
                raise ValueError("not a generator that may be sent")
            fresh = np.random.Generator(getattr(np.random, state["bit_generator"])())
    set_state(fresh, state)
    return fresh


def get_state(generator: Any) -> Any:
    """The state of a generator, as plain data."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    if hasattr(generator, "bit_generator"):
        return generator.bit_generator.state
    return generator.get_state()


def set_state(generator: Any, state: Any) -> None:
    """Give a generator a state that may come from the other side; raises `ValueError` where it is none."""
    if isinstance(generator, random.Random):
        generator.setstate(state)
    elif hasattr(generator, "bit_generator"):
        inner = state["state"]
        _check_position(inner.get("pos", 0), _MERSENNE_LENGTH)
        _check_position(state.get("buffer_pos", 0), 4)
        generator.bit_generator.state = state
    else:
        if isinstance(state, tuple):
            _check_position(state[2], _MERSENNE_LENGTH)
        generator.set_state(state)


def _check_position(position: object, last: int) -> None:
    if type(position) is not int or not 0 <= position <= last:
        raise ValueError("a generator's position lies outside its state")


_ENCODERS: dict[str, Callable[[Any, Any, type], nodes.Value]] = {
    "numpy": _encode_numpy,
    "torch": _encode_torch,
    "pandas": _encode_pandas,
}
_DECODERS: dict[type, Callable[[Any, Any], Any]] = {
    nodes.Array: _decode_array,
    nodes.ObjectArray: _decode_objects,
    nodes.Tensor: _decode_tensor,
    nodes.Strings: _decode_strings,
    nodes.Masked: _decode_masked,
    nodes.Zoned: _decode_zoned,
    nodes.Categorical: _decode_categorical,
    nodes.Index: _decode_index,
    nodes.Series: _decode_series,
    nodes.Frame: _decode_frame,
    nodes.Randomness: _decode_randomness,
}
