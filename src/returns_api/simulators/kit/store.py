"""Opens a simulator's SQLite file so that what was acknowledged survives kill -9 of the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Row = sqlite3.Row


class Store:
    """One connection, used from the event loop only; every write sits in ``transaction``.

    WAL with synchronous=NORMAL: a commit is in the file system's cache before it is acknowledged,
    which outlives the process though not a power cut. The proofs kill processes, not machines.
    """

    def __init__(self, path: Path, schema: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path, isolation_level=None, cached_statements=256)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute("PRAGMA wal_autocheckpoint=4000")
        self.db.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; nested use joins the outer one."""
        if self.db.in_transaction:
            yield self.db
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def row(self, sql: str, *values: object) -> Row | None:
        """The first row, if any."""
        found: Row | None = self.db.execute(sql, values).fetchone()
        return found

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows."""
        return self.db.execute(sql, values).fetchall()

    def wipe(self, *tables: str) -> None:
        """Empty ``tables``, named by the program itself."""
        with self.transaction() as db:
            for table in tables:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from our own source

    def close(self) -> None:
        """Fold the log into the file and let go."""
        self.db.close()
