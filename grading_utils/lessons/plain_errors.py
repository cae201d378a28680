"""Short, plain error messages in a student's own notebook, in place of tracebacks through library code.

Two kinds of errors get a short form: a check that fails shows its message alone, and an error that comes from a blank
which is still left (`...`) says where the blank is. All other errors keep their traceback, which is worth learning to
read. Only what is displayed changes: the type and the message of the error stay, for whoever grades the notebook.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from IPython.core.getipython import get_ipython

_CHECK = '"""Check'
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def use_plain_errors() -> None:
    """Show errors of this notebook in plain words; does nothing outside a Jupyter kernel."""
    shell = get_ipython()
    if any(kind.__module__.startswith("ipykernel") for kind in type(shell).__mro__):
        shell.set_custom_exc((Exception,), _show)


def plain_message(error: BaseException, inputs: Sequence[str]) -> list[str] | None:
    """Return the lines to show for an error in the last of the executed cells, or None for the usual traceback.

    Args:
        error: what was raised.
        inputs: sources of the executed cells, oldest first; checks begin with a docstring "Check …".
    """
    cell = inputs[-1] if inputs else ""
    in_check = cell.lstrip().startswith(_CHECK)
    if in_check:
        cell = next((source for source in reversed(inputs) if not source.lstrip().startswith(_CHECK)), "")
    found = first_blank(cell)
    if found is None and not (in_check and isinstance(error, AssertionError)):
        return None
    lines = []
    if found is not None:
        number, line = found
        where = "of the answer cell above" if in_check else "of this cell"
        lines += [
            f"{_BOLD}There is a blank left in line {number} {where}:{_PLAIN}",
            f"    {line.strip()}",
            "Replace every ... by your own code, run that cell, then its check.",
            "",
        ]
    return [*lines, f"{_BOLD}{type(error).__name__}:{_PLAIN} {error}"]


def first_blank(source: str) -> tuple[int, str] | None:
    """Return the number (from 1) and the text of the first line with `...` as code, or None."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    numbers = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value is Ellipsis]
    return (min(numbers), source.splitlines()[min(numbers) - 1]) if numbers else None


def _show(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> None:
    lines = plain_message(error, shell.user_ns.get("In", []))
    if lines is None:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)
    else:
        shell._showtraceback(kind, error, lines)
