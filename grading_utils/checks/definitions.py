"""Find a definition in source text and compile it, without executing it.

A `Definition` is one function, lambda or class with the code objects that a call to it runs. `SourceNotebook` finds
them by name in the text of a whole submission, the way Python would have bound them: the last binding wins,
and aliases, decorators, `partial(...)`, factories and base classes are followed as far as the text shows them.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Literal, Protocol

from grading_utils.checks.scopes import BUILTINS
from grading_utils.checks.source import StudentSource, parse, plain_python

Kind = Literal["variable", "import", "function"]
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
# IPython binds these in every kernel; they are the notebook's only where its text binds them again.
KERNEL_NAMES = frozenset({"open", "exit", "quit", "get_ipython"})


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
    *classes, node = path
    assert isinstance(node, Function | ast.ClassDef)
    enclosing = frozenset(name for scope in classes for name in _bound_in_class(scope))
    outermost = _bare(path[0])
    statement = ast.Expr(outermost) if isinstance(outermost, ast.Lambda) else outermost
    module = ast.fix_missing_locations(ast.Module([statement], type_ignores=[]))  # type: ignore[list-item]
    code = compile_quietly(module, "exec")
    names = [getattr(scope, "name", "<lambda>") for scope in path]
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    bodies = [body for body in _codes_at(code, names) if body.co_firstlineno in (first, node.lineno)]
    return Definition(
        name=".".join(names),
        bodies=tuple(bodies[-1:]),
        defaults=() if isinstance(node, ast.ClassDef) else tuple(_defaults(node)),
        first_line=node.lineno,
        lines=tuple(lines),
        enclosing_names=enclosing,
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


def _bound_in_class(node: ast.AST) -> Iterator[str]:
    for statement in getattr(node, "body", []):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom):
            yield from (name for name, _ in _bindings([statement]))


def _bindings(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """Names bound at this level with what binds them, in order; bodies of `if`, `with`, `try`… included."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name, statement
            continue
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for alias in statement.names:
                yield alias.asname or alias.name.split(".")[0], statement
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                for leaf in ast.walk(target):
                    if isinstance(leaf, ast.Name) and isinstance(leaf.ctx, ast.Store):
                        yield leaf.id, statement.value if leaf is target else statement
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if statement.value is not None:
                yield statement.target.id, statement.value
        elif isinstance(statement, ast.For | ast.AsyncFor | ast.With | ast.AsyncWith | ast.AugAssign):
            yield from ((name, statement) for name in _header_names(statement))
        for block in ("body", "handlers", "orelse", "finalbody", "cases"):
            yield from _bindings(getattr(statement, block, []))


def _header_names(statement: ast.stmt) -> Iterator[str]:
    header: list[ast.AST] = [getattr(statement, "target", ast.Pass())]
    header += [item.optional_vars for item in getattr(statement, "items", []) if item.optional_vars is not None]
    for part in header:
        yield from (leaf.id for leaf in ast.walk(part) if isinstance(leaf, ast.Name))


class SourceNotebook:
    """A submission's text, asked about one function."""

    def __init__(self, student: StudentSource) -> None:
        tree = parse(text := plain_python(student.source))
        if tree is None:
            raise NotFoundInSource("the notebook's code is not valid Python")
        self._student = student
        self._lines = text.split("\n")
        self._bindings = list(_bindings(tree.body))
        self._own: set[str] = {student.qualname.split(".")[0]}

    def subject(self) -> list[Definition]:
        """See `Notebook`."""
        name, *attributes = self._student.qualname.split(".")
        paths = self._resolve_name(name, len(self._bindings), follow_own=True)
        for attribute in attributes:
            if attribute == "<locals>":
                break
            paths = [found for path in paths for found in self._attribute(path, attribute)]
        if not paths:
            raise NotFoundInSource(f"no definition of {self._student.qualname}")
        return self._define_all(paths)

    def own_names(self) -> frozenset[str]:
        """See `Notebook`."""
        return frozenset(self._own)

    def redefined_builtins(self) -> frozenset[str]:
        """See `Notebook`."""
        bound = {name for name, _ in self._bindings}
        return (BUILTINS & self._student.module_names) - (KERNEL_NAMES - bound)

    def kind(self, name: str) -> Kind | None:
        """See `Notebook`."""
        if name not in self._student.module_names:
            return None
        last = next((node for bound, node in reversed(self._bindings) if bound == name), None)
        if isinstance(last, ast.Import | ast.ImportFrom):
            return "import"
        return "function" if self.helper(name) else "variable"

    def helper(self, name: str) -> list[Definition]:
        """See `Notebook`."""
        return self._define_all(self._resolve_name(name, len(self._bindings), instances=False))

    def _define_all(self, paths: list[list[ast.AST]]) -> list[Definition]:
        unique = {id(path[-1]): path for path in paths}
        return [define(path, self._lines) for path in unique.values()]

    def _resolve_name(
        self, name: str, before: int, *, instances: bool = True, follow_own: bool = False
    ) -> list[list[ast.AST]]:
        """Paths to the definitions that `name` stood for, just before binding number `before`."""
        for index in range(before - 1, -1, -1):
            bound, node = self._bindings[index]
            if bound == name:
                if follow_own:
                    self._own.add(name)
                return self._resolve(node, index, instances=instances, follow_own=follow_own)
        return []

    def _resolve(self, node: ast.AST, before: int, *, instances: bool, follow_own: bool) -> list[list[ast.AST]]:
        def inner(part: ast.AST, instances: bool = instances) -> list[list[ast.AST]]:
            return self._resolve(part, before, instances=instances, follow_own=follow_own)

        match node:
            case ast.Lambda():
                return [[node]]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return [[node], *(path for dec in node.decorator_list for path in inner(dec))]
            case ast.ClassDef():
                return [[node], *(path for base in node.bases for path in inner(base, False))]
            case ast.Name():
                return self._resolve_name(node.id, before, instances=instances, follow_own=follow_own)
            case ast.Attribute():
                return [found for path in inner(node.value) for found in self._attribute(path, node.attr)]
            case ast.Call():
                arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
                found = [path for argument in arguments for path in inner(argument, False)]
                for path in inner(node.func):
                    is_class = isinstance(path[-1], ast.ClassDef)
                    if (is_class and instances) or (not is_class and _makes_functions(path[-1])):
                        found.append(path)
                return found
        return []

    @staticmethod
    def _attribute(path: list[ast.AST], name: str) -> list[list[ast.AST]]:
        body = getattr(path[-1], "body", []) if isinstance(path[-1], ast.ClassDef) else []
        return [
            [*path, part]
            for part in body
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and part.name == name
        ]


def _makes_functions(node: ast.AST) -> bool:
    return any(isinstance(part, Function) for part in ast.walk(node) if part is not node)
