"""What libraries must be told about the fork that began a student's process.

That process is number 1 of a PID namespace of its own, and so is the one that it came from: filelock, which
transformers imports, takes equal numbers for the same process, and since Python 3.12 then forbids every further fork.
"""

from __future__ import annotations

import sys
from typing import Any


def settle() -> None:
    """Have filelock (tried: 4.2) notice that this is a new process; without effect where it is not imported."""
    api: Any = sys.modules.get("filelock._api")
    state: Any = getattr(api, "_FORK_STATE", None)
    if state is not None and hasattr(api, "ensure_current_process"):
        state.pid = 0
        api.ensure_current_process()
