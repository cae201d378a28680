"""`check_tensor`: is this the tensor that was asked for, and if not, which usual slip made it?

Compares shape, kind of number and values, and when they differ tries the usual mistakes (batch dimension kept,
transposed, one position off, another order, a factor). It says nothing about how the tensor was computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from grading_utils.checks.failure import CheckFailed, Phrase
from grading_utils.checks.values import as_array, is_tensor, number

DtypeKind = Literal["float", "int", "bool"]
_KINDS = {"float": "fc", "int": "iu", "bool": "b"}
_WORDS = {"f": "decimal numbers", "c": "complex numbers", "i": "whole numbers", "u": "whole numbers", "b": "True/False"}


def check_tensor(
    actual: object,
    expected: object = None,
    *,
    shape: Sequence[int | None] | None = None,
    dtype_kind: DtypeKind | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    name: str = "your tensor",
) -> None:
    """Check a tensor, array or (nested) list of numbers against what was asked for.

    Args:
        actual: The student's value.
        expected: The right values, if they are to be compared.
        shape: The right shape where there is no `expected`; None stands for any length.
        dtype_kind: Require decimal numbers, whole numbers or True/False.
        rtol: Relative tolerance. By default 1e-4 for decimal numbers, enough for float32 results computed in another
            order or batch; 2e-2 where either side has 16 bits; 0 for whole numbers.
        atol: Absolute tolerance; by default 1e-5, or 1e-3 for 16 bits, or 0.
        name: What the message calls the value.

    Raises:
        CheckFailed: An AssertionError that says what differs and the usual reason.
    """
    array = as_array(actual, name)
    if dtype_kind is not None and array.dtype.kind not in _KINDS[dtype_kind]:
        wanted, found = _WORDS[_KINDS[dtype_kind][0]], _WORDS[array.dtype.kind]
        kind = f"{{name}} should hold {wanted}, but it holds {found}« ({{dtype}})»."
        raise CheckFailed(kind, name=name, mine={"dtype": array.dtype.name})
    right = None if expected is None else as_array(expected, Phrase("the expected value"))
    if right is not None:
        _check_shape(list(array.shape), list(right.shape), name)
    elif shape is not None:
        _check_shape(list(array.shape), list(shape), name)
    if right is None:
        return
    if right.dtype.kind in "iub" and array.dtype.kind in "iub":
        rtol, atol = rtol or 0.0, atol or 0.0
    low_precision = any(storage_bits(value) == 16 for value in (actual, expected))
    rtol = rtol if rtol is not None else (2e-2 if low_precision else 1e-4)
    atol = atol if atol is not None else (1e-3 if low_precision else 1e-5)
    if not _close(array, right, rtol, atol):
        raise _difference(array, right, rtol, atol, name)


def storage_bits(value: Any) -> int:
    """Bits per number of a tensor or array; 0 for a plain list."""
    if is_tensor(value):
        return int(value.element_size() * 8)
    return int(getattr(getattr(value, "dtype", None), "itemsize", 0)) * 8 if type(value).__module__ == "numpy" else 0


def _check_shape(actual: list[int], expected: list[int | None], name: str) -> None:
    def fits(shape: list[int]) -> bool:
        return len(shape) == len(expected) and all(
            wanted is None or length == wanted for length, wanted in zip(shape, expected, strict=True)
        )

    if fits(actual):
        return
    wanted = "[" + ", ".join("any" if length is None else str(length) for length in expected) + "]"
    if fits(actual[1:]) and actual[:1] == [1]:
        reason = "you kept the batch dimension: select the one item with [0]"
    elif fits([1, *actual]):
        reason = "the batch dimension is missing: did you select it away with [0], or unpack a list of one?"
    elif fits(actual[:1] + actual[2:]) or fits(actual[:-2] + actual[-1:]):
        reason = "one dimension too many is left: did you forget to select one position, as in [0, -1]?"
    elif fits([length for length in actual if length != 1]):
        reason = "there are dimensions of length 1 left over: select them with [0], or use squeeze"
    elif fits(actual[::-1]) or fits([*actual[:-2], *actual[:-3:-1]]):
        reason = "rows and columns are exchanged: is it transposed?"
    elif len(actual) == len(expected):
        off = [(a, e) for a, e in zip(actual, expected, strict=True) if e is not None and a != e]
        difference = off[0][0] - (off[0][1] or 0)
        if len(off) == 1 and abs(difference) == 1:
            more = "one more" if difference > 0 else "one fewer"
            reason = f"there is {more} than there should be: is a slice or a range off by one?"
        else:
            reason = "check which dimension you select, and what each one counts"
    else:
        reason = "it has {count} dimensions, not {wanted_count}: check which ones you select"
    raise CheckFailed(
        "{name} has shape {actual} instead of {wanted}: " + reason + ("" if reason.endswith("?") else "."),
        name=name,
        mine={"actual": actual, "count": len(actual)},
        right={"wanted": wanted, "wanted_count": len(expected)},
    )


def _close(actual: Any, expected: Any, rtol: float, atol: float) -> bool:
    import numpy

    if actual.shape != expected.shape:
        return False
    with numpy.errstate(all="ignore"):
        return bool(numpy.allclose(_wide(actual), _wide(expected), rtol=rtol, atol=atol, equal_nan=True))


def _wide(array: Any) -> Any:
    return array.astype(float) if array.dtype.kind in "fb" else array


def _difference(actual: Any, expected: Any, rtol: float, atol: float, name: str) -> CheckFailed:
    import numpy

    a, e = _wide(actual), _wide(expected)
    with numpy.errstate(all="ignore"):
        wrong = ~numpy.isclose(a, e, rtol=rtol, atol=atol, equal_nan=True)
    known: dict[str, object] = {"size": a.size}
    mine: dict[str, object] = {"wrong": int(wrong.sum())}

    def failed(what: str, **more: object) -> CheckFailed:
        return CheckFailed(
            "{name} is wrong« in {wrong} of {size} place(s)»" + what, name=name, mine=mine | more, right=known
        )

    if a.dtype.kind in "fc":
        for bad, what in ((numpy.isnan(a) & ~numpy.isnan(e), "nan"), (numpy.isinf(a) & ~numpy.isinf(e), "infinite")):
            if bad.any():
                reason = "log(0), 0/0 or inf - inf?" if what == "nan" else "log(0), a division by 0, or a mask left in?"
                found = {"count": int(bad.sum()), "first": _position(bad)}
                return CheckFailed(
                    f"{{name}} has« {{count}}» {what} value(s)«, the first at {{first}}»: {reason}",
                    name=name,
                    mine=found,
                )

    def same(changed: Any, target: Any = e) -> bool:
        return changed.size > 0 and _close(changed, target, rtol, atol)

    if a.ndim >= 2 and a.shape[-1] == a.shape[-2] and same(numpy.swapaxes(a, -1, -2)):
        return failed(": rows and columns are exchanged; is it transposed?")
    for axis in range(a.ndim):
        length = a.shape[axis]
        if length < 3:
            continue
        later, earlier = numpy.arange(1, length), numpy.arange(length - 1)
        if same(a.take(later, axis), e.take(earlier, axis)):
            return failed(
                f": everything sits one position too late (dimension {axis}); a shift or slice is off by one."
            )
        if same(a.take(earlier, axis), e.take(later, axis)):
            return failed(
                f": everything sits one position too early (dimension {axis}); a shift or slice is off by one."
            )
        if same(numpy.flip(a, axis)):
            return failed(f": the values are right but in reverse order (dimension {axis}).")
    if a.size > 1 and a.dtype.kind != "c" and same(numpy.sort(a, axis=None), numpy.sort(e, axis=None)):
        return failed(": these are the right values in another order.")
    if a.dtype.kind in "fiu":
        if same(-a.astype(float)):
            return failed(": every value has the wrong sign.")
        with numpy.errstate(all="ignore"):
            if (e > 0).all() and same(numpy.exp(a.astype(float))):
                return failed(": these look like the logarithms of the right values.")
            if (a > 0).all() and same(numpy.log(a.astype(float))):
                return failed(": these look like exp() of the right values: was a logarithm asked for?")
            factor = a.reshape(-1)[int(numpy.abs(e).argmax())] / e.reshape(-1)[int(numpy.abs(e).argmax())]
            if a.size > 1 and numpy.isfinite(factor) and factor != 0 and same(a / factor):
                if (e >= 0).all() and e.sum() < 0.999 and abs(a.sum() - 1) < 1e-3:
                    return failed(
                        ": they sum to 1, but are a part of a distribution: did you apply softmax after topk?"
                    )
                return failed(": every value is {factor} times the right one.", factor=number(float(factor)))
    got, right = a[wrong].reshape(-1)[0], e[wrong].reshape(-1)[0]
    # Which of many places is the first wrong one is the student's doing, and so is the right value there.
    (known if a.size == 1 else mine)["right"] = _plain(right)
    if a.size == 1:
        place = ": {got} instead of {right}."
    else:
        place = "«, first at {first}: {got} instead of {right}»." if a.ndim else "«: {got} instead of {right}»."
    return failed(place, got=_plain(got), first=_position(wrong))


def _plain(value: Any) -> str:
    plain = value.item()
    return f"{plain:.6g}" if isinstance(plain, float) else str(plain)


def _position(mask: Any) -> str:
    # NumPy has no positions in an array without dimensions.
    return str([int(index[0]) for index in mask.nonzero()] if mask.ndim else [])
