"""Blanks that are left in a student's cells: `...` where code of their own should stand.

Looks at text only. A blank belongs to the statement of the cell that it stands in (a function, an assignment), so that
one that is left in another function, or in another cell, is not blamed for what a filled one does.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LONGEST = 50_000
"""Characters of a cell that is looked at."""

_ONE_AT_A_TIME = threading.Lock()
"""In Python 3.11 threads that make syntax trees share a counter of depth, and one of them may fail for it."""


@dataclass(frozen=True)
class Blank:
    """Where a blank is."""

    line: int
    """Of the cell, from 1."""
    text: str
    """That line, without indentation."""


def first_blank(source: str, line: int | None = None) -> Blank | None:
    """Return the first blank of a cell, or of its function or statement around a line; None if there is none.

    `x[..., 0]` is no blank, nor are dots in a text or a comment.
    """
    tree = _parsed(source)
    return None if tree is None else _first_in(_around(tree, line), source)


def blank_behind(names: Iterable[str], sources: Iterable[str]) -> Blank | None:
    """Return the first blank in a statement that binds one of the names, as the cells last bound them.

    Args:
        names: what a check, say, uses.
        sources: the cells, oldest first; the last one that binds a name counts.
    """
    behind: dict[str, Blank | None] = {}
    for source in sources:
        tree = _parsed(source)
        for statement in tree.body if tree is not None else []:
            blank = _first_in(statement, source)
            behind.update(dict.fromkeys(_binds(statement), blank))
    return next((blank for name in names if (blank := behind.get(name))), None)


def names_in(source: str, line: int | None = None) -> list[str]:
    """Return the names that a cell, or its statement around a line, mentions, in order."""
    tree = _parsed(source)
    nodes = [] if tree is None else list(ast.walk(_around(tree, line)))
    return list(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))


def bound_names(source: str) -> set[str]:
    """Return the names that the statements of a cell bind."""
    tree = _parsed(source)
    return set().union(*map(_binds, tree.body)) if tree is not None else set()


def _parsed(source: str) -> ast.Module | None:
    """The tree of a cell; None where it is no Python, or too much of it to be an answer with a blank."""
    if len(source) > _LONGEST:
        return None
    try:
        with _ONE_AT_A_TIME:
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _around(tree: ast.Module, line: int | None) -> ast.AST:
    """The innermost function around a line, else the statement of the cell; all of it if no line is given."""
    if line is None:
        return tree
    found: ast.AST = tree
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) or node in tree.body:
            assert isinstance(node, ast.stmt)
            if node.lineno <= line <= (node.end_lineno or node.lineno):
                found = node
    return found


def _first_in(node: ast.AST, source: str) -> Blank | None:
    lines = [blank.lineno for blank in _blanks(node)]
    return Blank(min(lines), source.split("\n")[min(lines) - 1].strip()) if lines else None


def _blanks(node: ast.AST) -> Iterator[ast.Constant]:
    waiting = [node]  # no recursion: what a student wrote may be nested as deeply as the parser lets it
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and node.value is Ellipsis:
            yield node
        for child in ast.iter_child_nodes(node):
            if isinstance(node, ast.Subscript) and child is node.slice and isinstance(child, ast.Tuple):
                waiting += [part for part in child.elts if not isinstance(part, ast.Constant)]
            else:
                waiting.append(child)


def _binds(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {node.id for node in stored if isinstance(node.ctx, ast.Store)}
