"""The global random number generators of `random`, NumPy and torch, as one more thing that crosses the boundary.

`torch.manual_seed(0)` in a test cell has to decide what the student's sampling draws. So the tester sends the states
of its own generators with a call whenever they have changed since the last one. Nothing comes back but the fact that
some were used: then the tester's own moves on to a state of its own choosing, so that seeding again is noticed and the
student's process never chooses what a test draws.
"""

from __future__ import annotations

import ctypes
import random
import sys
from collections.abc import Callable
from typing import Any

from grading_utils.boundary.wire import mersenne, nodes
from grading_utils.boundary.wire.codec import Decoder, Encoder

_MT19937_BYTES = 625 * 4  # key and position


def marks() -> dict[str, Any]:
    """Something for every loaded library's global generator that differs once it has been used; for `changed`."""
    found: dict[str, Any] = {"Random": mersenne.read(random._inst)}
    if (numpy := sys.modules.get("numpy.random")) is not None:
        found["RandomState"] = _numpy_mark(numpy)
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "get_rng_state"):
        found["torch"] = torch.get_rng_state()
    return found


def _numpy_mark(numpy: Any) -> bytes:
    generator = numpy.get_bit_generator()
    if type(generator) is numpy.MT19937:  # its own `state` takes longer to make than most calls to run
        return ctypes.string_at(generator.ctypes.state_address, _MT19937_BYTES)
    return repr(generator.state).encode()


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Which generators' marks differ."""
    return [kind for kind, mark in after.items() if kind not in before or not _same(before[kind], mark)]


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) if isinstance(one, tuple | bytes) else bool(one.equal(other))


def encode(encoder: Encoder, kinds: list[str]) -> list[nodes.Randomness]:
    """The present states of the generators named in `kinds`, as nodes."""
    return [nodes.Randomness(kind, encoder.value(_STATES[kind]())) for kind in kinds]  # type: ignore[arg-type]


_STATES: dict[str, Callable[[], Any]] = {
    "Random": lambda: mersenne.read(random._inst),
    "RandomState": lambda: sys.modules["numpy.random"].get_state(),
    "torch": lambda: sys.modules["torch"].get_rng_state(),
}


def apply(decoder: Decoder, states: list[nodes.Randomness]) -> None:
    """Give the global generators of this process new states."""
    for node in states:
        state = decoder.value(node.state)
        if node.kind == "Random":
            mersenne.write(random._inst, state)
        elif node.kind == "RandomState":
            import numpy

            numpy.random.set_state(state)
        elif node.kind == "torch":
            import torch

            torch.set_rng_state(state)


def states() -> dict[str, Any]:
    """The states of the global generators of the libraries that are loaded, for `restore`."""
    return {kind: _STATES[kind]() for kind in marks()}


def restore(found: dict[str, Any]) -> None:
    """Give the generators back the states that `states` found; of one loaded since, the state it has."""
    mersenne.write(random._inst, found["Random"])
    if "RandomState" in found:
        sys.modules["numpy.random"].set_state(found["RandomState"])
    if "torch" in found:
        sys.modules["torch"].set_rng_state(found["torch"])


def seed(number: int) -> None:
    """Seed every global generator that is loaded."""
    move_on(list(marks()), number)


def move_on(kinds: list[str], number: int) -> None:
    """Seed the generators named in `kinds`."""
    if "Random" in kinds:
        random.seed(number)
    if "RandomState" in kinds and "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(number)
    if "torch" in kinds and "torch" in sys.modules:
        sys.modules["torch"].manual_seed(number)
