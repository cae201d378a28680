"""What student code may do with the tester's own objects that a test hands it.

Functions can be called. Instances of classes that were written in the notebook can be used as such: public
attributes, methods, items. Of a library's objects only data can be read, plus what one does with a torch module or a
scikit-learn estimator. Modules, dunder and private names are out of reach, so that nothing
leads from an argument to the test's globals.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from typing import Any

from grading_utils.boundary.wire import kinds

_MODULE_METHODS = frozenset({
    "forward", "eval", "train", "parameters", "named_parameters", "state_dict", "modules", "children",
    "named_children", "named_modules", "zero_grad", "to", "cpu", "float", "requires_grad_", "generate",
})  # fmt: skip
_ESTIMATES = frozenset({
    "predict", "predict_proba", "predict_log_proba", "decision_function", "score", "transform", "inverse_transform",
    "get_params",
})  # fmt: skip
_CHANGES = frozenset({"fit", "fit_transform", "fit_predict", "partial_fit", "set_params"})
_TOLD = ("__name__", "__qualname__", "__doc__")
_DATA = (bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, type(None))
_LIBRARIES_OF_DATA = frozenset({"numpy", "torch", "pandas"})
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)


def permit(target: Any, op: str, arguments: list[Any]) -> None:
    """Raise `AttributeError` or `TypeError` where student code may not do this."""
    kind = type(target)
    if op in ("getattr", "setattr", "delattr"):
        name = arguments[0] if arguments else None
        if op == "getattr" and type(target) is types.FunctionType and type(name) is str and name in _TOLD:
            return
        if type(name) is not str or name.startswith("_") or not name.isidentifier():
            raise AttributeError(f"this attribute of a test's {kind.__name__} can't be used")
        if isinstance(target, types.ModuleType | types.FunctionType | types.BuiltinFunctionType | types.MethodType):
            raise AttributeError(f"a test's {kind.__name__} has no attribute {name!r} here")
        if op != "getattr" and not is_written_here(kind):
            raise AttributeError(f"{kind.__name__!r} object attribute {name!r} is read-only here")
    elif op not in kinds.specials(target) or isinstance(target, types.ModuleType):
        raise TypeError(f"this can't be done with a test's {kind.__name__}")


def permit_result(target: Any, name: str, value: Any, *, may_change: bool = False) -> None:
    """Raise `AttributeError` where the value of an attribute is nothing for student code.

    Args:
        target: The test's object.
        name: Of the attribute.
        value: Of the attribute.
        may_change: Whether student code may change the object in the check that is running.
    """
    kind = type(target)
    if type(target) is types.FunctionType and type(value) in (str, type(None)):
        return
    if isinstance(value, types.ModuleType | types.CodeType | types.FrameType):
        raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r} here")
    if type(value) in _DATA or _is_librarys_data(value):
        return
    if is_written_here(kind) and _written_attribute(target, name):
        return
    if _is_estimator(target) and (name in _ESTIMATES or (may_change and name in _CHANGES)):
        return
    if isinstance(target, type) or not _is_torch_module(target) or not _allowed_of_module(name, value):
        raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r} here")


def is_changeable_data(value: object) -> bool:
    """Is it data that can be changed in place, so that who was handed a copy could not change the original?"""
    return isinstance(value, list | tuple | dict | set | bytearray | deque) or _is_librarys_data(value)


def _is_librarys_data(value: object) -> bool:
    return type(value).__module__.partition(".")[0] in _LIBRARIES_OF_DATA and not callable(value)


def is_written_here(kind: type) -> bool:
    """Was a class written in a cell of the notebook, or does it inherit from one that was?"""
    return any(base.__module__ == "__main__" for base in kind.__mro__)


def _written_attribute(target: Any, name: str) -> bool:
    if name in getattr(target, "__dict__", {}):
        return True
    return any(name in vars(base) for base in type(target).__mro__ if base.__module__ == "__main__")


def _is_estimator(target: Any) -> bool:
    sklearn = sys.modules.get("sklearn.base")
    return sklearn is not None and isinstance(target, sklearn.BaseEstimator)


def _is_torch_module(target: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(target, torch.nn.Module)


def _allowed_of_module(name: str, value: Any) -> bool:
    return name in _MODULE_METHODS or _is_torch_module(value) or name == "config"


def library_name(value: object) -> tuple[str, str] | None:
    """Module and qualified name of a function, class or module of a library that both processes have."""
    if isinstance(value, types.ModuleType):
        name = value.__name__
        return (name, "") if sys.modules.get(name) is value and _is_library(name) else None
    if not isinstance(value, _FUNCTIONS) and type(value).__name__ != "ufunc":
        return None
    module = getattr(value, "__module__", None)
    module = "numpy" if type(value).__name__ == "ufunc" else module
    qualname = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(module, str) or not isinstance(qualname, str) or not _is_library(module):
        return None
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return (module, qualname) if found is value else None


def _is_library(module: str) -> bool:
    return module != "__main__" and not module.startswith("grading_utils.boundary")
