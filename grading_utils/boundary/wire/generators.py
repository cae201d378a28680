"""Random number generators and their states to wire nodes and back.

A state that comes in is hostile: its position must lie inside of it, or NumPy and torch would read outside the array.
"""

from __future__ import annotations

import random
from typing import Any

from grading_utils.boundary.wire import mersenne, nodes
from grading_utils.boundary.wire.references import Reader

BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
"""NumPy's generators whose states may be sent."""
_MERSENNE_LENGTH = 624


def decode_randomness(decoder: Reader, node: nodes.Randomness) -> Any:
    """A new generator in the state that a node describes; raises what Python or the library raises."""
    state = decoder.read(node.state)
    if node.kind == "torch":
        import torch

        generator = torch.Generator()
        set_state(generator, state)
        return generator
    if node.kind == "Random":
        fresh: Any = random.Random.__new__(random.Random)  # not seeded: it gets its state at once
    else:
        import numpy as np

        if node.kind == "RandomState":
            fresh = np.random.RandomState()
        else:
            if state["bit_generator"] not in BIT_GENERATORS:
                raise ValueError("not a generator that may be sent")
            fresh = np.random.Generator(getattr(np.random, state["bit_generator"])())
    set_state(fresh, state)
    return fresh


def is_generator(value: object) -> bool:
    """Is it a random number generator? Drawing from one changes it, and that is what it was handed over for."""
    kind = type(value)
    name = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
    return name in ("random.Random", "numpy.Generator", "numpy.RandomState", "torch.Generator")


def get_state(generator: Any) -> Any:
    """The state of a generator, as plain data."""
    if isinstance(generator, random.Random):
        return mersenne.read(generator)
    if hasattr(generator, "bit_generator"):
        return generator.bit_generator.state
    return generator.get_state()


def set_state(generator: Any, state: Any) -> None:
    """Give a generator a state that may come from the other side; raises `ValueError` where it is none."""
    if isinstance(generator, random.Random):
        mersenne.write(generator, state)
    elif hasattr(generator, "bit_generator"):
        inner = state["state"]
        _check_position(inner.get("pos", 0), _MERSENNE_LENGTH)
        _check_position(state.get("buffer_pos", 0), 4)
        generator.bit_generator.state = state
    else:
        if isinstance(state, tuple):
            _check_position(state[2], _MERSENNE_LENGTH)
        generator.set_state(state)


def reseed(generator: Any, number: int) -> None:
    """Give a generator a state that depends on a number and on nothing else."""
    if hasattr(generator, "bit_generator"):
        bits = generator.bit_generator
        bits.state = type(bits)(number).state
    elif hasattr(generator, "manual_seed"):
        generator.manual_seed(number)
    else:
        generator.seed(number)


def _check_position(position: object, last: int) -> None:
    if type(position) is not int or not 0 <= position <= last:
        raise ValueError("a generator's position lies outside its state")
