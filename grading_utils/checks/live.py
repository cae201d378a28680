"""Find the definitions behind a live function of this kernel, through its wrappers, closures and methods.

The objects only say *where* the code is; what is analyzed is the text of the notebook cell, as for a function in
another process. Where there is no text (code made by `exec`, say) the compiled code itself is analyzed, and
default values stay unseen. A library's code is never followed; code that is neither a library's nor the notebook's is
named as what can't be looked into.
"""

from __future__ import annotations

import ast
import functools
import linecache
import sys
import types
from collections.abc import Iterator
from typing import Any

from grading_utils.checks.definitions import Definition, Elsewhere, Function, Kind, NotFoundInSource, define
from grading_utils.checks.elsewhere import is_library, is_library_function
from grading_utils.checks.scopes import BUILTINS, outside_uses
from grading_utils.checks.source import parse

Reached = tuple[types.FunctionType, type | None]


class LiveNotebook:
    """The notebook (or module) that a live function belongs to."""

    def __init__(self, func: object, caller_globals: dict[str, Any]) -> None:
        self._func = func
        self._objects: list[object] = []
        kind = func if isinstance(func, type) else type(func)
        functions = [function for function, _ in self._reach(func)]
        # A class may hold nothing but methods that a library generated, such as a named tuple's.
        self._is_local_class = callable(func) and kind.__module__ == caller_globals.get("__name__")
        # A library's wrapper has the library's globals; what was defined next to the check is what we want.
        if self._is_local_class or any(function.__globals__ is caller_globals for function in functions):
            self._globals = caller_globals
        elif functions:
            self._globals = _innermost(func, functions[0]).__globals__
        else:
            raise NotFoundInSource("no Python function")

    def subject(self) -> list[Definition]:
        """See `Notebook`."""
        definitions = self._definitions(self._func)
        if not definitions and not self._is_local_class:
            raise NotFoundInSource("no Python function of this notebook")
        named = self._names_of([self._func])
        reached = self._names_of(self._objects)
        return sorted(definitions, key=lambda item: (item.name not in named, item.name not in reached))

    def elsewhere(self) -> list[Elsewhere]:
        """See `Notebook`."""
        found = []
        for function, owner in self._reach(self._func):
            home = function.__globals__
            if home is self._globals or is_library_function(function):
                continue
            own = {function.__name__, *(name for name, value in home.items() if value is function)}
            if any(use.name not in own for use in outside_uses(function.__code__, frozenset())):
                module = str(home.get("__name__", ""))
                named = self._names_of([function, sys.modules.get(module), owner])
                found.append(Elsewhere(f"`{function.__qualname__}` (`{module}`)", named | {module}))
        return found

    def own_names(self) -> frozenset[str]:
        """See `Notebook`."""
        return self._names_of(self._objects) | {item.name.split(".")[0] for item in self.subject()}

    def redefined_builtins(self) -> frozenset[str]:
        """See `Notebook`."""
        return frozenset(
            name for name in BUILTINS & self._globals.keys() if not _is_of_the_kernel(self._globals[name])
        ) - {"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__build_class__", "__import__"}

    def kind(self, name: str) -> Kind | None:
        """See `Notebook`."""
        if name not in self._globals:
            return None
        value = self._globals[name]
        if isinstance(value, types.ModuleType):
            return "import"
        is_own_class = isinstance(value, type) and value.__module__ == self._globals.get("__name__")
        if self.helper(name) or is_own_class:
            return "function"
        is_callable = isinstance(value, types.FunctionType | types.BuiltinFunctionType | type)
        return "import" if is_callable else "variable"

    def helper(self, name: str) -> list[Definition]:
        """See `Notebook`."""
        value = self._globals.get(name)
        return self._definitions(value) if _is_runnable(value) else []

    def _names_of(self, objects: list[object]) -> frozenset[str]:
        identities = {id(item) for item in objects}
        return frozenset(name for name, value in self._globals.items() if id(value) in identities)

    def _definitions(self, item: object) -> list[Definition]:
        found: dict[object, Definition] = {}
        for function, owner in self._reach(item):
            if function.__globals__ is self._globals:
                definition = _locate(function, owner)
                key = definition.lines and (function.__code__.co_filename, definition.first_line)
                found.setdefault(key or function.__code__, definition)
        return list(found.values())

    def _reach(self, start: object) -> Iterator[Reached]:
        """Every Python function that `start` runs through, outermost first."""
        pending: list[tuple[object, type | None]] = [(start, None)]
        seen: set[int] = set()
        while pending:
            item, owner = pending.pop(0)
            if id(item) in seen:
                continue
            seen.add(id(item))
            if isinstance(item, types.FunctionType):
                yield item, owner
            if start is self._func:
                self._objects.append(item)
            owner = item if isinstance(item, type) else owner
            pending += [(part, owner) for part in _parts(item)]


_WRAPPERS = (
    types.FunctionType,
    types.MethodType,
    type,
    functools.partial,
    functools.partialmethod,
    functools.cached_property,
    staticmethod,
    classmethod,
    property,
)


def _parts(item: object) -> list[object]:
    """What a call of `item` may lead to, one step in."""
    if isinstance(item, types.MethodType | staticmethod | classmethod):
        return [item.__func__]
    if isinstance(item, property):
        return [part for part in (item.fget, item.fset, item.fdel) if part is not None]
    if isinstance(item, functools.partial | functools.partialmethod):
        bound = [*item.args, *item.keywords.values()]
        return [item.func, *(part for part in bound if isinstance(part, _WRAPPERS))]
    if isinstance(item, functools.cached_property):
        return [item.func]
    if isinstance(item, type):
        bases = [b for b in item.__mro__[1:] if b.__module__ == item.__module__ or not is_library(b.__module__)]
        metaclass = [] if is_library(type(item).__module__) else [type(item)]
        return [*(part for part in vars(item).values() if _is_code(part)), *bases, *metaclass]
    if isinstance(item, types.FunctionType):
        cells = zip(item.__code__.co_freevars, item.__closure__ or (), strict=True)
        captured = [_content(cell) for name, cell in cells if name != "__class__"]
        wrapped = item.__dict__.get("__wrapped__")
        return [part for part in (wrapped, *captured) if _is_code(part)]
    if (wrapped := getattr(item, "__wrapped__", None)) is not None:
        return [wrapped]
    if _is_code(item) or callable(item):  # what it holds may be a function that it was put around, as a decorator
        return [type(item), *(part for part in getattr(item, "__dict__", {}).values() if _is_code(part))]
    return []


def _is_runnable(item: object) -> bool:
    return isinstance(item, (*_WRAPPERS, functools._lru_cache_wrapper))


def _is_code(item: object) -> bool:
    """Is an object something to look into: runnable, or of no library and called, as a function or as a descriptor?"""
    is_called = callable(item) or hasattr(type(item), "__get__")
    return _is_runnable(item) or (is_called and not is_library(type(item).__module__))


def _content(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _innermost(func: object, default: types.FunctionType) -> types.FunctionType:
    item, seen = func, set[int]()
    while id(item) not in seen:
        seen.add(id(item))
        if isinstance(item, functools.partial):
            item = item.func
        elif isinstance(item, types.MethodType):
            item = item.__func__
        elif not isinstance(item, type):
            item = getattr(item, "__wrapped__", item)
    return item if isinstance(item, types.FunctionType) else default


def _is_of_the_kernel(value: object) -> bool:
    home = getattr(value, "__module__", None) or ""
    kernel = ("IPython.", "ipykernel.", "_sitebuiltins", "builtins", "io", "_io")
    return any(str(module).startswith(kernel) for module in (home, type(value).__module__)) and callable(value)


def _locate(function: types.FunctionType, owner: type | None) -> Definition:
    """The definition in the text of its cell; the compiled code where the text is missing or has changed."""
    code = function.__code__
    lines = [line.rstrip("\n") for line in linecache.getlines(code.co_filename, function.__globals__)]
    tree = parse("\n".join(lines)) if lines else None
    if tree is not None:
        for path in _paths_at(tree, code):
            definitions = [node for node in path if isinstance(node, Function | ast.ClassDef)]
            cut = next((i for i, node in enumerate(definitions) if isinstance(node, Function)), 0)
            classes = [getattr(node, "name", "") for node in definitions[:cut]]
            if owner is not None and owner.__name__ in classes:
                cut = classes.index(owner.__name__)
            return define(definitions[: cut + 1], lines)
    return Definition(name=code.co_qualname, bodies=(code,), first_line=code.co_firstlineno)


def _paths_at(tree: ast.AST, code: types.CodeType, path: tuple[ast.AST, ...] = ()) -> Iterator[list[ast.AST]]:
    """Paths from the module to the definitions that could have been compiled to `code`."""
    for child in ast.iter_child_nodes(tree):
        here = (*path, child)
        if isinstance(child, Function) and getattr(child, "name", "<lambda>") == code.co_name:
            first = min([child.lineno, *(d.lineno for d in getattr(child, "decorator_list", []))])
            if first == code.co_firstlineno and _same_code(child, code):
                yield list(here)
        yield from _paths_at(child, code, here)


def _same_code(node: ast.AST, code: types.CodeType) -> bool:
    if not isinstance(node, ast.Lambda):
        return True
    arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    if tuple(arguments) != code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        return False
    columns = [position[2] for position in code.co_positions() if position[2]]
    return not columns or node.body.col_offset <= min(columns) <= (node.body.end_col_offset or 0)
