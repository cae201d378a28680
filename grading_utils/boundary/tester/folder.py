"""The tester's working folder, as far as student code and tests have it in common.

Only in checks whose solution needs files both ways. What student code has written is put beside the test as plain
bytes before the check and after every call, and taken away after the check; what the test has written is sent along.
Three things are never believed: a file of the instructor's or of a locked cell stays as it is; one that a test wrote
is the test's own unless the solution changes it, too; and no file of the student's can become code, neither by its
name (what Python imports or a test runner reads) nor by being unpickled. What a hidden check has written goes to no
other check's copy of the student's process.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from grading_utils.boundary.tester.context import Context
from grading_utils.boundary.tester.held import Held
from grading_utils.boundary.tester.session import Session
from grading_utils.boundary.wire.errors import Refused
from grading_utils.boundary.wire.folders import MOST_BYTES, Watch, is_plain
from grading_utils.checks.names import mentioned_names
from grading_utils.course.cells import Role
from grading_utils.jobs import Cell

_IMPORTABLE = frozenset({".py", ".pyc", ".pyo", ".pyd", ".so", ".pth", ".ipynb", ".zip", ".egg", ".whl"})
_READ_BY_TOOLS = frozenset({"pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "matplotlibrc"})
_RUNNING = frozenset({
    "exec", "eval", "compile", "runpy", "run_path", "run_module", "importlib", "__import__", "marshal", "dill",
    "cloudpickle", "joblib", "subprocess", "system", "popen", "run_line_magic", "run_cell", "yaml", "load_module",
})  # fmt: skip
"""A check that says one of these might run what a file says."""
_PHRASES = ("%run", "torch.load", "jit.load", "hub.load")
_EVENTS = frozenset({
    "pickle.find_class", "ctypes.dlopen", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn",
    "sqlite3.enable_load_extension", "sqlite3.load_extension",
})  # fmt: skip
"""What Python says before it does something by which a file could become code."""
_HARMLESS_PROGRAMS = ("fc-list",)
"""What Matplotlib asks for the machine's fonts; it is looked for on the path, and reads nothing of the folder's."""


class Folder:
    """One for each tester that has such a check.

    Args:
        context: Takes note of limits, and knows the rights of the check that is running.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watch = Watch(Path.cwd())
        self._theirs: set[str] = set()
        self._made: dict[str, tuple[int, bool]] = {}  # by tests: where, and whether in a hidden check
        self._position, self._is_hidden, self._is_shared = 0, False, False
        _guard.watch(self)

    def begin(self, position: int, cell: Cell, earlier: Iterable[Cell]) -> None:
        """A check begins; what it has written in an earlier attempt is taken away.

        Raises:
            Refused: Its text might run what a file says.
        """
        self._position, self._is_hidden = position, bool(cell.hidden_lines)
        self._watch.put({path: None for path, (made_at, _) in self._made.items() if made_at == position})
        self._made = {path: by for path, by in self._made.items() if by[0] != position}
        if not cell.rights.files:
            return
        texts = [cell.source, *(other.source for other in earlier)]
        risky = _RUNNING & frozenset[str]().union(*map(mentioned_names, texts))
        if risky := risky | {phrase for phrase in _PHRASES if any(phrase in text for text in texts)}:
            raise Refused(f"files of the student's are not handed to a test that uses `{min(risky)}`")
        self._is_shared = True

    def end(self) -> None:
        """A check has ended: the student's files are taken away, what the test has written is remembered."""
        self.written()
        self._is_shared = False
        self._watch.put(dict.fromkeys(sorted(self._theirs, reverse=True)))
        self._theirs.clear()

    def written(self) -> dict[str, bytes | bool | None]:
        """What the test has written or removed since the last time, for the student's process."""
        news = {path: what for path, what in self._watch.news().items() if path not in self._watch.known}
        for path, what in news.items():
            self._theirs.discard(path)
            if what is None:
                self._made.pop(path, None)
            else:
                self._made[path] = self._position, self._is_hidden
        if self._watch.is_short:
            self._context.hinder(f"the test has written more than the {MOST_BYTES >> 20} MB that can be sent")
        return news

    def all_written(self) -> dict[str, bytes | bool | None]:
        """All that tests have written, but for what hidden checks have, for a copy of the student's process."""
        self.written()
        self._watch.forget()
        news = self._watch.news()
        return {path: news[path] for path, (_, hidden) in sorted(self._made.items()) if path in news and not hidden}

    def take(self, news: Any, *, is_first: bool) -> None:
        """Put here what student code has written or removed.

        Args:
            news: What its process says: paths and contents.
            is_first: Whether it says all that is there, at the beginning of a check.

        Raises:
            Refused: It says something else.
        """
        if type(news) is not dict or not all(is_plain(path) and _is_content(what) for path, what in news.items()):
            raise Refused("not a list of files")
        believed = {}
        for path, what in news.items():
            if path in self._watch.known or not _is_harmless(path):
                continue
            if path in self._made:
                if is_first or _same(self._watch.root / path, what):
                    continue
                if not self._context.rights.changes:
                    self._context.withheld = True
                    continue
            elif what is None:
                self._theirs.discard(path)
            else:
                self._theirs.add(path)
            believed[path] = what
        self._watch.put(believed)

    def may_run(self, event: str) -> None:
        """Python is about to do something by which a file could become code; raises `Limit` where it could."""
        if self._is_shared:
            raise self._context.limit(f"a test that may read files of the student's does what can run them ({event})")


@contextlib.contextmanager
def share_files(
    context: Context, session: Session | Held, position: int, cell: Cell, earlier: Iterable[Cell]
) -> Iterator[None]:
    """Let a check see what student code has written, and the other way round, where it may.

    Raises:
        Refused: Its text might run what a file says.
    """
    folder = context.folder
    if folder is None or cell.role is not Role.TEST:
        yield
        return
    context.begin(cell)
    folder.begin(position, cell, earlier)
    try:
        if isinstance(session, Session):
            session.share_files(is_first=True)
        yield
    finally:
        folder.end()


class _Guard:
    """Hears of Python's audit events; there is no way to stop that, so it is begun once, where it is needed."""

    def __init__(self) -> None:
        self._folder: Folder | None = None
        self._hears = False

    def watch(self, folder: Folder) -> None:
        self._folder = folder
        if not self._hears:
            sys.addaudithook(self._heard)
            self._hears = True

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "subprocess.Popen" and arguments[0] in _HARMLESS_PROGRAMS:
            return
        if event in _EVENTS and self._folder is not None:
            self._folder.may_run(event)


_guard = _Guard()


def _is_content(what: object) -> bool:
    return what is None or what is True or type(what) is bytes


def _is_harmless(path: str) -> bool:
    name = PurePosixPath(path)
    return name.suffix.lower() not in _IMPORTABLE and name.name not in _READ_BY_TOOLS and "__pycache__" not in path


def _same(path: Path, what: object) -> bool:
    if what is None or what is True:
        return path.is_dir() if what else not path.exists()
    return path.is_file() and path.read_bytes() == what
