"""What a notebook needs from this package: `from grading_utils import check_global_vars, find_model, ...`.

Everything here is imported when first used, so that `import grading_utils` costs nothing. Grading, releasing
and reporting live in the sub-packages and are reached through the `grading-utils` command.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "check_global_vars": "grading_utils.checks.global_vars",
    "check_tensor": "grading_utils.checks.tensors",
    "check_table": "grading_utils.checks.tables",
    "check_text": "grading_utils.checks.text",
    "check_probabilities": "grading_utils.checks.distributions",
    "check_samples": "grading_utils.checks.distributions",
    "find_model": "grading_utils.language_model.resolver",
    "use_device": "grading_utils.language_model.device",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'grading_utils' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
