"""Objects that the instructor's answers make of constants (`check = unittest.TestCase()`), made again in the tester.

A test that calls a method of such an object would otherwise believe whatever the student has bound to the name. The
expression is the instructor's own text. Objects that have come to differ from a fresh one are never answered for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from grading_utils.boundary.tester.sameness import is_same
from grading_utils.boundary.wire.kinds import type_names
from grading_utils.jobs import Solution


class Made:
    """What is made, by name.

    Args:
        solution: Knows the expressions.
        own: What the tester has under a name: a library, or what an instructor's cell has bound.
    """

    def __init__(self, solution: Solution | None = None, own: Callable[[str], Any] = lambda _: None) -> None:
        self._texts = solution.makes if solution is not None else {}
        self._own = own

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def like(self, name: str, kinds: list[str], state: object) -> object | None:
        """A fresh object under this name, if an object of the student's is said to be just like it; otherwise None.

        Args:
            name: The global name.
            kinds: The qualified names of the classes that the student's object is said to have.
            state: Its attributes.
        """
        made = self._make(name)
        if made is None or kinds[:1] != type_names(type(made))[:1] or type(made).__module__ == "__main__":
            return None
        return made if is_same(getattr(made, "__dict__", None), state, set()) else None

    def _make(self, name: str) -> object | None:
        text = self._texts[name]
        root = next(node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))
        try:
            return eval(text, {root: self._own(root)})  # type: ignore[no-any-return]  # noqa: S307 - the instructor's
        except Exception:  # it needs more than the library, so it is only found in the student's process
            return None
