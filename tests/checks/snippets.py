"""Small functions as text, for tests of `check_global_vars`: loaded as students' functions or as their source alone."""

from __future__ import annotations

import linecache
import re
import textwrap
from dataclasses import dataclass
from itertools import count
from types import FunctionType
from typing import Any

from grading_utils.checks.global_vars import check_global_vars
from grading_utils.checks.source import StudentSource

_numbers = count()
SETTINGS = ("live", "source")


@dataclass(frozen=True)
class InAnotherProcess:
    """What stands for a student's function where that function may not be touched."""

    __student_source__: StudentSource

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        return FunctionType

    def __call__(self) -> None:
        raise RuntimeError("student code must not run")


def load(source: str, name: str, setting: str) -> Any:
    text = textwrap.dedent(source).strip("\n") + "\n"
    filename = f"<cell {next(_numbers)}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, filename, "exec", dont_inherit=True), namespace)
    if setting == "source":
        names = frozenset(namespace) - {"__builtins__", "__name__"}
        return InAnotherProcess(StudentSource(text, name, "submission.ipynb", names))
    value = namespace[name.split(".")[0]]
    for attribute in name.split(".")[1:]:
        value = getattr(value, attribute)
    return value


def message_of(source: str, name: str = "f", setting: str = "live", **options: Any) -> str:
    function = load(source, name, setting)
    try:
        check_global_vars(function, **options)
    except AssertionError as error:
        return str(error)
    return ""


def reported(message: str) -> list[str]:
    return sorted(re.findall(r"^  - `(.+?)`", message, flags=re.MULTILINE))


@dataclass(frozen=True)
class Case:
    promise: str
    source: str
    leaks: str = ""
    name: str = "f"
    allowed: str = ""
