"""What sort of thing an object is, said so that the other process can answer `isinstance`, `callable` and `len`.

The student's process says this about its own objects and may lie. That is as good as the object itself lying about
its class, and no more: it settles what kind of thing something claims to be, never whether it equals anything.
"""

from __future__ import annotations

import collections
import sys
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

SPECIALS = (
    "__call__", "__iter__", "__next__", "__len__", "__getitem__", "__setitem__", "__delitem__", "__enter__",
    "__exit__", "__reversed__", "__contains__", "__bool__", "__hash__", "__format__", "__await__",
    "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__",
    "__abs__", "__neg__", "__pos__", "__invert__", "__round__", "__float__", "__int__", "__index__",
    "__complex__", "__trunc__", "__floor__", "__ceil__", "__bytes__", "__str__", "__repr__",
    "__add__", "__sub__", "__mul__", "__truediv__", "__floordiv__", "__mod__", "__divmod__", "__pow__", "__matmul__",
    "__and__", "__or__", "__xor__", "__lshift__", "__rshift__", "__radd__", "__rsub__", "__rmul__", "__rtruediv__",
    "__rfloordiv__", "__rmod__", "__rdivmod__", "__rpow__", "__rmatmul__", "__rand__", "__ror__", "__rxor__",
    "__rlshift__", "__rrshift__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ifloordiv__", "__imod__",
    "__ipow__", "__imatmul__", "__iand__", "__ior__", "__ixor__",
)  # fmt: skip
"""Operations that Python looks up on the type, and that a stand-in forwards."""
FIELDS = "__dataclass_fields__"
"""Listed with the operations where an object is a dataclass or an instance of one."""
_VALUES = (int, float, str, bytes, list, tuple, dict, set, frozenset)
_OF_EVERYTHING = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__format__")

# Only classes of these modules count, and only where they have been imported anyway.
_STANDARD = frozenset(sys.stdlib_module_names)
_LIBRARIES = frozenset({
    "numpy", "torch", "pandas", "transformers", "tokenizers", "matplotlib", "networkx", "ipywidgets", "IPython",
    "sklearn", "scipy", "sympy", "PIL", "seaborn", "plotly", "statsmodels", "xgboost", "lightgbm", "nltk", "spacy",
    "datasets", "torchvision", "keras", "tensorflow", "gensim", "bs4", "requests",
})  # fmt: skip

SharedClasses = Mapping[str, object]
"""What instructor cells bound: their classes count as well. See `references.SharedNames`."""


def type_names(kind: type, shared: Callable[[object], str | None] = lambda _: None) -> list[str]:
    """Qualified names of a class and everything that it inherits from: `torch.nn.modules.module.Module`.

    Args:
        kind: The class.
        shared: The name that an instructor's cell gave to an object; such a class is named `shared:Name`.
    """
    names = []
    for base in mro(kind)[:64]:
        if (name := shared(base)) is not None:
            names.append(f"shared:{name}"[:200])
        elif isinstance(base.__module__, str):
            names.append(f"{base.__module__}:{base.__qualname__}"[:200])
    return names


def mro(kind: type) -> tuple[type, ...]:
    """A class and everything that it inherits from, whatever it says itself."""
    return type.__dict__["__mro__"].__get__(kind)  # type: ignore[no-any-return]


def specials(value: object) -> list[str]:
    """The `SPECIALS` that the type of `value` has, other than those that every object has."""
    kind = type(value)
    found = [name for name in SPECIALS if getattr(kind, name, None) is not None]
    for name in _OF_EVERYTHING:
        inherited = getattr(kind, name, None)
        if name in found and any(inherited is getattr(base, name) for base in (object, *_VALUES)):
            found.remove(name)
    if kind.__repr__ is object.__repr__:
        found.remove("__repr__")
        if kind.__str__ is object.__str__:
            found.remove("__str__")
    if "__call__" in found and not callable(value):
        found.remove("__call__")
    if hasattr(value if isinstance(value, type) else kind, FIELDS):
        found.append(FIELDS)
    return found


def trusted_class(qualified: str, shared: SharedClasses | None = None) -> type | None:
    """The class of that name in a module that the grader trusts and has already imported; never imports."""
    module_name, _, path = qualified.partition(":")
    if module_name == "shared":
        named = (shared or {}).get(path)
        return named if isinstance(named, type) else None
    if module_name.partition(".")[0] not in _STANDARD | _LIBRARIES:
        return None
    found: object = sys.modules.get(module_name)
    if module_name == "builtins" and path in _HIDDEN_BUILTINS:
        return _HIDDEN_BUILTINS[path]
    for part in path.split("."):
        found = vars(found).get(part) if isinstance(found, types.ModuleType | type) else None
    return found if isinstance(found, type) else None


@lru_cache(maxsize=4096)
def has_own_layout(kind: type) -> bool:
    """Are its instances laid out in memory in a way of their own, which C code relies on where one claims the class?"""
    base = kind.__base__
    if base is None:
        return False
    grown = kind.__basicsize__ - base.__basicsize__ or kind.__itemsize__ - base.__itemsize__
    pointers = (kind.__dictoffset__ != base.__dictoffset__) + (kind.__weakrefoffset__ != base.__weakrefoffset__)
    return grown > pointers * _POINTER or has_own_layout(base)


_POINTER = 8

_HIDDEN_BUILTINS: dict[str, type] = {
    "function": types.FunctionType,
    "method": types.MethodType,
    "builtin_function_or_method": types.BuiltinFunctionType,
    "generator": types.GeneratorType,
    "coroutine": types.CoroutineType,
    "module": types.ModuleType,
    "NoneType": types.NoneType,
    "dict_keys": type({}.keys()),
    "dict_values": type({}.values()),
    "dict_items": type({}.items()),
    "list_iterator": type(iter([])),
    "mappingproxy": types.MappingProxyType,
    "cell": types.CellType,
    "code": types.CodeType,
    "odict_keys": type(collections.OrderedDict().keys()),
}


class _Claimed(type):
    """Metaclass of classes whose order of resolution is what a stand-in claims."""

    claimed: tuple[type, ...] = ()
    make: Callable[..., Any] | None = None
    """Makes an object of the original class, for `dataclasses.replace` and the like."""

    def mro(cls) -> list[type]:
        return [cls, *_Claimed.claimed]

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        if cls.make is None:
            raise TypeError("a claimed class has no instances")
        return cls.make(*arguments, **keywords)


def claimed_class(
    name: str,
    kinds: list[str],
    can: list[str],
    shared: SharedClasses | None = None,
) -> type:
    """A class for `isinstance` to look at: one that is trusted itself, or a subclass, in name only, of those.

    It has no instances and runs no code of the classes that it claims. No class of a library whose instances have a
    layout of their own is among them: C code would read the memory of a stand-in as that of a tensor.
    """
    found = [trusted_class(kind, shared) for kind in kinds]
    trusted = [kind for kind in found if kind is not None and kind is not object]
    safe = [kind for kind in trusted if not is_unclaimed(kind)]
    if found and found[0] is not None and found[0] in safe:
        return found[0]
    return _claimed_class(name if name.isidentifier() else "object", tuple(dict.fromkeys(safe)), tuple(can))


def with_constructor(claimed: type, make: Callable[..., Any]) -> type:
    """A claimed class that `make` is called for where it is called; any other class as it is."""
    if not isinstance(claimed, _Claimed):
        return claimed
    _Claimed.claimed = claimed.__mro__
    try:
        return _Claimed(claimed.__name__, (), {"make": staticmethod(make)})
    finally:
        _Claimed.claimed = ()


def is_unclaimed(kind: type) -> bool:
    """Is it a class that no stand-in may claim, such as `torch.Tensor`?"""
    return has_own_layout(kind) and kind.__module__.partition(".")[0] not in _STANDARD


_SENT_WHOLE = (int, str, bytes, bytearray, list, tuple, dict, set, frozenset, collections.deque, collections.Counter)


def is_sent_whole(qualified: str) -> bool:
    """Are objects of that class data, so that a reference to one says that it was too large to be sent?"""
    kind = trusted_class(qualified)
    if kind is None:
        return False
    library = kind.__module__.partition(".")[0]
    is_table = library == "pandas" and kind.__name__ in _TABLES
    return kind in _SENT_WHOLE or is_table or (library in _ARRAYS and is_unclaimed(kind))


_TABLES = ("DataFrame", "Series")
_ARRAYS = ("numpy", "torch")


@lru_cache(maxsize=1024)
def _claimed_class(name: str, trusted: tuple[type, ...], can: tuple[str, ...]) -> type:
    protocol: dict[str, Any] = {special: _never for special in can if special in SPECIALS}
    protocol["__hash__"] = None
    _Claimed.claimed = (*trusted, object)
    try:
        return _Claimed(name, (), protocol)
    except TypeError:  # a builtin with its own memory layout, such as list
        return next((kind for kind in trusted if has_own_layout(kind)), type(name, (), protocol))
    finally:
        _Claimed.claimed = ()


def _never(*_: object) -> None:
    raise TypeError("a claimed class has no instances")
