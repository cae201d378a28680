"""Muon: momentum whose steps are made orthogonal, for the matrices inside the blocks of a transformer.

Learns from fewer tokens than AdamW (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural
networks"). Unlike `torch.optim.Muon` it works in float32, which is several times faster on CPUs without
bfloat16, and handles all matrices of one shape in one call. Not for embeddings, biases or norms.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration; from the paper. They make singular values about 1, not exactly 1."""


class Muon(torch.optim.Optimizer):
    """Updates matrices by their orthogonalized momentum.

    Args:
        parameters: Matrices. One that is a multiple wider than high (queries, keys and values side by side) is
            handled as that many square ones if `split` says so.
        lr: Learning rate, on the scale of AdamW's (Liu et al. 2025, "Muon is scalable for LLM training").
        split: Which of the matrices (by `id`) consist of square ones side by side.
        momentum: Share of the past gradients that is kept.
        weight_decay: As in AdamW.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        split: frozenset[int] = frozenset(),
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._split = split

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One update."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, ...], list[tuple[Tensor, Tensor]]] = {}
            for parameter in group["params"]:
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                average = self.state[parameter].setdefault("average", torch.zeros_like(parameter))
                average.lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(average, group["momentum"])
                width = min(parameter.shape) if id(parameter) in self._split else parameter.shape[1]
                for target, change in zip(parameter.split(width, 1), ahead.split(width, 1), strict=True):
                    if target.shape[0] > target.shape[1]:
                        target, change = target.T, change.T
                    by_shape.setdefault(tuple(target.shape), []).append((target, change))
            for shape, pairs in by_shape.items():
                size = group["lr"] * 0.2 * max(shape) ** 0.5
                changes = orthogonalized(torch.stack([change for _, change in pairs]))
                for (target, _), change in zip(pairs, changes, strict=True):
                    target.sub_(change, alpha=size)


def orthogonalized(matrices: Tensor, rounds: int = 5) -> Tensor:
    """Nearly orthogonal matrices with the singular vectors of the given ones.

    Args:
        matrices: Shape `(count, rows, columns)`, no more rows than columns.
        rounds: Newton-Schulz iterations.
    """
    a, b, c = COEFFICIENTS
    x: Tensor = matrices / (matrices.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(rounds):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x
