"""Look at a value that a student's code produced, without running any of its methods.

Only plain Python, NumPy, torch and pandas objects are opened; anything else is described by its type. NumPy, torch
and pandas are used when the value itself brings them, so importing this package stays light.
"""

from __future__ import annotations

import reprlib
import sys
from typing import Any

from grading_utils.checks.failure import CheckFailed, Phrase

_CONTAINERS = (list, tuple, dict, set, frozenset, bytes)


def is_from(value: object, library: str, name: str) -> bool:
    """True if `value` is of the library's class `name`; the library is not imported for the question.

    It asks for the true type, since `isinstance` would believe an object that lies about its `__class__`.
    """
    wanted = getattr(sys.modules.get(library), name, None)
    return isinstance(wanted, type) and issubclass(type(value), wanted)


def is_plain(value: object, *kinds: type) -> bool:
    """True if `value` truly is of one of these builtin types; see `is_from` for why `isinstance` will not do."""
    return issubclass(type(value), kinds)


def is_tensor(value: object) -> bool:
    """True for a torch tensor."""
    return is_from(value, "torch", "Tensor")


def is_frame(value: object) -> bool:
    """True for a pandas DataFrame."""
    return is_from(value, "pandas", "DataFrame")


def describe(value: Any) -> Phrase:
    """Name a value's type the way a student would: "None (does your function `return` its result?)"."""
    if value is None:
        return Phrase("None (does your function `return` its result?)")
    if value is Ellipsis:
        return Phrase("`...`: replace the dots with your own code")
    if is_tensor(value):
        return Phrase("a torch tensor« of shape {shape}»", mine={"shape": list(value.shape)})
    if is_from(value, "numpy", "ndarray"):
        return Phrase("a NumPy array« of shape {shape}»", mine={"shape": list(value.shape)})
    if is_frame(value):
        return Phrase("a DataFrame")
    if is_from(value, "pandas", "Series"):
        return Phrase("a single column (a pandas Series)")
    if type(value).__name__ == "Styler":
        return Phrase("a styled table: return the DataFrame itself, and apply `.style` when you display it")
    if type(value) in (bool, int, float, str):
        return Phrase(_article(type(value).__name__) + "« ({value})»", mine={"value": reprlib.repr(value)})
    if type(value) in _CONTAINERS:
        return Phrase(_article(type(value).__name__))
    # What it claims to be is good enough for a message, and right for a stand-in of an object elsewhere.
    claimed = value.__class__
    kind = claimed.__name__ if isinstance(claimed, type) else type(value).__name__
    if kind in ("function", "method", "builtin_function_or_method"):
        return Phrase("a function: did you forget to call it, with `()`?")
    return Phrase("{kind}", mine={"kind": _article(kind)})


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def as_array(value: Any, name: str) -> Any:
    """Return numbers as a NumPy array (bool, integer, float or complex; 16-bit floats as float32).

    Raises:
        CheckFailed: `value` is not a tensor, array, number or regular nested list of numbers.
    """
    import numpy

    if is_tensor(value):
        tensor = value.detach() if value.is_meta else value.detach().to("cpu")
        if tensor.is_sparse or tensor.is_quantized or tensor.is_nested or value.is_meta:
            raise CheckFailed("{name} should be an ordinary (dense) tensor, not a special kind.", name=name)
        if tensor.is_floating_point() and tensor.element_size() < 4:
            tensor = tensor.float()
        return tensor.resolve_conj().resolve_neg().numpy()
    if is_plain(value, list, tuple):
        plain = _plain_list(value, name)
        try:
            value = numpy.array(plain)
        except (ValueError, OverflowError, TypeError):
            ragged = "{name} is a list whose rows have different lengths; make them equal."
            raise CheckFailed(ragged, name=name) from None
    elif is_from(value, "pandas", "Series"):
        value = value.to_numpy()
    if is_plain(value, bool, int, float, complex, numpy.generic):
        value = numpy.array(value)
    if not is_plain(value, numpy.ndarray):
        wanted = "{name} should hold numbers (a tensor, an array or a list), but it is {found}."
        raise CheckFailed(wanted, name=name, mine={"found": describe(value)})
    if value.dtype == object:
        value = _numbers(_plain_list(value.tolist(), name), name)
    if value.dtype.kind not in "biufc":
        holds = "{name} should hold numbers, but it holds {found} values."
        raise CheckFailed(holds, name=name, mine={"found": value.dtype.name})
    return value.astype(numpy.float32) if value.dtype == numpy.float16 else value


def _numbers(plain: object, name: str) -> Any:
    import numpy

    try:
        return numpy.array(plain, dtype=float)
    except (ValueError, TypeError, OverflowError):
        raise CheckFailed("{name} should hold only numbers.", name=name) from None


def _plain_list(value: Any, name: str, depth: int = 0) -> object:
    """Nested lists with every tensor or array inside them turned into plain numbers."""
    if depth > 16:
        raise CheckFailed("{name} is a list nested too deeply to be a table of numbers.", name=name)
    if is_plain(value, list, tuple):
        return [_plain_list(item, name, depth + 1) for item in value]
    if type(value) in (bool, int, float, complex):
        return value
    if is_tensor(value) or type(value).__module__ == "numpy":
        return as_array(value, name).tolist()
    contains = "{name} should hold only numbers, but it contains {found}."
    raise CheckFailed(contains, name=name, mine={"found": describe(value)})


def shown(value: object) -> str:
    """A short repr of plain data."""
    return reprlib.repr(value)


def number(value: float) -> str:
    """A number as a student would write it: 0.0598, 3.2, 50257."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"
