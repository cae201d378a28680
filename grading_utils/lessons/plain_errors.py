"""Short, plain error messages in a student's own notebook, in place of tracebacks through library code.

Three kinds of errors get a short form: a check that fails shows its message alone; an error that comes from a blank
which is still left (`...`) says where the blank is; and one inside a library shows the student's line, what is wrong
with it where that is known, and the traceback folded. All other errors keep their traceback, which is worth learning to
read. Only what is displayed changes: the type and the message of the error stay, for whoever grades the notebook.
"""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from IPython.core.getipython import get_ipython

from grading_utils.lessons.blanks import Blank, blank_behind, bound_names, first_blank, names_in
from grading_utils.lessons.showing import show, spoiler_html, text_html
from grading_utils.lessons.wrong_calls import Call, explain

_CHECK = '"""Check'
_CELL = re.compile(r"ipykernel_\d+|<ipython-input")
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_LONGEST = 600


@dataclass(frozen=True)
class Place:
    """Where in a cell of the notebook an error passed through."""

    source: str
    line: int
    call: Call | None = None
    """What that line called, if it is in a library."""

    @property
    def in_check(self) -> bool:
        """Is it in a check?"""
        return _is_check(self.source)

    @property
    def text(self) -> str:
        """The line itself."""
        lines = self.source.split("\n")
        return lines[self.line - 1].strip() if self.line <= len(lines) else ""


def use_plain_errors() -> None:
    """Show errors of this notebook in plain words; does nothing outside a Jupyter kernel."""
    shell = get_ipython()
    if any(kind.__module__.startswith("ipykernel") for kind in type(shell).__mro__):
        shell.set_custom_exc((Exception,), _show)
        runs = _Runs()
        shell.events.register("pre_run_cell", runs.before)
        shell.events.register("post_run_cell", runs.after)


def plain_message(
    error: BaseException,
    inputs: Sequence[str],
    places: Sequence[Place] = (),
    namespace: Mapping[str, object] | None = None,
) -> list[str] | None:
    """Return the lines to show for an error in the last of the executed cells, or None for the usual traceback.

    Args:
        error: what was raised.
        inputs: sources of the executed cells, oldest first; checks begin with a docstring "Check …".
        places: where in the notebook's cells the error passed through, outermost first.
        namespace: the values of the notebook's names.
    """
    cell = inputs[-1] if inputs else ""
    blank = _blank(error, inputs, places, namespace or {})
    said = f"{_BOLD}{type(error).__name__}:{_PLAIN} {_short(error)}"
    if blank is not None:
        return [
            f"{_BOLD}Not answered yet: there is a blank left in line {blank.line} of {_where(blank, cell)}:{_PLAIN}",
            f"    {blank.text}",
            "Replace every ... by your own code, run that cell, then its check.",
            "",
            said,
        ]
    if _is_check(cell) and isinstance(error, AssertionError):
        return [said]
    if _is_check(cell) and isinstance(error, NameError) and error.name in names_in(cell):
        return [said, f"Run the cell that defines {error.name} first: it has not been run, or has ended with an error."]
    if places and places[-1].call is not None and not places[-1].in_check:
        place = places[-1]
        sentence = explain(error, place.call)
        return [f"{_BOLD}Line {place.line}:{_PLAIN} {place.text}", *([sentence] if sentence else []), said]
    return None


def _blank(
    error: BaseException, inputs: Sequence[str], places: Sequence[Place], namespace: Mapping[str, object]
) -> Blank | None:
    """The blank that an error comes from."""
    answers = [source for source in inputs if not _is_check(source)]
    for place in reversed(places):
        if not place.in_check and (blank := first_blank(place.source, place.line)):
            return blank
        empty = [name for name in names_in(place.source, place.line) if namespace.get(name) is Ellipsis]
        if empty:
            return blank_behind(empty, answers)
    # an assertion, or what became of a result that the check can do nothing with
    if inputs and _is_check(inputs[-1]) and (isinstance(error, AssertionError) or all(p.in_check for p in places)):
        return blank_behind(names_in(inputs[-1]), answers)
    return None


def _where(blank: Blank, cell: str) -> str:
    lines = [line.strip() for line in cell.split("\n")]
    here = blank.line <= len(lines) and lines[blank.line - 1] == blank.text
    return "this cell" if here else "your answer cell"


def _short(error: BaseException) -> str:
    text = str(error)
    return text if len(text) <= _LONGEST or isinstance(error, AssertionError) else f"{text[:_LONGEST]} …"


def _is_check(source: str) -> bool:
    return source.lstrip().startswith(_CHECK)


class _Runs:
    """Knows which names a cell was to bind that ended with an error, so that no check judges what is left of before."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def before(self, info: Any) -> None:
        """Warn about a check of something that did not run."""
        stale = sorted(self._failed & set(names_in(info.raw_cell))) if _is_check(info.raw_cell) else []
        if stale:
            print(
                f"Careful: the last run of the cell with {' and '.join(stale)} ended with an error, so this check "
                "looks at what an earlier run has left. Mend that cell and run it first."
            )

    def after(self, result: Any) -> None:
        """Note how a cell ended."""
        if result.info is None or _is_check(result.info.raw_cell):
            return
        names = bound_names(result.info.raw_cell)
        self._failed = self._failed - names if result.success else self._failed | names


def _show(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType | None,
    tb_offset: int | None = None,
) -> None:
    places = places_of(trace)
    lines = plain_message(error, shell.user_ns.get("In", []), places, shell.user_ns)
    if lines is None:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset, running_compiled_code=True)
        return
    shell._showtraceback(kind, error, lines)
    if places and places[-1].call is not None and not isinstance(error, AssertionError):
        show(spoiler_html("The whole traceback", text_html("".join(traceback.format_exception(kind, error, trace)))))


def places_of(trace: TracebackType | None) -> list[Place]:
    """Return where in the notebook's cells a traceback passes through, outermost first."""
    steps = list(traceback.walk_tb(trace))
    places = []
    for number, (frame, line) in enumerate(steps):
        name = frame.f_code.co_filename
        if not _CELL.search(name):
            continue
        called = steps[number + 1][0] if number + 1 < len(steps) else None
        inside = called is not None and not _CELL.search(called.f_code.co_filename)
        call = Call(called.f_code.co_name, dict(called.f_locals)) if called is not None and inside else None
        places.append(Place("".join(linecache.getlines(name)), line, call))
    return places
