"""One function, lambda or class as the checker sees it: compiled from its syntax tree, never executed.

`live` and `submission` find definitions, each in its own setting; what they find is made the same here, so the
checker's answer is the same too. This module does not know where a definition comes from.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Literal, Protocol

from grading_utils.checks.scopes import names_stored

Kind = Literal["variable", "import", "function"]
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True)
class Elsewhere:
    """Code that a call runs, and that is neither the notebook's own nor an installed library's."""

    name: str
    """What to call it in a message."""
    known_as: frozenset[str]
    """Whoever allows one of these names trusts it."""


class NotFoundInSource(LookupError):
    """No `def`, `lambda` or `class` for this name in the text."""


@dataclass(frozen=True)
class Definition:
    """One function, lambda or class, compiled."""

    name: str
    bodies: tuple[CodeType, ...]
    """What a call runs; for a class, its body with all methods."""
    defaults: tuple[tuple[str, CodeType], ...] = ()
    """Parameter name and the code of its default value."""
    first_line: int = 1
    """Line of `def` in `lines`."""
    lines: tuple[str, ...] = ()
    """The text around it, for excerpts; empty where there is no source."""
    enclosing_names: frozenset[str] = frozenset()
    """Names of the class around a method, which its default values may use."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameter names of the function, in order; none for a class."""
        if len(self.bodies) != 1:
            return ()
        code = self.bodies[0]
        if not code.co_flags & 0x02:  # CO_NEWLOCALS: set for functions only
            return ()
        count = code.co_argcount + code.co_kwonlyargcount
        return code.co_varnames[:count]


class Notebook(Protocol):
    """What the checker asks about the place where a function was defined."""

    def subject(self) -> list[Definition]:
        """Everything that runs when the checked function is called: it first, then what is wrapped around it."""

    def elsewhere(self) -> list[Elsewhere]:
        """What runs as well when the checked function is called, and can't be looked into."""

    def own_names(self) -> frozenset[str]:
        """Names under which the checked function may call itself."""

    def redefined_builtins(self) -> frozenset[str]:
        """Builtin names that the notebook has bound itself."""

    def kind(self, name: str) -> Kind | None:
        """What a module-level name is; None where nothing defines it."""

    def helper(self, name: str) -> list[Definition]:
        """The definitions behind a function or class that the notebook defines itself; else empty."""


def define(path: Sequence[ast.AST], lines: Sequence[str]) -> Definition:
    """Compile the last node of `path` (outermost first: classes around a method, then the definition).

    Raises:
        NotFoundInSource: The compiler refuses it (`nonlocal` without an outer function, say).
    """
    try:
        return _define(path, lines)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise NotFoundInSource(f"its code does not compile: {type(error).__name__}") from None


def _define(path: Sequence[ast.AST], lines: Sequence[str]) -> Definition:
    node = path[-1]
    assert isinstance(node, Function | ast.ClassDef)
    outermost = _bare(path[0])
    statement = ast.Expr(outermost) if isinstance(outermost, ast.Lambda) else outermost
    module = ast.fix_missing_locations(ast.Module([statement], type_ignores=[]))  # type: ignore[list-item]
    code = compile_quietly(module, "exec")
    names = [getattr(scope, "name", "<lambda>") for scope in path]
    classes = _codes_at(code, names[:-1]) if len(names) > 1 else []
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    bodies = [body for body in _codes_at(code, names) if body.co_firstlineno in (first, node.lineno)]
    return Definition(
        name=".".join(names),
        bodies=tuple(bodies[-1:]),
        defaults=() if isinstance(node, ast.ClassDef) else tuple(_defaults(node)),
        first_line=node.lineno,
        lines=tuple(lines),
        enclosing_names=frozenset[str]().union(*map(names_stored, classes)),
    )


def compile_quietly(tree: ast.Module | ast.Expression, mode: str) -> CodeType:
    """Compile without executing and without printing Python's warnings about odd source."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = compile(tree, "<checked>", mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    assert isinstance(code, CodeType)
    return code


class _WithoutAnnotations(ast.NodeTransformer):
    """Annotations carry no data into a function, so the names in them are nobody's leak."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        self.generic_visit(node)
        node.returns = None
        return node


def _bare(node: ast.AST) -> ast.AST:
    """A copy without annotations, and without the header (decorators, bases) that runs outside the body."""
    bare: ast.AST = _WithoutAnnotations().visit(copy.deepcopy(node))
    for part in [bare, *(bare.body if isinstance(bare, ast.ClassDef) else [])]:
        for header in ("decorator_list", "bases", "keywords"):
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and hasattr(part, header):
                setattr(part, header, [])
    return bare


def _codes_at(code: CodeType, names: Sequence[str]) -> list[CodeType]:
    """Code objects reached from `code` by these names; generic functions add a level of their own."""
    if not names:
        return [code]
    found: list[CodeType] = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_name == names[0]:
                found += _codes_at(constant, names[1:])
            elif constant.co_name.startswith("<generic parameters"):
                found += _codes_at(constant, names)
    return found


def _defaults(node: Function) -> Iterator[tuple[str, CodeType]]:
    positional = [*node.args.posonlyargs, *node.args.args]
    with_default = positional[len(positional) - len(node.args.defaults) :]
    pairs = [*zip(with_default, node.args.defaults, strict=True)]
    pairs += [(a, d) for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d is not None]
    for argument, value in pairs:
        yield argument.arg, compile_quietly(ast.Expression(value), "eval")
