"""Arrays and tensors to wire nodes and back.

What comes in is hostile: dtypes are looked up in tables or matched against a pattern, sizes must agree with the bytes
that are there, and booleans are made 0 or 1. An object of a subclass is data of its base class, a masked array
only where nothing is masked; no sparse, quantized or GPU tensor is data.

A library is imported here only when a value of its kind has to be rebuilt.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from typing import Any, Literal

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.generators import BIT_GENERATORS
from grading_utils.boundary.wire.references import Reader, TooLarge, Writer

_DTYPE = re.compile(r"[<>|=](?:[biuf][1248]|c8|c16|f2|[SU]\d{1,6}|[mM]8(?:\[\d{0,9}[a-zA-Zμ]{1,7}\])?)")

# --- NumPy ---


def encode_numpy(encoder: Writer, value: Any, kind: type) -> nodes.Value:
    """The node for an array, a scalar, a dtype or a generator; None for anything else of NumPy's."""
    import numpy as np

    if issubclass(kind, np.ndarray) and not (isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value)):
        value = np.asarray(value)
        if value.dtype == object:
            return nodes.ObjectArray(list(value.shape), encoder.all(value.ravel().tolist()))
        return _array(encoder, value, "array")
    if issubclass(kind, np.generic):
        return _array(encoder, np.asarray(value), "scalar")
    if isinstance(value, np.dtype):
        return nodes.Named("numpy.dtype", value.str) if _DTYPE.fullmatch(value.str) else None
    if kind is np.random.Generator:
        state = dict(value.bit_generator.state)
        return nodes.Randomness("Generator", encoder.node(state)) if state["bit_generator"] in BIT_GENERATORS else None
    if kind is np.random.RandomState:
        return nodes.Randomness("RandomState", encoder.node(value.get_state()))
    return None


def _array(encoder: Writer, value: Any, kind: Any) -> nodes.Value:
    if not _DTYPE.fullmatch(value.dtype.str):
        return None
    _check_bulk(value.nbytes)
    return nodes.Array(*encoder.add_bulk(value.tobytes()), kind, value.dtype.str, list(value.shape))


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


def _decode_array(decoder: Reader, node: nodes.Array) -> Any:
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


def _decode_objects(decoder: Reader, node: nodes.ObjectArray) -> Any:
    import numpy as np

    items = decoder.all(node.items)
    if math.prod(node.shape) != len(items):
        raise ValueError("an array has more or fewer items than its shape says")
    array = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):
        array[position] = item
    return array.reshape(node.shape)


# --- torch ---


def encode_torch(encoder: Writer, value: Any, kind: type) -> nodes.Value:
    """The node for a dense tensor on any device, a size, a device or a generator; None for anything else of torch's."""
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
        _check_bulk(value.numel() * value.element_size())
        plain = value.as_subclass(torch.Tensor).detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
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


def _decode_tensor(decoder: Reader, node: nodes.Tensor) -> Any:
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


def _check_bulk(size: int) -> None:
    if size > nodes.MAX_BULK:  # before a copy is made
        raise TooLarge(f"the value has more than {nodes.MAX_BULK >> 20} MB")


DECODERS: dict[type, Callable[[Any, Any], Any]] = {
    nodes.Array: _decode_array,
    nodes.ObjectArray: _decode_objects,
    nodes.Tensor: _decode_tensor,
}
