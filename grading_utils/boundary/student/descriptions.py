"""What an object of the student's says about itself: name, docstring and signature."""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

from grading_utils.boundary.student import texts
from grading_utils.boundary.wire import codec, constants, nodes
from grading_utils.boundary.wire import messages as m


def of(target: Any, seq: int, encoder: codec.Encoder) -> m.Description:
    """The answer to `messages.Describe`.

    Args:
        target: The object.
        seq: The question's number.
        encoder: Writes defaults and annotations.
    """
    parameters: list[m.Parameter] | None = None
    returns: object = inspect.Signature.empty
    with contextlib.suppress(Exception):
        signature = inspect.signature(target)
        returns = signature.return_annotation
        parameters = [
            m.Parameter(
                parameter.name,
                int(parameter.kind),
                parameter.default is not parameter.empty,
                None if parameter.default is parameter.empty else encoder.value(parameter.default),
                None if parameter.annotation is parameter.empty else _annotation(parameter.annotation, encoder),
            )
            for parameter in signature.parameters.values()
        ]
    given = returns is not inspect.Signature.empty
    return m.Description(
        seq=seq,
        name=texts.text(target, "__name__", 200),
        qualname=texts.text(target, "__qualname__", 200),
        doc=texts.text(target, "__doc__", 1 << 16),
        parameters=parameters,
        returns=_annotation(returns, encoder) if given else None,
        returns_given=given,
    )


def _annotation(annotation: object, encoder: codec.Encoder) -> nodes.Value:
    named = constants.constant_name(annotation)
    if named is not None or isinstance(annotation, str):
        return encoder.value(annotation)
    return texts.plain(inspect.formatannotation(annotation))[:200]
