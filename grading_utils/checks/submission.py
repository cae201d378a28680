"""Find definitions in the text of a whole submission, the way Python would have bound them; nothing is executed.

The last binding of a name wins; aliases, decorators, `partial(...)`, factories and base classes are followed as far as
the text shows them. A function that only running the code could find is not found; a decorator or base class that is
neither found nor a library's is named as what can't be looked into.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from grading_utils.checks.definitions import Definition, Elsewhere, Function, Kind, NotFoundInSource, define
from grading_utils.checks.elsewhere import is_library
from grading_utils.checks.rebinding import rebinding
from grading_utils.checks.scopes import BUILTINS
from grading_utils.checks.source import StudentSource, parse, plain_python

# IPython binds these in every kernel; they are the notebook's only where its text binds them again.
_LONGEST = 60
_KERNEL_NAMES = frozenset({"open", "exit", "quit", "get_ipython"})


class SourceNotebook:
    """A submission's text, asked about one function."""

    def __init__(self, student: StudentSource) -> None:
        tree = parse(text := plain_python(student.source))
        if tree is None:
            raise NotFoundInSource("the notebook's code is not valid Python")
        self._student = student
        self._tree = tree
        self._lines = text.split("\n")
        self._bindings = list(_bindings(tree.body))
        self._resolved: dict[tuple[int, bool], list[list[ast.AST]]] = {}
        self._own: set[str] = {student.qualname.split(".")[0]}
        self._elsewhere: dict[str, Elsewhere] = {}
        self._helpers: dict[str, list[Definition]] = {}

    def rebound(self) -> str:
        """The part of the text that may give the function's name to something else than the text shows, or ""."""
        found = self._rebinding(self._student.qualname.split(".")[0])
        return ast.unparse(found)[:_LONGEST] if found is not None else ""

    def subject(self) -> list[Definition]:
        """See `Notebook`."""
        name, *attributes = self._student.qualname.split(".")
        if other := self.rebound():
            raise NotFoundInSource(f"`{other}` may give its name to something else")
        paths = self._resolve_name(name, len(self._bindings), follow_own=True)
        for attribute in attributes:
            if attribute == "<locals>":
                break
            paths = [found for path in paths for found in self._attribute(path, attribute)]
        if not paths:
            raise NotFoundInSource(f"no definition of {self._student.qualname}")
        return self._define_all(paths)

    def elsewhere(self) -> list[Elsewhere]:
        """See `Notebook`."""
        return list(self._elsewhere.values())

    def own_names(self) -> frozenset[str]:
        """See `Notebook`."""
        return frozenset(self._own)

    def redefined_builtins(self) -> frozenset[str]:
        """See `Notebook`."""
        bound = {name for name, _ in self._bindings}
        return (BUILTINS & self._student.module_names) - (_KERNEL_NAMES - bound)

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
        if name not in self._helpers:
            is_clear = self._rebinding(name) is None
            paths = self._resolve_name(name, len(self._bindings), instances=False) if is_clear else []
            self._helpers[name] = self._define_all(paths)
        return self._helpers[name]

    def _rebinding(self, name: str) -> ast.AST | None:
        last = next((node for bound, node in reversed(self._bindings) if bound == name), None)
        return rebinding(self._tree, name, last)

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
                # Resolved once each: names that use each other twice would double the work at every step.
                if (index, instances) not in self._resolved:
                    paths = self._resolve(node, index, instances=instances, follow_own=follow_own)
                    self._resolved[index, instances] = list({id(path[-1]): path for path in paths}.values())
                return self._resolved[index, instances]
        return []

    def _resolve(self, node: ast.AST, before: int, *, instances: bool, follow_own: bool) -> list[list[ast.AST]]:
        def inner(part: ast.AST, instances: bool = instances) -> list[list[ast.AST]]:
            return self._resolve(part, before, instances=instances, follow_own=follow_own)

        match node:
            case ast.Lambda():
                return [[node]]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                around = node.decorator_list
                return [[node], *(path for part in around for path in inner(part) or self._note(part, before))]
            case ast.ClassDef():
                around = _around(node)
                return [[node], *(path for part in around for path in inner(part, False) or self._note(part, before))]
            case ast.Name():
                return self._resolve_name(node.id, before, instances=instances, follow_own=follow_own)
            case ast.Attribute():
                return [found for path in inner(node.value) for found in self._attribute(path, node.attr)]
            case ast.Call():
                arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
                found = [path for argument in arguments for path in inner(argument, False)]
                made_by = inner(node.func)
                if instances and not made_by:  # a library puts something around its first argument, as `partial` does
                    self._note(node.func, before)
                    if node.args and not inner(node.args[0], False) and not isinstance(node.args[0], ast.Constant):
                        self._note(node.args[0], before)
                for path in made_by:
                    is_class = isinstance(path[-1], ast.ClassDef)
                    if (is_class and instances) or (not is_class and _makes_functions(path[-1])):
                        found.append(path)
                return found
        return []

    def _note(self, part: ast.AST, before: int) -> list[list[ast.AST]]:
        """Remember a decorator or base class of which the text does not show what it runs; there are no paths to it."""
        if not self._is_known(part, before):
            text = ast.unparse(part)[:_LONGEST]
            self._elsewhere[text] = Elsewhere(f"`{text}`", frozenset({_root(part)}))
        return []

    def _is_known(self, part: ast.AST, before: int) -> bool:
        """Does an expression lead to a builtin or to an installed library?"""
        name = _root(part)
        if not name:
            return False
        for index in range(before - 1, -1, -1):
            bound, node = self._bindings[index]
            if bound == name:
                if isinstance(node, ast.ImportFrom):
                    return not node.level and is_library(node.module or "")
                if isinstance(node, ast.Import):
                    return any(is_library(a.name) for a in node.names if (a.asname or a.name.split(".")[0]) == name)
                return self._is_known(node, index)
        return name in BUILTINS or name not in self._student.module_names

    @staticmethod
    def _attribute(path: list[ast.AST], name: str) -> list[list[ast.AST]]:
        body = getattr(path[-1], "body", []) if isinstance(path[-1], ast.ClassDef) else []
        return [
            [*path, part]
            for part in body
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and part.name == name
        ]


def _around(node: ast.ClassDef) -> list[ast.expr]:
    """What else runs with a class: decorators, bases and metaclass of it and of the classes in it, methods' decorators.

    Without the decorators that the class body itself provides, as a property's setter.
    """
    inside = {name for name, _ in _bindings(node.body)}
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    nested = [part for part in node.body if isinstance(part, ast.ClassDef)]
    within = [dec for method in methods for dec in method.decorator_list]
    within += [part for one in nested for part in _around(one)]
    metaclass = [keyword.value for keyword in node.keywords if keyword.arg == "metaclass"]
    return [*node.decorator_list, *node.bases, *metaclass, *(part for part in within if _root(part) not in inside)]


def _root(node: ast.AST) -> str:
    """The name that an expression such as `torch.no_grad()` starts with; "" where it starts with none."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _makes_functions(node: ast.AST) -> bool:
    return any(isinstance(part, Function) for part in ast.walk(node) if part is not node)


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
