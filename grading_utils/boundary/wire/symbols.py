"""SymPy's expressions to wire nodes and back: the name of an operation from a table, and what it is applied to.

Nothing is parsed, and nothing evaluated: what comes in is put together as it is (`evaluate=False`), so that a forged
`2 ** 10 ** 10` is an expression and no computation.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.references import Reader, Writer

_OPERATIONS = (
    "Add", "Mul", "Pow", "Abs", "sign", "floor", "ceiling", "factorial", "binomial", "gamma", "Max", "Min",
    "sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh",
    "atanh", "exp", "log", "erf", "re", "im", "conjugate", "arg", "Heaviside",
    "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not", "FiniteSet", "Union",
)  # fmt: skip
_UNEVALUATED = ("Tuple", "Derivative", "Integral", "Sum", "Product", "Limit", "Interval")
_CONSTANTS = (
    "pi", "E", "I", "oo", "zoo", "nan", "true", "false", "GoldenRatio", "EulerGamma", "EmptySet", "Reals", "Integers",
)  # fmt: skip
_MATRICES = ("MutableDenseMatrix", "ImmutableDenseMatrix")
_NUMBERS = ("Integer", "Rational", "Float", "Symbol")
_ASSUMED = frozenset({
    "commutative", "real", "positive", "negative", "integer", "nonnegative", "nonpositive", "nonzero", "complex",
    "even", "odd", "rational", "zero", "finite", "imaginary", "prime", "extended_real",
})  # fmt: skip
_MOST_PARTS = 2000
_MOST_DIGITS = 1000


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, Any], dict[Any, str], dict[Any, str]]:
    """Classes by name, their names, and the names of constants."""
    import sympy

    names = [name for name in (*_OPERATIONS, *_UNEVALUATED, *_MATRICES, *_NUMBERS) if hasattr(sympy, name)]
    classes = {name: getattr(sympy, name) for name in names}
    constants = {getattr(sympy.S, name, getattr(sympy, name, None)): name for name in _CONSTANTS}
    return classes, {kind: name for name, kind in classes.items()}, constants


def encode(encoder: Writer, value: Any, _: type) -> nodes.Value:
    """The node for an expression or a matrix; None where something in it is not in the table."""
    import sympy

    if not isinstance(value, sympy.Basic | sympy.MatrixBase) or not _is_known(value):
        return None
    return _node(encoder, value)


def _is_known(root: Any) -> bool:
    waiting = [root]
    for count, part in enumerate(waiting):  # grows meanwhile
        if count >= _MOST_PARTS or _name(part) is None:
            return False
        if _name(part) not in _NUMBERS:
            waiting.extend(part.flat() if _name(part) in _MATRICES else part.args)
    return _depth(root) <= nodes.MAX_DEPTH // 2


def _depth(part: Any) -> int:
    parts = () if _name(part) in _NUMBERS else part.flat() if _name(part) in _MATRICES else part.args
    return 1 + max(map(_depth, parts), default=0)


def _name(part: Any) -> str | None:
    import sympy

    _, names, constants = _table()
    if type(part) is bool:
        return None
    if isinstance(part, sympy.Integer):
        return "Integer" if abs(part.p).bit_length() < 3 * _MOST_DIGITS else None
    if isinstance(part, sympy.Rational) and part not in constants:
        return "Rational" if max(abs(part.p), part.q).bit_length() < 3 * _MOST_DIGITS else None
    if isinstance(part, sympy.Float):
        return "Float" if part._prec < 4 * _MOST_DIGITS and abs(part._mpf_[2]) <= 1 << 14 else None
    if isinstance(part, sympy.Basic) and part in constants:
        return constants[part]
    name = names.get(type(part))
    if name == "Symbol" and not part._assumptions_orig.keys() <= _ASSUMED:
        return None
    return name


def _node(encoder: Writer, value: Any) -> nodes.Value:
    name = _name(value) or ""
    items: list[nodes.Value]
    if name == "Symbol":
        items = [encoder.node(value.name), encoder.node(dict(value._assumptions_orig))]
    elif name == "Integer":
        items = [encoder.node(int(value.p))]
    elif name == "Rational":
        items = [encoder.node(int(value.p)), encoder.node(int(value.q))]
    elif name == "Float":
        items = [encoder.node(tuple(int(part) for part in value._mpf_)), encoder.node(int(value._prec))]
    elif name in _MATRICES:
        items = [*value.shape, *(_node(encoder, part) for part in value.flat())]
    else:
        items = [_node(encoder, part) for part in (() if name in _CONSTANTS else value.args)]
    return nodes.Symbolic(name, items)


def decode(decoder: Reader, node: nodes.Symbolic) -> Any:
    """The expression that a node describes."""
    import sympy

    classes, _, constants = _table()
    name, items = node.name, decoder.all(node.items)
    for constant, known in constants.items():
        if known == name:
            return constant
    if name == "Symbol":
        return _symbol(*items)
    if name in ("Integer", "Rational"):
        if not all(type(item) is int for item in items):
            raise TypeError("not a number")
        return classes[name](*items)
    if name == "Float":
        mantissa, precision = items
        whole = (*mantissa, precision)
        if len(mantissa) != 4 or not all(type(n) is int and abs(n).bit_length() < 4 * _MOST_DIGITS for n in whole):
            raise TypeError("not a number")
        if not 0 < precision < 4 * _MOST_DIGITS or abs(mantissa[2]) > 1 << 14:
            raise TypeError("not a number")
        return sympy.Float(mantissa, precision=precision)
    if name in _MATRICES:
        rows, columns, *parts = items
        return classes[name](rows, columns, [_expression(part) for part in parts])
    parts = [_expression(item) for item in items]
    return classes[name](*parts, evaluate=False) if name in _OPERATIONS else classes[name](*parts)


def _symbol(name: object, assumptions: object) -> Any:
    import sympy

    if type(name) is not str or type(assumptions) is not dict or not assumptions.keys() <= _ASSUMED:
        raise TypeError("not a symbol")
    if not all(type(value) in (bool, type(None)) for value in assumptions.values()):
        raise TypeError("not a symbol")
    return sympy.Symbol(name, **assumptions)


def _expression(value: object) -> Any:
    import sympy

    if not isinstance(value, sympy.Basic):
        raise TypeError("not an expression")
    return value


DECODERS: dict[type, Any] = {nodes.Symbolic: decode}
