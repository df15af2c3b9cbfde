"""What was answered under an idempotency key. Owns no answer: a face keeps its own bytes here."""

from __future__ import annotations

from ..kit import clock
from ..kit.store import Row, Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    account TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL,
    body BLOB NOT NULL, created REAL NOT NULL, PRIMARY KEY (account, key)) WITHOUT ROWID;
"""


class Answers:
    """Remembered answers by account and key."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, account: str, key: str, ttl: float | None) -> Row | None:
        """What was answered under a key that is not forgotten yet."""
        row = self._store.row("SELECT * FROM keys WHERE account = ? AND key = ?", account, key)
        if row is None or ttl is None or clock.now() - row["created"] < ttl:
            return row
        return None

    def save(self, account: str, key: str, fingerprint: str, status: int, *, body: bytes) -> None:
        """Remember an answer, in the transaction that earned it."""
        self._store.db.execute(
            "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?)",
            (account, key, fingerprint, status, body, clock.now()),
        )

    def age(self, seconds: float) -> None:
        """Make every remembered key older."""
        with self._store.transaction() as db:
            db.execute("UPDATE keys SET created = created - ?", (seconds,))
