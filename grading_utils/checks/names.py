"""Which global names a piece of code binds or reads, found without running it.

What code does to names in other ways (`exec`, `globals()`, `import *`) is not seen.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import types
from functools import lru_cache
from typing import Any

from grading_utils.checks.source import parse


def uses_unknown_names(code: types.CodeType, known: dict[str, Any]) -> bool:
    """Does this code, or a function inside it, use a name that is neither known nor builtin?"""
    if any(name not in known and not hasattr(builtins, name) for name in code.co_names):
        return True
    return any(uses_unknown_names(c, known) for c in code.co_consts if isinstance(c, types.CodeType))


@lru_cache(maxsize=256)
def bound_names(source: str) -> frozenset[str]:
    """Names that a cell binds at its top level; those it can bind in other ways are not seen."""
    try:
        table = symtable.symtable(source, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    return frozenset(bound.union(*(_declared_global(child) for child in table.get_children())))


def _declared_global(table: symtable.SymbolTable) -> set[str]:
    found = {s.get_name() for s in table.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return found.union(*(_declared_global(child) for child in table.get_children()))


def defined_names(source: str) -> frozenset[str]:
    """Names of the functions and classes that a cell defines, wherever in it."""
    tree = parse(source)
    if tree is None:
        return frozenset()
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@lru_cache(maxsize=256)
def free_names(source: str) -> frozenset[str]:
    """Global names that a cell reads anywhere in it."""
    try:
        table = symtable.symtable(source, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(_read_globals(table, is_top=True))


def _read_globals(table: symtable.SymbolTable, *, is_top: bool = False) -> set[str]:
    found = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (is_top or s.is_global())}
    return found.union(*(_read_globals(child) for child in table.get_children()))


@lru_cache(maxsize=256)
def mentioned_names(source: str) -> frozenset[str]:
    """Every identifier in a cell, wherever it stands; all words of it where it does not parse."""
    tree = parse(source)
    if tree is None:
        return frozenset(re.findall(r"\w+", source))
    return frozenset(_names_in(tree))


@lru_cache(maxsize=256)
def needed_names(source: str) -> frozenset[str]:
    """Names that a cell may read before its top level has assigned them; all words of it where it does not parse."""
    tree = parse(source)
    if tree is None:
        return mentioned_names(source)
    needed: set[str] = set()
    bound: set[str] = set()
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        parts = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
        is_plain = isinstance(statement, ast.Assign) and all(isinstance(part, ast.Name) for part in parts)
        read = _names_in(statement.value if isinstance(statement, ast.Assign) and is_plain else statement)
        needed |= read - bound
        bound |= {part.id for part in parts if isinstance(part, ast.Name)} if is_plain else set()
    return frozenset(needed)


def _names_in(tree: ast.AST) -> set[str]:
    """As with `ast.walk`, in a third of the time: every check's text is gone through for every submission."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if type(node) is ast.Name:
            found.add(node.id)
            continue
        for field in node._fields:
            value = getattr(node, field, None)
            if type(value) is list:
                waiting += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append(value)
    return found


def names_in_class_bodies(source: str, filename: str) -> set[str]:
    """Names that class bodies read, from wherever these come."""
    if "class" not in source:
        return set()
    return _class_globals(symtable.symtable(source, filename, "exec"))


def _class_globals(table: symtable.SymbolTable) -> set[str]:
    found = {name for child in table.get_children() for name in _class_globals(child)}
    if table.get_type() == "class":
        found |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (s.is_global() or s.is_local())}
    return found
