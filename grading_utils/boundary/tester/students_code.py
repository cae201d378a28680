"""The code object of a student's function, made from the text of the cells: to be looked at, never to be run."""

from __future__ import annotations

import ast
import linecache
import types
import warnings
from collections.abc import Iterator

from grading_utils.checks.source import StudentSource, parse
from grading_utils.checks.submission import SourceNotebook

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def code_of(source: StudentSource) -> tuple[types.CodeType | None, str]:
    """The code of the function that a qualified name last meant, or None; `inspect.getsource` finds its text.

    Beside it the part of the cells' text that may have given the name to something else; "" where there is none.
    """
    tree = parse(source.source)
    line = _line_of(tree, source.qualname.split(".")) if tree is not None else None
    if line is None:
        return None, ""
    filename = f"<the student's cells, {len(source.source)} characters>"
    linecache.cache[filename] = (len(source.source), None, source.source.splitlines(keepends=True), filename)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = compile(source.source, filename, "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, ""
    codes = (code for code in _all_codes(whole) if code.co_firstlineno == line[0] and code.co_name == line[1])
    return next(codes, None), SourceNotebook(source).rebound()


def _line_of(tree: ast.AST, path: list[str]) -> tuple[int, str] | None:
    """First line and name of the code that a path of names leads to."""
    found: tuple[int, str] | None = None
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == path[0] and len(path) == 1:
            found = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]), node.name
        elif isinstance(node, ast.ClassDef) and node.name == path[0] and len(path) > 1:
            found = _line_of(node, path[1:])
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda) and len(path) == 1:
            if any(isinstance(target, ast.Name) and target.id == path[0] for target in node.targets):
                found = node.value.lineno, "<lambda>"
        elif isinstance(node, ast.If | ast.With | ast.Try | ast.For | ast.While):
            found = _line_of(node, path) or found
    return found


def _all_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from _all_codes(constant)
