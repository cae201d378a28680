"""The global random number generators of `random`, NumPy and torch, as one more thing that crosses the boundary.

`torch.manual_seed(0)` in a test cell has to decide what the student's sampling draws. So the tester sends the states
of its own generators with a call whenever they have changed since the last one. Nothing comes back but the fact that
some were used: then the tester's own moves on to a state of its own choosing, so that seeding again is noticed and the
student's process never chooses what a test draws.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from grading_utils.boundary import wire
from grading_utils.boundary.values import Decoder, Encoder


def states() -> dict[str, Any]:
    """The states of the global generators of the libraries that are loaded; comparable with `same`."""
    found: dict[str, Any] = {"Random": random.getstate()}
    if (numpy := sys.modules.get("numpy.random")) is not None:
        found["RandomState"] = numpy.get_state()
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "get_rng_state"):
        found["torch"] = torch.get_rng_state()
    return found


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Which generators' states differ."""
    return [kind for kind, state in after.items() if kind not in before or not _same(kind, before[kind], state)]


def _same(kind: str, one: Any, other: Any) -> bool:
    if kind == "Random":
        return bool(one == other)
    if kind == "torch":
        return bool(one.equal(other))
    return bool(one[2:] == other[2:] and (one[1] == other[1]).all())


def encode(encoder: Encoder, kinds: list[str], current: dict[str, Any]) -> list[wire.Randomness]:
    """The states of the generators named in `kinds`, as nodes."""
    return [wire.Randomness(kind, encoder.value(current[kind])) for kind in kinds]  # type: ignore[arg-type]


def apply(decoder: Decoder, nodes: list[wire.Randomness]) -> None:
    """Give the global generators of this process new states."""
    for node in nodes:
        state = decoder.value(node.state)
        if node.kind == "Random":
            random.setstate(state)
        elif node.kind == "RandomState":
            import numpy

            numpy.random.set_state(state)
        elif node.kind == "torch":
            import torch

            torch.set_rng_state(state)


def restore(found: dict[str, Any]) -> None:
    """Give the generators back the states that `states` found; of one loaded since, the state it has."""
    random.setstate(found["Random"])
    if "RandomState" in found:
        sys.modules["numpy.random"].set_state(found["RandomState"])
    if "torch" in found:
        sys.modules["torch"].set_rng_state(found["torch"])


def seed(number: int) -> None:
    """Seed every global generator that is loaded."""
    move_on(list(states()), number)


def move_on(kinds: list[str], number: int) -> None:
    """Seed the generators named in `kinds`."""
    if "Random" in kinds:
        random.seed(number)
    if "RandomState" in kinds and "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(number)
    if "torch" in kinds and "torch" in sys.modules:
        sys.modules["torch"].manual_seed(number)
