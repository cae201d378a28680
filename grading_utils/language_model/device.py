"""Lets a notebook's model compute on a GPU where there is one, without another word in the notebook.

Only the model moves, when it is used for the first time; what a notebook gives it and what it gives back stay where
notebooks have them, so the same cells run with and without a GPU. That it moves late is also what lets a grader load
it before it forks (see docs/gpu.md).
"""

from __future__ import annotations

import os
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

from grading_utils.devices.choice import AUTO, CPU, CUDA, DEVICE_VARIABLE


def find_device() -> str:
    """What this notebook's model computes on: what `GRADING_UTILS_DEVICE` says, else a GPU where there is one."""
    wish = os.environ.get(DEVICE_VARIABLE, AUTO)
    if wish != AUTO:
        return wish
    return CUDA if torch.cuda.is_available() else CPU


def use_device(model: torch.nn.Module) -> None:
    """Let a model compute on the GPU where there is one, and say in one line where it does.

    Args:
        model: Is moved when it is called for the first time. Tensors that it is called with are moved to it, and those
            in its answer back to where the first of them was, gradients included.
    """
    device = find_device()
    place = "the processor" if device == CPU else f"the graphics card ({device})"
    print(f"This notebook's model computes on {place}.")
    if device != CPU:
        moved = _Moved()
        model.register_forward_pre_hook(moved.before, with_kwargs=True)
        model.register_forward_hook(moved.after)


class _Moved:
    """The two hooks of one model."""

    def __init__(self) -> None:
        self._home: torch.device | None = None

    def before(self, model: torch.nn.Module, args: Any, kwargs: Any) -> Any:
        wish = find_device()  # asked each time: a process that was forked may have another
        self._home = None
        if wish == CPU:
            return None
        device = torch.device(wish)
        model.to(device)

        def to_model(tensor: torch.Tensor) -> torch.Tensor:
            self._home = self._home or tensor.device
            return tensor.to(device)

        return tree_map_only(torch.Tensor, to_model, args), tree_map_only(torch.Tensor, to_model, kwargs)

    def after(self, model: torch.nn.Module, args: Any, output: Any) -> Any:
        home = self._home
        return output if home is None else tree_map_only(torch.Tensor, lambda tensor: tensor.to(home), output)
