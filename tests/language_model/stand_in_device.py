"""A device with memory of its own, as far as PyTorch's operations see it; it computes on the processor.

PyTorch's "meta" device is in every build, but keeps no numbers. Here its tensors carry them, and an operation on
tensors of both places fails as it does on a card. What is not shown: kernels, their rounding, and their speed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

NAME = "meta"
COPIES = {"aten::_to_copy", "aten::copy_"}


class There(torch.Tensor):
    """A tensor that says that it lies on the device."""

    numbers: torch.Tensor

    @staticmethod
    def __new__(cls, numbers: torch.Tensor) -> There:
        made = torch.Tensor._make_wrapper_subclass(
            cls, numbers.shape, numbers.stride(), numbers.storage_offset(), dtype=numbers.dtype, device=NAME
        )
        made.numbers = numbers
        return made

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(operation, args, kwargs or {})


class Plugged(TorchDispatchMode):
    """While this is entered, `.to("meta")` and `device="meta"` give tensors with numbers."""

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(operation, args, kwargs or {})


def _run(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    there = any(tensor.device.type == NAME for tensor in tensors)
    copies = operation._schema.name in COPIES
    if there and not copies and any(tensor.device.type == "cpu" and tensor.dim() for tensor in tensors):
        raise RuntimeError(f"Expected all tensors to be on the same device, but found two: {operation}")
    asked = kwargs.get("device")
    if asked is not None:
        there = torch.device(asked).type == NAME
        kwargs = {**kwargs, "device": "cpu"}
    elif copies:
        there = args[0].device.type == NAME
    result = operation(*tree_map_only(torch.Tensor, _numbers, args), **tree_map_only(torch.Tensor, _numbers, kwargs))
    if operation._schema.is_mutable and isinstance(args[0], There):
        return args[0]
    return tree_map_only(torch.Tensor, There, result) if there else result


def _numbers(tensor: torch.Tensor) -> torch.Tensor:
    if isinstance(tensor, There):
        return tensor.numbers
    # What PyTorch makes without asking a mode is empty, as a cache is before its first token.
    return torch.zeros(tensor.shape, dtype=tensor.dtype) if tensor.device.type == NAME else tensor
