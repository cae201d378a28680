"""The signature of something callable of the student's, from what that process says about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from grading_utils.boundary.wire import nodes
from grading_utils.boundary.wire.messages import Description


def signature_of(said: Description, read: Callable[[nodes.Value], Any]) -> inspect.Signature:
    """Build a signature.

    Args:
        said: A description that has parameters.
        read: Gives the object for a default or an annotation.

    Raises:
        ValueError: The parameters can't stand in this order.
        TypeError: A name is none.
    """
    empty = inspect.Parameter.empty
    parameters = [
        inspect.Parameter(
            parameter.name,
            list(inspect._ParameterKind)[parameter.kind],
            default=read(parameter.default) if parameter.has_default else empty,
            annotation=empty if parameter.annotation is None else read(parameter.annotation),
        )
        for parameter in said.parameters or []
    ]
    returns = read(said.returns) if said.returns_given else inspect.Signature.empty
    return inspect.Signature(parameters, return_annotation=returns)
