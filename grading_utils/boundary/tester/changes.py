"""Giving a mutable argument of a test the value that student code gave its copy, in place.

The new value comes from the student's process, so it is applied only to an object of the same type, the way student
code could have changed it had it run here.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.wire import graphs, pictures, streams
from grading_utils.boundary.wire.errors import Refused
from grading_utils.boundary.wire.generators import get_state, is_generator, reseed, set_state

_LISTS = (list, deque)
_MAPPINGS = (dict, Counter, OrderedDict, defaultdict)


def change_argument(value: Any, news: Callable[[], Any], seed: int, context: Context) -> None:
    """Have student code's change of an argument take effect, as far as the check that is running lets it.

    Args:
        value: The argument.
        news: What student code made of it, as it says.
        seed: What a random generator goes on with where the solution doesn't need the very draws.
        context: Knows the check's rights, and what is locked.

    Raises:
        Refused: It can't have changed like that.
    """
    context.received.changed_kinds.add(type(value))
    if context.locked.have(value):
        return
    if streams.is_stream(value) and streams.has_same_content(value, new := news()):
        streams.assign(value, new)  # it was handed over to be read
        return
    if context.rights.changes:
        assign_in_place(value, news())
    elif is_generator(value):
        reseed(value, seed)
    else:
        context.withheld = True


def assign_in_place(old: Any, new: Any) -> None:
    """Make `old` equal to `new` without making a new object, nor new ones of the mutable objects inside it.

    Raises:
        Refused: They are not of the same type, or that type can't change.
    """
    kind = type(old)
    if kind is not type(new):
        raise Refused(f"an argument of type {kind.__name__} can't have become a {type(new).__name__}")
    if kind in _LISTS:
        items = [_merged(*pair) for pair in zip(old, new, strict=False)] + list(new)[len(old) :]
        old.clear()
        old.extend(items)
    elif kind in _MAPPINGS:
        merged = {key: _merged(old[key], value) if key in old else value for key, value in new.items()}
        old.clear()
        dict.update(old, merged)
    elif kind is set:
        old.clear()
        old.update(new)
    elif kind is bytearray:
        old[:] = new
    elif kind is tuple:
        for pair in zip(old, new, strict=True):
            _merged(*pair)
    elif kind is random.Random:
        set_state(old, get_state(new))
    elif streams.is_stream(old):
        streams.assign(old, new)
    else:
        _assign_library(old, new)


def _merged(old: Any, new: Any) -> Any:
    """The object to keep at a place where `old` was and `new` is to be."""
    if type(old) is not type(new) or type(old) not in (*_LISTS, *_MAPPINGS, set, bytearray):
        return new
    assign_in_place(old, new)
    return old


def _assign_library(old: Any, new: Any) -> None:
    kind = f"{type(old).__module__.partition('.')[0]}.{type(old).__name__}"
    try:
        if kind == "numpy.ndarray":
            if old.nbytes != new.nbytes or old.dtype != new.dtype:  # views would go on reading what was freed
                raise Refused("an array of the test's can't have changed its size or type")
            if old.shape != new.shape:
                old.resize(new.shape, refcheck=False)
            old[...] = new
        elif kind in ("torch.Tensor", "torch.Parameter"):
            with sys.modules["torch"].no_grad():
                old.data = new.data
        elif kind in ("pandas.DataFrame", "pandas.Series"):
            old._mgr = new._mgr
        elif kind.startswith("PIL."):
            pictures.assign(old, new)
        elif kind.startswith("networkx."):
            graphs.assign(old, new)
        elif kind in ("numpy.Generator", "numpy.RandomState", "torch.Generator"):
            set_state(old, get_state(new))
        else:
            raise Refused(f"an argument of type {kind} can't change")
    except (TypeError, ValueError, RuntimeError) as error:
        raise Refused(f"an argument can't have changed like this: {error}") from None
