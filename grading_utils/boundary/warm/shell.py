"""The IPython shell in which notebook cells run: magics, `display` and figures as in a notebook, outputs recorded.

There is no kernel, no history database, no thread and no terminal. Used by the warm process and, forked from it, by
the student's process. Nothing here is trusted by the tester.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import signal
import sys
import tokenize
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import LSString, SList
from traitlets import Type
from traitlets.config import Config

from grading_utils.boundary.warm import outputs, programs
from grading_utils.checks.source import parse

_INPUT_MESSAGE = "input() has nobody to ask while a notebook is graded"


class Recorder:
    """Collects what a cell prints and displays, up to a bound."""

    def __init__(self) -> None:
        self.outputs: list[dict[str, Any]] = []
        self.text_left = outputs.MAX_TEXT

    def add(self, output: dict[str, Any]) -> None:
        """Keep an output, unless there are too many already."""
        if len(self.outputs) < outputs.MAX_OUTPUTS:
            self.outputs.append(output)

    def print(self, name: str, text: str) -> None:
        """Keep printed text; neighbors on the same stream are joined."""
        text = text[: self.text_left]
        self.text_left -= len(text)
        last = self.outputs[-1] if self.outputs else None
        if last and last["output_type"] == "stream" and last["name"] == name:
            last["text"].append(text)
        elif text:
            self.add({"output_type": "stream", "name": name, "text": [text]})

    def finish(self) -> list[dict[str, Any]]:
        """The outputs in nbformat's form."""
        return [
            {**output, "text": "".join(output["text"])} if output["output_type"] == "stream" else output
            for output in self.outputs
        ]


class _Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a notebook: goes to whichever recorder is in use."""

    encoding = "utf-8"

    def __init__(self, name: str) -> None:
        self._name = name
        self.recorder: Recorder | None = None

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.recorder is not None:
            self.recorder.print(self._name, text)
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False


class _Hook(DisplayHook):
    """Shows the value of a cell's last expression."""

    def __call__(self, result: Any = None) -> None:
        shell = self.shell
        if result is None or shell.is_quiet:
            return
        data, _ = self.compute_format_data(result)
        self.update_user_ns(result)
        shell.record(outputs.result(_texts(data)))


class _Publisher(DisplayPublisher):
    """Takes what `display` publishes."""

    def publish(self, data: Any, metadata: Any = None, source: Any = None, **_: Any) -> None:
        self.shell.record(outputs.displayed(_texts(data)))

    def clear_output(self, wait: bool = False) -> None:
        pass


def _texts(data: dict[str, Any]) -> dict[str, str]:
    """The parts of a MIME bundle that a notebook keeps here; images arrive as base64 text already or as bytes."""
    from base64 import b64encode

    return {
        mime: b64encode(value).decode() if isinstance(value, bytes) else value
        for mime, value in data.items()
        if mime in outputs.MIMES and isinstance(value, str | bytes)
    }


class NotebookShell(InteractiveShell):
    """An `InteractiveShell` whose outputs are collected instead of shown."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)

    recorder: Recorder | None = None
    failure: BaseException | None = None
    """The last exception that was shown."""
    is_quiet = False
    """Does the running cell end in a semicolon?"""
    home = ""
    """The folder of the notebook."""

    def transform_cell(self, raw_cell: str) -> str:
        """IPython's own syntax as Python; what is Python already stays as it is, line for line."""
        if parse(raw_cell) is not None and not self._is_magic(raw_cell):
            return raw_cell if raw_cell.endswith("\n") else raw_cell + "\n"
        return str(super().transform_cell(raw_cell))

    def _is_magic(self, raw_cell: str) -> bool:
        """Is it one line such as `ls` or `ls -l`, which Python would take for names that nobody has bound?"""
        word = raw_cell.split()[0] if raw_cell.strip() else ""
        if len(raw_cell.strip().splitlines()) != 1 or word in self.user_ns or hasattr(builtins, word):
            return False
        return bool(word.isidentifier() and self.find_line_magic(word))

    def record(self, output: dict[str, Any]) -> None:
        """Keep an output of the cell that is running; drop it where none is."""
        if self.recorder is not None:
            self.recorder.add(output)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.record(outputs.error(str(getattr(etype, "__name__", etype)), _text(evalue), list(stb)))

    def showtraceback(self, exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        """Record the exception being handled, or the given one, with the frames that belong to cells."""
        error = exc_tuple[1] if exc_tuple else sys.exception()
        if isinstance(error, SyntaxError) and type(error).__name__.startswith("_"):  # a private one, since Python 3.13
            error = SyntaxError(*error.args)
        if error is not None:
            self.failure = error
            self._showtraceback(type(error), error, cell_traceback(error))

    def showsyntaxerror(self, *_: Any, **__: Any) -> None:
        """Record the syntax error being handled."""
        self.showtraceback()

    def system_raw(self, cmd: str) -> None:
        """Run `!command` and print what it says; one that can do nothing here says why, and the cell goes on."""
        text, self.user_ns["_exit_code"] = programs.run(self.var_expand(cmd, depth=1))
        sys.stdout.write(text)

    system = system_piped = system_raw

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        """What `x = !command` gives: the lines that the command prints, or why it can't do anything here."""
        text, self.user_ns["_exit_code"] = programs.run(self.var_expand(cmd, depth=depth + 1))
        if text.startswith(programs.NOT_RUN):
            sys.stdout.write(text)
        return SList(text.splitlines()) if split else LSString(text)

    def ask_exit(self) -> None:
        """`exit` and `quit` end nothing here."""

    def enable_gui(self, gui: Any = None) -> None:
        """There is no event loop to join."""

    def init_io(self) -> None:
        """Streams are set in `recording`."""


# Notebooks ask for the name of a kernel's shell, to know that they are in one.
NotebookShell.__name__ = NotebookShell.__qualname__ = "ZMQInteractiveShell"


def make_shell(namespace: dict[str, Any] | None = None) -> NotebookShell:
    """The one shell of this process, with the names a notebook starts with.

    Sets `sys.stdout` and `sys.stderr`, so that what libraries hold on to from now on is recorded, and makes
    `input()` raise.
    """
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.banner1 = ""
    config.InteractiveShell.cache_size = 1000
    config.IPKernelApp.quiet = True  # the other way in which notebooks ask whether there is a kernel
    sys.stdout, sys.stderr = _Stream("stdout"), _Stream("stderr")
    NotebookShell.clear_instance()
    shell: NotebookShell = NotebookShell.instance(config=config, user_ns=namespace)
    shell.home = os.getcwd()  # noqa: PTH109 (compared with text)
    programs.register(shell)
    sys.path[:] = ["", *(path for path in sys.path if path)]  # what lies beside the notebook comes first, as in Jupyter
    sys.dont_write_bytecode = True
    from IPython.display import display

    shell.user_ns["display"] = display
    builtins.input = _no_input
    return shell


def _no_input(*_: object) -> str:
    raise RuntimeError(_INPUT_MESSAGE)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` in what runs meanwhile once that much time has passed, however it is spent.

    One long operation without any bytecode can't be stopped like that; who waits for this process has to.
    """

    def stop(*_: object) -> None:
        raise TimeoutError(f"this took more than {seconds:.0f} s before any submission was graded")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def recording(shell: NotebookShell) -> Iterator[Recorder]:
    """Record what is printed and displayed meanwhile."""
    recorder = Recorder()
    streams = _Stream("stdout"), _Stream("stderr")
    before = sys.stdout, sys.stderr, shell.recorder
    for stream in (*streams, *before[:2]):
        if isinstance(stream, _Stream):
            stream.recorder = recorder
    sys.stdout, sys.stderr = streams
    shell.recorder = recorder
    try:
        yield recorder
    finally:
        sys.stdout, sys.stderr, shell.recorder = before
        for stream in before[:2]:
            if isinstance(stream, _Stream):
                stream.recorder = None


def run_cell(shell: NotebookShell, source: str, *, draws: bool = True) -> tuple[bool, list[dict[str, Any]]]:
    """Run one cell; returns whether it ended without an exception, and its outputs.

    Args:
        shell: Where to run it.
        source: The cell's text.
        draws: Whether displayed pictures are drawn; otherwise the notebook keeps their names only.
    """
    for picture in ("image/png", "image/jpeg", "image/svg+xml"):
        shell.display_formatter.formatters[picture].enabled = draws
    shell.is_quiet = _ends_quietly(source)
    _notice_new_modules(shell.home)
    with recording(shell) as recorder:
        try:
            succeeded = bool(shell.run_cell(source, store_history=True).success)
        except Exception:  # a text that is too deep for the compiler; IPython expects syntax errors only
            shell.showtraceback()
            succeeded = False
    return succeeded, recorder.finish()


def _notice_new_modules(home: str) -> None:
    """Let `import` find modules that an earlier cell has written, which can only be below the notebook's folder.

    `importlib.invalidate_caches` forgets all other folders too: hundreds, each on pages that this fork shares.
    """
    for path, finder in list(sys.path_importer_cache.items()):
        if finder is None or path[:1] != "/":
            del sys.path_importer_cache[path]
        elif path.startswith(home):
            finder.invalidate_caches()  # type: ignore[attr-defined]


def _ends_quietly(source: str) -> bool:
    """Does the cell end in a semicolon, so that its value is not shown?"""
    try:
        return bool(DisplayHook.semicolon_at_end_of_expression(source))
    except (tokenize.TokenError, SyntaxError):  # an open bracket or string: running the cell says so with its line
        return False


def cell_traceback(error: BaseException, is_cell: Callable[[str], bool] | None = None) -> list[str]:
    """Lines of a traceback, without the frames of the machinery that ran the cell."""
    is_cell = is_cell or _is_cell_file
    summary = traceback.TracebackException(type(error), error, error.__traceback__, limit=-60, compact=True)
    first = next((n for n, frame in enumerate(summary.stack) if is_cell(frame.filename)), len(summary.stack))
    summary.stack[:] = summary.stack[first:]
    return [line.rstrip("\n") for line in summary.format()]


def _is_cell_file(filename: str) -> bool:
    return "ipykernel" in filename or filename.startswith("<ipython-input")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""
