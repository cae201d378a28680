"""Which module writes and reads the values of which library; see the modules named here."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

from grading_utils.boundary.wire import arrays, generators, graphs, mersenne, nodes, pictures, streams, symbols, tables
from grading_utils.boundary.wire.kinds import mro
from grading_utils.boundary.wire.references import Reader, Writer


def encode(encoder: Writer, value: Any) -> nodes.Value:
    """The node for a value of a library's type; None where it isn't data."""
    kind = type(value)
    if kind is random.Random:
        return nodes.Randomness("Random", encoder.node(mersenne.read(value)))
    for base in mro(kind):  # an instance of a subclass is data of its base class
        root = str(base.__module__).partition(".")[0]
        if root in _ENCODERS and root in sys.modules:
            return _ENCODERS[root](encoder, value, base)
    return None


def decode(decoder: Reader, node: Any) -> Any:
    """The array, tensor, table or generator that a node describes; raises what the library raises."""
    return _DECODERS[type(node)](decoder, node)


_ENCODERS: dict[str, Callable[[Any, Any, type], nodes.Value]] = {
    "numpy": arrays.encode_numpy,
    "torch": arrays.encode_torch,
    "pandas": tables.encode_pandas,
    "_io": streams.encode,
    "tempfile": streams.encode,
    "PIL": pictures.encode,
    "networkx": graphs.encode,
    "sympy": symbols.encode,
}
_DECODERS: dict[type, Callable[[Any, Any], Any]] = {
    **arrays.DECODERS,
    **tables.DECODERS,
    **streams.DECODERS,
    **pictures.DECODERS,
    **graphs.DECODERS,
    **symbols.DECODERS,
    nodes.Randomness: generators.decode_randomness,
}
