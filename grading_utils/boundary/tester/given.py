"""What a test starts with: the tester's own copies of the names that the leading instructor cells bound."""

from __future__ import annotations

import types
from typing import Any

from grading_utils.boundary.tester.namespace import TestNamespace
from grading_utils.boundary.warm.warmup import current
from grading_utils.checks.names import uses_unknown_names


def instructor_namespace(imports: dict[str, tuple[str, str]]) -> TestNamespace:
    """The tester's own copies of what the leading instructor cells bound, and what it may import for itself."""
    warm = current()
    user_names = warm.shell.user_ns
    names = {name: user_names[name] for name in warm.instructor_names if name in user_names}
    namespace = TestNamespace(names, imports)
    for name in ("get_ipython", "display"):
        if name in user_names:
            dict.__setitem__(namespace, name, user_names[name])
    for name, value in rebased(namespace, names).items():
        if value is not names[name]:
            dict.__setitem__(namespace, name, value)
            warm.shared.register(name, value)
    return namespace


def rebased(namespace: TestNamespace, names: dict[str, Any]) -> dict[str, Any]:
    """The same names, with instructor's functions that use a student's names looking these up in the test's."""
    user_names = current().shell.user_ns
    return {
        name: namespace.rebase(value)
        if type(value) is types.FunctionType
        and value.__globals__ is user_names
        and uses_unknown_names(value.__code__, {**user_names, **names})
        else value
        for name, value in names.items()
    }
