"""Chargebacks: opened by a buyer, decided later. Owns the money that they take and give back."""

from __future__ import annotations

import secrets

from ..kit import clock
from ..kit.store import Row, Store
from .movements import Movements

SCHEMA = """
CREATE TABLE IF NOT EXISTS disputes (
    id TEXT PRIMARY KEY, payment TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    status TEXT NOT NULL, created INTEGER NOT NULL);
"""


class Disputes:
    """Every public method that writes is one transaction, or part of the caller's."""

    def __init__(self, store: Store, movements: Movements) -> None:
        self._store = store
        self._movements = movements

    def open(self, payment: Row, amount: int) -> Row:
        """A chargeback: the money is taken at once."""
        ident = f"dp_{secrets.token_hex(12)}"
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO disputes VALUES (?, ?, ?, ?, 'needs_response', ?)",
                (ident, payment["id"], amount, payment["currency"], int(clock.now())),
            )
            self._movements.add(
                "chargeback", payment["id"], ident, amount=-amount, currency=payment["currency"]
            )
        return self._one(ident)

    def close(self, ident: str, won: bool) -> Row | None:
        """Decide it; a won one gives the money back. None when unknown or decided before."""
        with self._store.transaction() as db:
            done = db.execute(
                "UPDATE disputes SET status = ? WHERE id = ? AND status = 'needs_response'",
                ("won" if won else "lost", ident),
            ).rowcount
            if not done:
                return None
            row = self._one(ident)
            if won:
                back, money = row["amount"], row["currency"]
                self._movements.add(
                    "chargeback_returned", row["payment"], ident, amount=back, currency=money
                )
        return row

    def page(
        self, account: str, limit: int, *, after: str | None = None, since: int = 0
    ) -> list[Row]:
        """Newest first, one more than ``limit`` when there are more; ``after`` is an id.

        Each with its payment's ``charge``; ``since`` in epoch seconds.
        """
        return self._store.rows(
            "SELECT d.*, p.charge FROM disputes d JOIN payments p ON p.id = d.payment "
            "WHERE (p.account IN ('', ?) OR ? = '') AND d.created >= ? AND d.rowid < ifnull("
            "(SELECT rowid FROM disputes WHERE id = ?), d.rowid + 1) "
            "ORDER BY d.rowid DESC LIMIT ?",
            account,
            account,
            since,
            after,
            limit + 1,
        )

    def _one(self, ident: str) -> Row:
        row = self._store.row("SELECT * FROM disputes WHERE id = ?", ident)
        assert row is not None
        return row
