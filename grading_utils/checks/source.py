"""Student code as text: what the global-variable checker reads when the function lives in another process.

Turns notebook cells into plain Python that parses, keeping every line on its line number. It never executes
anything, and it does not imitate what an IPython magic does.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

# Cell magics whose body is Python run in the notebook's own namespace.
_PYTHON_CELL_MAGICS = {"capture", "prun", "time", "timeit"}

# Line magics that run the rest of their line there, and those that bind names that no text shows.
_STATEMENT = re.compile(r"(\s*)%(?:time|prun)\s+(.*)")
_BINDING = re.compile(r"(\s*)%(?:run|store|rerun|recall|rep|macro)\b.*")
_MAGIC_LINE = re.compile(r"(\s*)(?:%[A-Za-z%].*|!.*|\?{1,2}\w.*|[\w.]+\?{1,2}\s*)")
_MAGIC_ASSIGNMENT = re.compile(r"([\w,\t .\[\]'\"]+=)\s*(?:!|%[A-Za-z]).*")


@dataclass(frozen=True)
class StudentSource:
    """Everything the checker needs to know about a function that it cannot, or must not, touch."""

    source: str
    """Full text of the submission's code cells executed so far, in the order they ran."""
    qualname: str
    """Name of the function to check, as the notebook knows it: `predict`, `Model`, `Model.forward`."""
    filename: str
    """Shown where a message has to name the file."""
    module_names: frozenset[str]
    """Names bound at the module level when the check is made."""

    @classmethod
    def from_cells(
        cls, cells: Iterable[str], qualname: str, filename: str, module_names: Iterable[str]
    ) -> StudentSource:
        """Join executed cells; a cell that is not valid Python never ran, so it is left blank."""
        text = "\n".join(_or_blank(plain_python(cell)) for cell in cells)
        return cls(text, qualname, filename, frozenset(module_names))


def plain_python(text: str) -> str:
    """Return `text` with IPython's own syntax replaced, line for line, by `get_ipython()`.

    `x = !ls` → `x = get_ipython()`, `%time x = 1` → `x = 1`. A cell such as `%%bash` becomes blank
    lines; text that already is Python is returned as it is.
    """
    if parse(text) is not None:
        return text
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and (first[2:].split() or [""])[0] not in _PYTHON_CELL_MAGICS:
        return "\n" * (len(lines) - 1)
    plain, continues = [], False
    for line in lines:
        if continues or line.startswith("%%"):
            replaced = ""
        elif (match := _STATEMENT.fullmatch(line)) and parse(match[2]) is not None:
            replaced = match[1] + match[2]
        elif match := _BINDING.fullmatch(line):
            replaced = f"{match[1]}get_ipython().run_line_magic()"
        elif match := _MAGIC_LINE.fullmatch(line):
            replaced = f"{match[1]}get_ipython()"
        elif match := _MAGIC_ASSIGNMENT.fullmatch(line):
            replaced = f"{match[1]} get_ipython()"
        else:
            plain.append(line)
            continue
        continues = line.endswith("\\")
        plain.append(replaced)
    return "\n".join(plain)


@lru_cache(maxsize=256)
def parse(text: str) -> ast.Module | None:
    """Parse without executing, and without the warnings that Python prints about odd source; None if invalid.

    The tree is shared by all who ask for the same text: read it only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _or_blank(cell: str) -> str:
    return cell if parse(cell) is not None else "\n" * cell.count("\n")
