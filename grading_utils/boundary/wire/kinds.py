"""What sort of thing an object is, said so that the other process can answer `isinstance`, `callable` and `len`.

The student's process says this about its own objects and may lie. That is as good as the object itself lying about
its class, and no more: it settles what kind of thing something claims to be, never whether it equals anything.
"""

from __future__ import annotations

import collections
import sys
import types
from functools import lru_cache

SPECIALS = (
    "__call__", "__iter__", "__next__", "__len__", "__getitem__", "__setitem__", "__delitem__", "__enter__",
    "__exit__", "__abs__", "__neg__", "__pos__", "__invert__", "__round__", "__float__", "__int__", "__index__",
    "__complex__", "__str__", "__repr__",
    "__add__", "__sub__", "__mul__", "__truediv__", "__floordiv__", "__mod__", "__pow__", "__matmul__",
    "__and__", "__or__", "__xor__", "__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__rmatmul__", "__rpow__",
)  # fmt: skip
"""Operations that Python looks up on the type, and that a stand-in forwards."""

# Only classes of these modules count, and only where they have been imported anyway.
_TRUSTED_ROOTS = frozenset({
    "builtins", "collections", "types", "numbers", "functools", "itertools", "enum", "abc", "typing", "dataclasses",
    "random", "re", "io", "datetime", "decimal", "fractions", "pathlib", "string", "math", "operator", "statistics",
    "numpy", "torch", "pandas", "transformers", "tokenizers", "matplotlib", "networkx", "ipywidgets", "IPython",
})  # fmt: skip


def type_names(kind: type) -> list[str]:
    """Qualified names of a class and everything that it inherits from: `torch.nn.modules.module.Module`."""
    mro = type.__dict__["__mro__"].__get__(kind)
    return [f"{base.__module__}:{base.__qualname__}"[:200] for base in mro[:64] if isinstance(base.__module__, str)]


def specials(value: object) -> list[str]:
    """The `SPECIALS` that the type of `value` has; `__str__` and `__repr__` only where it has its own."""
    kind = type(value)
    found = [name for name in SPECIALS if getattr(kind, name, None) is not None]
    if kind.__repr__ is object.__repr__:
        found.remove("__repr__")
        if kind.__str__ is object.__str__:
            found.remove("__str__")
    if "__call__" in found and not callable(value):
        found.remove("__call__")
    return found


def trusted_class(qualified: str) -> type | None:
    """The class of that name in a module that the grader trusts and has already imported; never imports."""
    module_name, _, path = qualified.partition(":")
    if module_name.partition(".")[0] not in _TRUSTED_ROOTS:
        return None
    found: object = sys.modules.get(module_name)
    if module_name == "builtins" and path in _HIDDEN_BUILTINS:
        return _HIDDEN_BUILTINS[path]
    for part in path.split("."):
        found = vars(found).get(part) if isinstance(found, types.ModuleType | type) else None
    return found if isinstance(found, type) else None


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

    def mro(cls) -> list[type]:
        return [cls, *_Claimed.claimed]


def claimed_class(name: str, kinds: list[str], can: list[str]) -> type:
    """A class for `isinstance` to look at: a subclass, in name only, of the trusted classes among `kinds`.

    It has no instances and runs no code of the classes that it claims.
    """
    found = [trusted_class(kind) for kind in kinds]
    trusted = dict.fromkeys(kind for kind in found if kind is not None and kind is not object)
    return _claimed_class(name if name.isidentifier() else "object", tuple(trusted), tuple(can))


@lru_cache(maxsize=1024)
def _claimed_class(name: str, trusted: tuple[type, ...], can: tuple[str, ...]) -> type:
    protocol = {special: _never for special in can if special in SPECIALS}
    _Claimed.claimed = (*trusted, object)
    try:
        return _Claimed(name, (), protocol)
    except TypeError:  # a builtin with its own memory layout, such as list
        return trusted[0] if trusted else type(name, (), protocol)
    finally:
        _Claimed.claimed = ()


def _never(*_: object) -> None:
    raise TypeError("a claimed class has no instances")
