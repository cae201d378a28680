"""Run instructor cells that need nothing of the student's once, before any fork, instead of once per submission.

Worked examples and pictures between the tasks are the same for everybody, and often cost more than all of a student's
code. A cell may be rehearsed when every name it uses comes from instructor cells before it, it runs without an error,
and it changes no object that an earlier one bound and reads no file that one opened: then taking over its outputs and
the names it binds, when its turn comes, is the same as running it. Whether it changes anything is tried out in a fork
first, which is thrown away. Neither may take longer than it is given: what is not rehearsed runs for each submission.
"""

from __future__ import annotations

import builtins
import os
import pickle
import select
import signal
import types
from collections import Counter
from dataclasses import dataclass
from typing import Any

from grading_utils import open_files
from grading_utils.boundary.warm import gpu
from grading_utils.boundary.warm.shell import NotebookShell, run_cell, within
from grading_utils.boundary.wire import randomness
from grading_utils.checks.names import bound_names, free_names


@dataclass(frozen=True)
class Rehearsed:
    """What a cell that has already run leaves behind when its turn comes."""

    outputs: list[dict[str, Any]]
    bindings: dict[str, object]


def rehearse(shell: NotebookShell, cells: list[str], seconds: float) -> dict[str, Rehearsed]:
    """Run those of an assignment's later instructor cells that may be rehearsed.

    Args:
        shell: The shell after the leading instructor cells; its namespace and the global random number generators
            are afterwards as before.
        cells: Sources of the instructor cells after the leading ones, in order.
        seconds: Wall-clock time for trying them out, and again for running those that may be rehearsed.

    Returns:
        What each rehearsed cell leaves behind, by its source.
    """
    alone = [source for source in cells if Counter(cells)[source] == 1]
    if not alone:
        return {}
    safe = _try_out(shell, alone, seconds)
    return _run([source for source, is_safe in zip(alone, safe, strict=True) if is_safe], shell, seconds)[0]


def _try_out(shell: NotebookShell, cells: list[str], seconds: float) -> list[bool]:
    """Which cells may be rehearsed, found out in a child process that keeps nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        verdict = b""
        try:
            os.close(reading)
            open_files.reopen(open_files.positions())  # what is read here must not be missing there
            verdict = bytes(_run(cells, shell, seconds, is_trial=True)[1])
        finally:
            os.write(writing, verdict)
            os._exit(0)
    os.close(writing)
    verdict = b""
    with os.fdopen(reading, "rb") as pipe:
        if select.select([pipe], [], [], 2 * seconds)[0]:  # one that can't even be interrupted is ended
            verdict = os.read(pipe.fileno(), len(cells))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return [bool(flag) for flag in verdict] if len(verdict) == len(cells) else [False] * len(cells)


def _run(
    cells: list[str], shell: NotebookShell, seconds: float, *, is_trial: bool = False
) -> tuple[dict[str, Rehearsed], list[bool]]:
    names = shell.user_ns
    start = dict(names)
    random_states = randomness.states()
    known = set(start)
    rehearsed: dict[str, Rehearsed] = {}
    verdicts = []
    for source in cells:
        before = dict(names)
        marks = _marks(before) if is_trial else {}
        read_so_far = open_files.positions()
        text = shell.transform_cell(source)
        own = bound_names(text)
        safe = all(name in known or name in own or hasattr(builtins, name) for name in free_names(text))
        outputs: list[dict[str, Any]] = []
        if safe:
            with within(seconds / len(cells)):
                safe, outputs = run_cell(shell, source)
            safe = safe and not gpu.was_asked()
        bound = {name: value for name, value in names.items() if before.get(name, names) is not value}
        bound = {name: value for name, value in bound.items() if not name.startswith("_") and name not in _KERNEL}
        if is_trial:
            safe = safe and all(_marks({name: before[name]}).get(name) == mark for name, mark in marks.items())
            safe = safe and read_so_far.items() <= open_files.positions().items()
        if safe:
            known |= bound.keys()
            rehearsed[source] = Rehearsed(outputs, bound)
        verdicts.append(safe)
    names.clear()
    names.update(start)
    randomness.restore(random_states)
    return rehearsed, verdicts


_KERNEL = {"In", "Out", "exit", "quit"}
_CANNOT_CHANGE = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, str, bytes, int, float, bool)


def _marks(names: dict[str, object]) -> dict[str, object]:
    """Something that differs when an object has been changed, for every name whose object can be."""
    marks: dict[str, object] = {}
    for name, value in names.items():
        is_picture = type(value).__module__.startswith("matplotlib")  # showing one changes it, and nobody minds
        if not (name.startswith("_") or name in _KERNEL or is_picture or isinstance(value, _CANNOT_CHANGE)):
            try:
                marks[name] = pickle.dumps(value, protocol=5)  # to compare only; nothing is ever loaded
            except Exception:  # it cannot be compared: widgets, tokenizers' internals, open files
                continue
    return marks
