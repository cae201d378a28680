"""Can a name of a notebook come to mean something else than its text shows?

The text of a submission shows what `def`, `class`, `import` and assignments bind. Here are the ways around them: names
that a function declares global, `:=`, what `match` captures, `import *` of a module of the student's own, the
notebook's namespace as a dict, `exec`, `__main__`, another function's code put into a function, and what is put into a
class from outside. Whoever builds such words at run time gets past this; it finds what a text says.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grading_utils.checks.elsewhere import is_library
from grading_utils.checks.source import parse

_NAMESPACES = frozenset({"globals", "vars", "locals"})
_LOOKS = frozenset({"get", "keys", "values", "items", "copy", "__contains__", "__getitem__"})
_HARMLESS = frozenset({"sorted", "len", "list", "print", "set", "any", "all", "str", "repr", "iter", "enumerate"})
_RUNS_TEXT = frozenset({"exec", "eval"})
_MAIN = "__main__"
_INSIDES = frozenset({
    _MAIN, "user_ns", "user_global_ns", "user_module", "f_globals", "f_locals", "f_builtins", "__globals__",
    "run_cell", "run_code", "run_line_magic", "run_cell_magic", "push", "safe_execfile", "ex",
})  # fmt: skip
_OF_A_FUNCTION = frozenset({"__code__", "__defaults__", "__kwdefaults__", "__call__"})


def rebinding(tree: ast.AST, name: str, definition: ast.AST | None = None) -> ast.AST | None:
    """The first part of a text that may bind `name`, or any name, behind the back of who reads the text; or None.

    Args:
        tree: The text.
        name: The name.
        definition: What binds it as the text shows; whoever asks looks into that for himself.
    """
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    known = set(ast.walk(definition)) if definition is not None else set()
    others = [node for node in ast.walk(tree) if node not in known]
    if isinstance(definition, ast.ClassDef) and (given := [node for node in others if _gives(node, name, parents)]):
        return given[0]
    return next((node for node in others if _may_rebind(node, name, parents)), None)


def _gives(node: ast.AST, name: str, parents: dict[ast.AST, ast.AST]) -> bool:
    """Is something put into the class `name` from outside, which may be code: `A.run = …`, `setattr(A, "run", …)`?"""
    match node:
        case ast.Attribute(value=ast.Name(id=owner), ctx=ast.Store()):
            value = getattr(parents[node], "value", None)
        case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=owner), _, value]):
            pass
        case _:
            return False
    may_be_code = isinstance(value, ast.Name | ast.Attribute | ast.Call | ast.Lambda | type(None))
    return owner == name and may_be_code and not _is_in_a_function(node, parents)


def _may_rebind(node: ast.AST, name: str, parents: dict[ast.AST, ast.AST]) -> bool:
    match node:
        case ast.Global():
            return name in node.names
        case ast.NamedExpr():
            return node.target.id == name and not _is_in_a_function(node, parents)
        case ast.MatchAs() | ast.MatchStar():
            return node.name == name and not _is_in_a_function(node, parents)
        case ast.MatchMapping():
            return node.rest == name and not _is_in_a_function(node, parents)
        case ast.ImportFrom():
            is_star = any(alias.name == "*" for alias in node.names)
            return node.module == _MAIN or (is_star and (node.level > 0 or not is_library(node.module or "")))
        case ast.Import():
            return any(alias.name == _MAIN for alias in node.names)
        case ast.Name(id=called) if called in _RUNS_TEXT:
            return not _runs_a_known_text(parents.get(node), name)
        case ast.Name(id=called) if called in _NAMESPACES:
            return not _only_looks(parents.get(node), parents)
        case ast.Attribute():
            is_stored = isinstance(node.ctx, ast.Store | ast.Del)
            return (
                node.attr in _INSIDES
                or (is_stored and node.attr in _OF_A_FUNCTION and not _is_in_a_function(node, parents))
                or (node.attr == "modules" and isinstance(node.value, ast.Name) and node.value.id == "sys")
            )
        case ast.Constant(value=str(text)):
            return (text == _MAIN and not _is_compared(node, parents)) or text in ("__code__", "user_ns", "__globals__")
    return False


def _is_in_a_function(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    functions = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    return any(isinstance(above, functions) for above in _above(node, parents))


def _above(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while (above := parents.get(node)) is not None:
        yield above
        node = above


def _runs_a_known_text(call: ast.AST | None, name: str) -> bool:
    """Is it `exec("...")` or `eval("...")` with a text that binds nothing of that name?"""
    if not isinstance(call, ast.Call) or not call.args or not isinstance(call.args[0], ast.Constant):
        return False
    tree = parse(str(call.args[0].value))
    if tree is None:
        return True  # it raises a SyntaxError
    bound = {part.id for part in ast.walk(tree) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    bound |= {str(getattr(part, "name", "")) for part in ast.walk(tree)}
    return name not in bound and rebinding(tree, name) is None


def _only_looks(call: ast.AST | None, parents: dict[ast.AST, ast.AST]) -> bool:
    """Is what `globals()` gives only looked at, in place? `vars(x)` and the like are somebody else's names."""
    if not isinstance(call, ast.Call):
        return False
    if call.args:
        return True
    around = parents.get(call)
    match around:
        case ast.Subscript():
            return isinstance(around.ctx, ast.Load)
        case ast.Attribute():
            return around.attr in _LOOKS
        case ast.Call():
            return isinstance(around.func, ast.Name) and around.func.id in _HARMLESS
        case ast.Compare() | ast.For() | ast.comprehension() | ast.Expr():
            return True
    return False


def _is_compared(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    around = parents.get(node)
    names = [part.id for part in ast.walk(around) if isinstance(part, ast.Name)] if around is not None else []
    return isinstance(around, ast.Compare) and names == ["__name__"]
