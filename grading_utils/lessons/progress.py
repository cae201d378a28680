"""Which visible checks have passed, for the cell at the end of a notebook that says so.

It knows what this kernel has run: a check passes if its last run raised nothing, and what it looked at is still there,
with the same entries where it is a list, a table or a set. It runs no check, reads no file, and says nothing of the
cases that only the grader tries.
"""

from __future__ import annotations

import ast
import dis
import pickle
import re
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from IPython.core.getipython import get_ipython

from grading_utils.lessons.showing import show, table_html

PASSED, FAILED, NOT_RUN = "passes", "fails", "not run since the kernel started"
CHANGED = "passed, but something that it looks at has changed since: run it again"
_SIGNS = {PASSED: "✔", FAILED: "✘", CHANGED: "↻", NOT_RUN: "·"}
_TITLE = re.compile(r"Check \d+[a-z]?\b")
_runs: dict[str, dict[str, tuple[object, object]] | None] = {}
"""Title of a check → what it looked at when it passed, and its entries then; None if it failed."""


def watch_checks() -> None:
    """Note from now on which checks pass; does nothing outside a Jupyter kernel."""
    shell = get_ipython()
    if any(kind.__module__.startswith(("ipykernel", "pyodide_kernel")) for kind in type(shell).__mro__):
        _runs.clear()
        shell.events.register("post_run_cell", _note)


def show_progress(*checks: str) -> None:
    """Show how far the reader has come.

    Args:
        checks: titles of all visible checks of the notebook, such as "Check 1a".
    """
    shell = get_ipython()
    names = shell.user_ns if shell is not None else {}
    states = {check: state_of(check, names) for check in checks}
    passed = sum(state == PASSED for state in states.values())
    rows = [[f"{_SIGNS[state]} {check}", state] for check, state in states.items()]
    summary = f"{passed} of {len(checks)} visible checks pass."
    show(
        f"<p><b>{summary}</b> The grader tries more cases than these, and a person reads the written answers.</p>"
        + table_html(["check", "in this kernel"], rows)
    )


def state_of(check: str, names: Mapping[str, object]) -> str:
    """Say how a check stands, with the notebook's names as they are now."""
    if check not in _runs:
        return NOT_RUN
    seen = _runs[check]
    if seen is None:
        return FAILED
    missing = object()
    kept = all(names.get(name, missing) is value and _entries(value) == then for name, (value, then) in seen.items())
    return PASSED if kept else CHANGED


def title_of(source: str) -> str | None:
    """Return the title of a check, `Check 3a`; None for other cells."""
    if not source.lstrip().startswith('"""Check'):
        return None
    try:
        text = ast.get_docstring(ast.parse(source)) or ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = _TITLE.match(text)
    return found[0] if found else None


def _note(result: Any) -> None:
    source = result.info.raw_cell if result.info is not None else ""
    title = title_of(source)
    if title is not None:
        names = get_ipython().user_ns
        reached = _reached(_globals_of(source), names)
        _runs[title] = {name: (names[name], _entries(names[name])) for name in reached} if result.success else None


def _entries(value: object) -> object:
    """What can be compared later with a collection that may have been changed in its place; None for anything else."""
    if not isinstance(value, list | dict | set):
        return None
    try:
        return hash(pickle.dumps(value))
    except Exception:  # whatever a student keeps in it need not allow this
        return len(value)


def _globals_of(source: str) -> set[str]:
    """Names that a cell takes from the notebook, and does not bind itself."""
    code = compile(source, "check", "exec")
    bound = {step.argval for step in dis.get_instructions(code) if step.opname in ("STORE_NAME", "STORE_GLOBAL")}
    return set(_taken_by(code)) - bound


def _reached(found: Iterable[str], names: Mapping[str, object]) -> set[str]:
    """The names, and those that the notebook's own functions among them take from the notebook in turn."""
    reached: set[str] = set()
    waiting = [name for name in found if name in names]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        for function in _functions(names[name]):
            waiting += [used for used in _taken_by(function.__code__) if used in names]
    return reached


def _functions(value: object) -> Iterator[FunctionType]:
    """Functions of the notebook: the value itself, or the methods of a class."""
    parts = list(vars(value).values()) if isinstance(value, type) else [value]
    return (part for part in parts if isinstance(part, FunctionType) and part.__module__ == "__main__")


def _taken_by(code: CodeType) -> Iterator[str]:
    """Names that code looks up in the notebook, those of functions inside of it too."""
    yield from (step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _taken_by(constant)
