"""The constants and classes that may be named on the wire: a fixed table, and three libraries that have some."""

from __future__ import annotations

import datetime
import importlib
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

_LIBRARIES = ("numpy", "torch", "pandas")
_BUILTIN_CLASSES = (
    object, type, bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, range, slice,
    memoryview, property, staticmethod, classmethod, enumerate, zip, map, filter, reversed,
)  # fmt: skip
_builtin_constants: dict[tuple[str, str], object] = {
    **{("builtins", kind.__name__): kind for kind in _BUILTIN_CLASSES},
    ("builtins", "Ellipsis"): Ellipsis,
    ("builtins", "NotImplemented"): NotImplemented,
    ("types", "NoneType"): type(None),
    **{("collections", kind.__name__): kind for kind in (Counter, OrderedDict, defaultdict, deque)},
    **{("datetime", k.__name__): k for k in (datetime.date, datetime.time, datetime.datetime, datetime.timedelta)},
    ("decimal", "Decimal"): Decimal,
    ("fractions", "Fraction"): Fraction,
    **{
        ("builtins", name): kind
        for name, kind in vars(sys.modules["builtins"]).items()
        if isinstance(kind, type) and issubclass(kind, BaseException)
    },
}


def constants() -> dict[tuple[str, str], object]:
    """Every constant and class that may be named on the wire, given the libraries imported so far."""
    return _constants(tuple(name for name in _LIBRARIES if name in sys.modules))[0]


def constant(module: str, name: str) -> object:
    """The constant or class of that name in the table, whose library the other process may have imported first.

    Raises:
        KeyError: There is none.
    """
    if module.partition(".")[0] in _LIBRARIES:
        importlib.import_module(module.partition(".")[0])
    return constants()[module, name]


def constant_name(value: object) -> tuple[str, str] | None:
    """The name of a constant or class in that table; None for anything else."""
    loaded = tuple(name for name in _LIBRARIES if name in sys.modules)
    return _constants(loaded)[1].get(id(value))


@lru_cache(maxsize=8)
def _constants(loaded: tuple[str, ...]) -> tuple[dict[tuple[str, str], object], dict[int, tuple[str, str]]]:
    table = dict(_builtin_constants)
    for name in loaded:
        module = sys.modules[name]
        if name == "torch":
            table |= {(name, key): value for key, value in vars(module).items() if type(value).__name__ == "dtype"}
            table |= {("torch.nn", k): v for k, v in vars(module.nn).items() if isinstance(v, type)}
            table |= {(name, key): vars(module)[key] for key in ("Tensor", "device", "Generator")}
        elif name == "numpy":
            table |= {(name, k): v for k, v in vars(module).items() if _is_scalar_class(v, module)}
        else:
            table |= {(name, key): vars(module)[key] for key in ("DataFrame", "Series", "Index", "NA", "NaT")}
    return table, {id(value): key for key, value in reversed(table.items())}


def _is_scalar_class(value: object, numpy: Any) -> bool:
    return isinstance(value, type) and (value is numpy.ndarray or issubclass(value, numpy.generic))
