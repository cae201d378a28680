"""What stands in a piece of the instructor's Python: small questions about syntax, for `origins` and `wording`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# Methods that put their arguments into the object; for torch, every name that ends with `_`.
_STORING = frozenset({
    "add", "append", "appendleft", "extend", "extendleft", "insert", "put", "setdefault", "symmetric_difference_update",
    "update", "write", "writelines", "__setitem__", "difference_update", "intersection_update",
})  # fmt: skip


def starts(statement: ast.stmt) -> int:
    """Its first line, decorators included."""
    decorators = getattr(statement, "decorator_list", [])
    return decorators[0].lineno if decorators else statement.lineno


def blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """The statements inside a statement that run in the same scope, block by block."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return []
    blocks = [getattr(statement, block, []) for block in ("body", "orelse", "finalbody")]
    inner = [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]
    return [*blocks, *(part.body for part in inner)]


def own_expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Every expression of a statement itself, not of statements inside it."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case | ast.Lambda):
                continue
            if isinstance(child, ast.expr) or not isinstance(child, ast.expr_context):
                pending.append(child)
                yield child


def bound(target: ast.AST) -> Iterator[str]:
    """Names that a target binds."""
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def read(node: ast.AST) -> Iterator[str]:
    """Names that are read anywhere in it."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield part.id


def parameters(function: Function) -> frozenset[str]:
    """Names of a function's parameters."""
    a = function.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    return frozenset(parameter.arg for parameter in every)


def root(place: ast.expr) -> str | None:
    """The name at the beginning of `a.b[c].d`."""
    while isinstance(place, ast.Attribute | ast.Subscript | ast.Starred):
        place = place.value
    return place.id if isinstance(place, ast.Name) else None


def last_name(function: ast.expr) -> str:
    """`c` of `a.b.c(...)`."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def stores(method: str) -> bool:
    """Does a method of this name put its arguments into the object?"""
    return method in _STORING or (method.endswith("_") and not method.startswith("_"))


def counted(source: ast.expr) -> ast.expr:
    """What `enumerate(...)` counts."""
    if isinstance(source, ast.Call) and last_name(source.func) == "enumerate" and source.args:
        return source.args[0]
    return source


def held(value: ast.expr) -> set[str]:
    """Names whose objects stand in a value as they are: `[a, b.c]`, not what a call makes of them."""
    if isinstance(value, ast.Call | ast.Constant | ast.JoinedStr | ast.Lambda | ast.Compare | ast.BinOp):
        return set()
    if isinstance(value, ast.Name):
        return {value.id}
    return {name for child in ast.iter_child_nodes(value) if isinstance(child, ast.expr) for name in held(child)}


def taken(definition: ast.stmt) -> set[str]:
    """Names that a function or class takes something from, of those around it."""
    filled = {id(place) for node in ast.walk(definition) if (place := _filled(node)) is not None}
    used = (node for node in ast.walk(definition) if isinstance(node, ast.Name) and id(node) not in filled)
    return {node.id for node in used if isinstance(node.ctx, ast.Load)} - _own_names(definition)


def changed_outside(definition: ast.stmt) -> set[str]:
    """Names around a function or class whose objects it changes."""
    changed: set[str] = set()
    for node in ast.walk(definition):
        if isinstance(node, ast.Global | ast.Nonlocal):
            changed.update(node.names)
        place = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and stores(node.func.attr):
            place = node.func.value
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            place = node
        if place is not None and (name := root(place)) is not None:
            changed.add(name)
    return changed - _own_names(definition)


def _own_names(definition: ast.stmt) -> set[str]:
    """Names that a function or class binds itself."""
    own = {node.arg for node in ast.walk(definition) if isinstance(node, ast.arg)}
    shared = set()
    for node in ast.walk(definition):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node is not definition:
            own.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            shared.update(node.names)
    return own - shared


def _filled(node: ast.AST) -> ast.expr | None:
    """`seen` in a statement `seen.append(x)`, which puts something into it and takes nothing from it."""
    call = node.value if isinstance(node, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and stores(call.func.attr):
        return call.func.value
    return None


def keeps_state(definition: ast.ClassDef) -> bool:
    """Do methods other than `__init__` change an object of the class?"""
    for method in definition.body:
        if isinstance(method, ast.FunctionDef) and method.name != "__init__":
            for node in ast.walk(method):
                stored = isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store)
                called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and stores(node.func.attr)
                if stored or called:
                    return True
    return False
