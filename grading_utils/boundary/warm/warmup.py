"""The state that tester and student processes start from: the shell after the leading instructor cells have run.

The warm process calls `warm` once; what it leaves in `current` is inherited by every fork. It holds nothing that a
student may not see.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from grading_utils.boundary.warm import gpu
from grading_utils.boundary.warm.rehearsal import Rehearsed, rehearse
from grading_utils.boundary.warm.shell import NotebookShell, make_shell, run_cell, within
from grading_utils.boundary.wire import randomness
from grading_utils.boundary.wire.constants import constants
from grading_utils.boundary.wire.messages import WarmReply, WarmRequest
from grading_utils.boundary.wire.references import SharedNames
from grading_utils.checks.names import mentioned_names

# Imported before forking because each fork would otherwise pay for them.
_NEEDED_LATER = (
    "grading_utils.boundary.student.endpoint",
    "grading_utils.boundary.tester.notebook",
    "grading_utils.checks.source",
    "nh3",
)

# Cells that touch what every notebook touches: formatting a result, an error, a magic.
_REHEARSAL = ("[1.5]", "1/0", "%lsmagic", "display({})")


@dataclass
class Warm:
    """What the leading instructor cells left behind."""

    shell: NotebookShell
    shared: SharedNames
    initial_names: frozenset[str]
    """Names that IPython itself put into the namespace."""
    instructor_names: set[str] = field(default_factory=set)
    """Names that instructor cells have bound."""
    rehearsed: dict[str, Rehearsed] = field(default_factory=dict)
    """What later instructor cells leave behind, by their source; see `rehearsal`."""
    has_gpu: bool = False
    """Do students' processes have a card?"""

    def adopt(self, source: str) -> Rehearsed | None:
        """Let a rehearsed cell take effect in the shell's namespace; None where it has not been rehearsed."""
        done = self.rehearsed.get(source)
        if done is not None:
            self.shell.user_ns.update(done.bindings)
            self.register(done.bindings)
        return done

    def register(self, names: dict[str, object]) -> None:
        """Remember what instructor cells bound; call it with the namespace after each of them."""
        for name, value in list(names.items()):
            if name not in self.initial_names and not name.startswith("_"):
                self.shared.register(name, value)
                self.instructor_names.add(name)


_state: list[Warm] = []


def current() -> Warm:
    """What this process was forked with; an empty notebook where nobody has called `warm`."""
    if not _state:
        prepare([])
    return _state[0]


def prepare(cells: list[str], later: Sequence[str] = (), seconds: float = 240.0) -> WarmReply:
    """Make the shell and run the leading instructor cells, replacing what an earlier call left.

    Args:
        cells: The leading instructor cells.
        later: The instructor cells after those; they take effect only when their turn comes.
        seconds: Wall-clock time for all of the leading cells together; the one that goes beyond it fails.

    Returns:
        How the leading cells went. It says nothing of one that would have started CUDA and of those after it: they
        run in each fork.
    """
    gpu.prepare()
    with gpu.before_the_fork():
        return _prepare(cells, later, seconds)


def _prepare(cells: list[str], later: Sequence[str], seconds: float) -> WarmReply:
    shell = make_shell({})
    for source in _REHEARSAL:
        run_cell(shell, source)
    for name in _NEEDED_LATER:
        importlib.import_module(name)
    shell.user_ns.pop("_", None)
    warm_state = Warm(shell, SharedNames(), frozenset(shell.user_ns), has_gpu=gpu.is_given())
    end = time.monotonic() + seconds
    ran = []
    for source in cells:
        names, draws = dict(shell.user_ns), randomness.states()
        with within(max(end - time.monotonic(), 0.01)):
            done = run_cell(shell, source)
        if gpu.was_asked():
            shell.user_ns.clear()
            shell.user_ns.update(names)
            randomness.restore(draws)
            break
        ran.append(done)
    later = [*cells[len(ran) :], *later]
    warm_state.register(shell.user_ns)
    _state[:] = [warm_state]
    constants()
    _stop_monitors()
    for source in later:
        mentioned_names(shell.transform_cell(source))  # remembered from here on
    if all(ok for ok, _ in ran):
        warm_state.rehearsed = rehearse(shell, list(later), seconds / 4)
    return WarmReply(outputs=[outputs for _, outputs in ran], ok=[ok for ok, _ in ran])


def _stop_monitors() -> None:
    """tqdm keeps a thread that watches its bars, and a fork inherits no threads but the locks they held."""
    if (tqdm := sys.modules.get("tqdm")) is not None:
        tqdm.tqdm.monitor_interval = 0
        if (monitor := tqdm.tqdm.monitor) is not None:
            monitor.exit()
            tqdm.tqdm.monitor = None


def warm(payload: bytes) -> bytes:
    """Entry point for the warm process: msgpack of `WarmRequest` in, msgpack of `WarmReply` out."""
    request = msgspec.msgpack.decode(payload, type=WarmRequest)
    return msgspec.msgpack.encode(prepare(request.cells, request.later, request.seconds))
