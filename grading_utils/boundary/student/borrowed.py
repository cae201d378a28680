"""What student code may use of test cells, as in a notebook: names that earlier ones bind, and replaced builtins."""

from __future__ import annotations

import ast
import builtins
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from grading_utils.boundary.warm.shell import NotebookShell, recording
from grading_utils.checks.names import bound_names, mentioned_names
from grading_utils.checks.source import parse

_BINDING = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def take_over(shell: NotebookShell, source: str, earlier: Sequence[str]) -> None:
    """Bind the names that a cell mentions, that nothing has bound yet, and that an earlier test cell binds.

    Args:
        shell: Where the cell will run.
        source: Its text, as Python.
        earlier: What students can read of the test cells before it, in order.
    """
    namespace: dict[str, Any] = shell.user_ns
    missing = mentioned_names(source) - namespace.keys() - vars(builtins).keys()
    for text in earlier if missing else ():
        tree = parse(text) if bound_names(text) & missing else None
        for statement in tree.body if tree is not None else ():
            if isinstance(statement, _BINDING) and bound_names(ast.unparse(statement)) & missing:
                code = compile(ast.Module([statement], []), "<an earlier test cell>", "exec")
                with recording(shell), contextlib.suppress(Exception):  # it needs what the test did before
                    exec(code, namespace)  # noqa: S102 - in the student's own process


@contextlib.contextmanager
def replaced(functions: dict[str, Any]) -> Iterator[None]:
    """Put functions of a test's in place of builtins meanwhile."""
    before = {name: getattr(builtins, name) for name in functions}
    for name, function in functions.items():
        setattr(builtins, name, function)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(builtins, name, function)
