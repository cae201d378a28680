"""At most one of our programs writes a gradebook at any moment, on whichever machines they run.

nbgrader looks whether a row is there and then adds it, which two writers at once do twice. A file beside the database
is locked for SQLite, and an advisory lock in the database itself for PostgreSQL: both end with the program that holds
them, however it ends. The formgrader and plain nbgrader know nothing of it; against those, the database's own
transactions stand.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url


class OneWriter:
    """The right to write one gradebook, for as long as `held` is open.

    Args:
        url: The gradebook's address.
    """

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self._file: Path | None = None
        self._engine: Engine | None = None
        if address.get_backend_name() == "sqlite" and address.database:
            path = Path(address.database)
            self._file = path.with_name(f".{path.name}.lock")
        elif address.get_backend_name() == "postgresql":
            self._engine = create_engine(address, isolation_level="AUTOCOMMIT")
            self._key = int.from_bytes(hashlib.sha256(b"grading-utils gradebook").digest()[:8], signed=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait until nobody else of ours writes, and keep it so."""
        if self._file is not None:
            with self._file.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        elif self._engine is not None:
            with self._engine.connect() as connection:  # the lock is the connection's, and of this database alone
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": self._key})
                try:
                    yield
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": self._key})
        else:
            yield

    def close(self) -> None:
        """Let go of connections."""
        if self._engine is not None:
            self._engine.dispose()
