"""`python -m tests.crashes.dies MODULE:NAME before|after COUNT ARGUMENTS…`: `grading-utils`, killed at one place.

The place is a call of a function: the process gets SIGKILL before or after it is called for the COUNT-th time.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
from typing import Any

from grading_utils.cli import main


def arm(place: str, when: str, count: int) -> None:
    module, _, name = place.partition(":")
    owner: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    whole = getattr(owner, last)
    calls = 0

    @functools.wraps(whole)
    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = whole(*args, **kwargs)
        if calls == count and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, dying)


if __name__ == "__main__":
    arm(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    main(sys.argv[4:])
