"""Every place where this package reaches into another library's working, and the versions in which that was tried.

Each patch is a function that says what it changes and why; nothing is changed by importing this module. A test
compares `TRIED_WITH` with `constraints.txt`, so that a new version is looked at before it is taken.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from grading_utils.errors import MachineError
from grading_utils.replacing import replace_folder

TRIED_WITH = {"nbgrader": "0.9.6", "SQLAlchemy": "2.1.9", "alembic": "1.20.1", "jsonschema": "4.26.0"}


def skip_grammars_of_addresses() -> None:
    """Make jsonschema do without `rfc3987_syntax`.

    With that package at hand jsonschema, which every reader of notebooks imports, builds 38 grammars for checking
    addresses (over a second); no notebook has a use for them.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def put_tools_on_path() -> None:
    """Let nbgrader find `alembic`, which it runs by name for a new gradebook, in an environment never activated."""
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", os.defpath)])


def ask_schema_version_here() -> None:
    """Find the version of a new gradebook's tables in this process; nbgrader starts another Python for it."""
    from alembic.script import ScriptDirectory
    from nbgrader import api

    def version() -> str:
        return str(ScriptDirectory(str(Path(api.__file__).parent / "alembic")).get_current_head())

    api.get_alembic_version = version


def finish_new_gradebook(session: Any) -> None:
    """Note the version of a gradebook's tables where whoever made it was killed before noting it.

    Without that note `nbgrader db upgrade` fails; nbgrader itself only makes it together with the tables.

    Args:
        session: The gradebook's SQLAlchemy session.
    """
    from nbgrader import api
    from sqlalchemy import inspect, text

    is_there = inspect(session.connection()).has_table("alembic_version")
    if not is_there:
        session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    if not is_there or not session.execute(text("SELECT count(*) FROM alembic_version")).scalar():
        session.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": api.get_alembic_version()})
    session.commit()


def refuse_unknown_tables(session: Any) -> None:
    """Refuse a gradebook that another version of nbgrader made; nbgrader itself would use it as if it were its own.

    Args:
        session: The gradebook's SQLAlchemy session.

    Raises:
        MachineError: The version of its tables is none that this nbgrader knows.
    """
    from nbgrader import api
    from sqlalchemy import inspect, text

    if not inspect(session.connection()).has_table("alembic_version"):
        return
    known = {path.name.partition("_")[0] for path in (Path(api.__file__).parent / "alembic" / "versions").glob("*.py")}
    for (version,) in session.execute(text("SELECT version_num FROM alembic_version")):
        if version not in known:
            raise MachineError(
                f"the gradebook was made by another version of nbgrader: this one does not know tables {version!r}; "
                "use the nbgrader that made it, or put a copy from before in its place"
            )


@contextmanager
def one_commit(session: Any) -> Iterator[None]:
    """Make nbgrader's commits, one for every little step, a single one: each waits for the disk.

    Args:
        session: The gradebook's SQLAlchemy session.
    """
    session.commit = session.flush
    try:
        yield
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.commit
    session.commit()


def read_timestamps_with(reader: Callable[[str], datetime | None]) -> None:
    """Let nbgrader read `timestamp.txt` with another function.

    Its own takes names of time zones that the machine doesn't know for UTC, and an offset such as `+0200` for seconds.

    Args:
        reader: Gives UTC without `tzinfo`, and raises ValueError for what it cannot read: then nbgrader's own reads.
    """
    from nbgrader import coursedir
    from nbgrader.utils import parse_utc
    from traitlets.log import get_logger

    def read(text: str) -> datetime | None:
        try:
            return reader(text)
        except ValueError as error:
            get_logger().warning("the timestamp %r %s", text, error)
            return parse_utc(text)  # type: ignore[no-any-return]

    coursedir.parse_utc = read


def keep_results_until_replaced() -> None:
    """Let nbgrader's converters put back what they removed where the new result could not be made.

    They remove a student's autograded notebooks, a page of feedback or a release before they begin with the new one.
    """
    from nbgrader.converters.base import BaseConverter

    begin, end, convert = BaseConverter.init_destination, BaseConverter.set_permissions, BaseConverter.convert_notebooks
    begun: dict[int, tuple[Path, Path]] = {}

    def settle(self: Any) -> None:
        if id(self) in begun and _put_back(*begun.pop(id(self))):
            self.log.warning("The new result could not be made, so the one from before is there again")

    def forget(self: Any) -> None:
        if id(self) in begun:
            shutil.rmtree(begun.pop(id(self))[1], ignore_errors=True)

    def init_destination(self: Any, assignment: str, student: str) -> bool:
        settle(self)
        target = Path(os.path.normpath(self._format_dest(assignment, student)))
        before = result_before(target)
        _put_back(target, before)  # a run that was killed has left it
        if target.is_dir():
            replace_folder(target, before)
            begun[id(self)] = target, before
        goes_on: bool = begin(self, assignment, student)
        if not goes_on:
            forget(self)
        return goes_on

    def set_permissions(self: Any, assignment: str, student: str) -> None:  # nbgrader's last step for a student
        end(self, assignment, student)
        forget(self)

    def convert_notebooks(self: Any) -> None:
        try:
            convert(self)
        finally:
            settle(self)

    BaseConverter.init_destination = init_destination
    BaseConverter.set_permissions = set_permissions
    BaseConverter.convert_notebooks = convert_notebooks


def result_before(target: Path) -> Path:
    """Where `keep_results_until_replaced` has the old result while nbgrader makes a new one."""
    return target.with_name(f".{target.name}.before")


def _put_back(target: Path, before: Path) -> bool:
    if not before.is_dir():
        return False
    if target.is_dir():
        shutil.rmtree(target)
    before.rename(target)
    return True
