"""Refunds: the money that goes back, its states, and when they change by themselves.

Owns what is left of a payment. Refuses to own faults: a caller says what becomes of a refund.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import orjson

from ..kit import clock
from ..kit.store import Row, Store
from .movements import Movements

REFERENCE_KEY = "returns_api_reference"
DEAD = ("failed", "canceled")

SCHEMA = """
CREATE TABLE IF NOT EXISTS refunds (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payment TEXT NOT NULL, charge TEXT NOT NULL,
    account TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL,
    reason TEXT, failure_reason TEXT, metadata TEXT NOT NULL, reference TEXT,
    created INTEGER NOT NULL, next_status TEXT, due REAL);
CREATE INDEX IF NOT EXISTS refunds_payment ON refunds (payment, seq);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due) WHERE due IS NOT NULL;
"""


class Refunds:
    """Every public method that writes is one transaction, or part of the caller's."""

    def __init__(self, store: Store, movements: Movements) -> None:
        self._store = store
        self._movements = movements

    def refundable(self, payment: Row) -> int:
        """What is left of a payment after refunds that are not dead."""
        row = self._store.row(
            "SELECT coalesce(sum(amount), 0) AS n FROM refunds "
            "WHERE payment = ? AND status NOT IN ('failed', 'canceled')",
            payment["id"],
        )
        assert row is not None
        return int(payment["amount"]) - int(row["n"])

    def add(
        self,
        payment: Row,
        amount: int,
        *,
        metadata: Mapping[str, str],
        reason: str | None = None,
        status: str = "succeeded",
        next_status: str | None = None,
        due: float | None = None,
        ident: str | None = None,
    ) -> Row:
        """Move ``amount`` back. ``next_status`` is what becomes of it at ``due``."""
        ident = ident or f"re_{secrets.token_hex(12)}"
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO refunds (id, payment, charge, account, amount, currency, status, "
                "reason, metadata, reference, created, next_status, due) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    ident,
                    payment["id"],
                    payment["charge"],
                    payment["account"],
                    amount,
                    payment["currency"],
                    status,
                    reason,
                    orjson.dumps(dict(metadata)).decode(),
                    metadata.get(REFERENCE_KEY),
                    int(clock.now()),
                    next_status,
                    due,
                ),
            )
            row = self._one(ident)
            self._moved("refund", row, -amount)
        return row

    def find(self, ident: str, account: str) -> Row | None:
        """By id; another account's refund does not exist."""
        return self._store.row(
            "SELECT * FROM refunds WHERE id = ? AND (account IN ('', ?) OR ? = '')",
            ident,
            account,
            account,
        )

    def page(
        self,
        payment: str | None,
        account: str,
        limit: int,
        *,
        after: int | None = None,
        before: int | None = None,
        since: int = 0,
    ) -> list[Row]:
        """Newest first, one more than ``limit`` when there are more; ``since`` in epoch seconds."""
        return self._store.rows(
            "SELECT * FROM refunds WHERE payment = ifnull(?, payment) "
            "AND (account IN ('', ?) OR ? = '') AND seq < ifnull(?, seq + 1) "
            "AND seq > ifnull(?, seq - 1) AND created >= ? ORDER BY seq DESC LIMIT ?",
            payment,
            account,
            account,
            after,
            before,
            since,
            limit + 1,
        )

    def set_status(self, ident: str, status: str, failure: str | None = None) -> Row | None:
        """Change a refund's state; one that dies gives its money back. None if it was there."""
        with self._store.transaction() as db:
            old = self._one(ident)
            if old["status"] == status or old["status"] in DEAD:
                db.execute(
                    "UPDATE refunds SET next_status = NULL, due = NULL WHERE id = ?", (ident,)
                )
                return None
            db.execute(
                "UPDATE refunds SET status = ?, failure_reason = ?, next_status = NULL, due = NULL "
                "WHERE id = ?",
                (status, failure, ident),
            )
            if status in DEAD:
                self._moved("refund_reversed", old, old["amount"])
        return self._one(ident)

    def due(self, now: float) -> list[Row]:
        """Refunds whose next state has come."""
        return self._store.rows(
            "SELECT * FROM refunds WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT 500", now
        )

    def next_due(self) -> float | None:
        """When the next refund changes by itself."""
        row = self._store.row("SELECT min(due) AS due FROM refunds WHERE due IS NOT NULL")
        return row["due"] if row else None

    def hasten(self, seconds: float) -> None:
        """Bring every pending change ``seconds`` nearer."""
        with self._store.transaction() as db:
            db.execute("UPDATE refunds SET due = due - ? WHERE due IS NOT NULL", (seconds,))

    def _moved(self, kind: str, row: Row, amount: int) -> None:
        self._movements.add(
            kind,
            row["payment"],
            row["id"],
            amount=amount,
            currency=row["currency"],
            reference=row["reference"],
        )

    def _one(self, ident: str) -> Row:
        row = self._store.row("SELECT * FROM refunds WHERE id = ?", ident)
        assert row is not None
        return row
