"""The bank's books: payments, refunds, disputes, and the movements of money between them.

``movements`` is the truth that proofs read: one row each time money moved, never changed. Owns no
HTTP and no fault; a caller says under which faults a refund lives.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson

from ..kit import clock
from ..kit.store import Store

REFERENCE_KEY = "returns_api_reference"
DEAD = ("failed", "canceled")

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, charge TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, metadata TEXT NOT NULL,
    created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, payment TEXT NOT NULL, charge TEXT NOT NULL,
    account TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL,
    reason TEXT, failure_reason TEXT, metadata TEXT NOT NULL, reference TEXT,
    created INTEGER NOT NULL, next_status TEXT, due REAL);
CREATE INDEX IF NOT EXISTS refunds_payment ON refunds (payment, seq);
CREATE INDEX IF NOT EXISTS refunds_due ON refunds (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS disputes (
    id TEXT PRIMARY KEY, payment TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    status TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS movements (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, payment TEXT NOT NULL, subject TEXT NOT NULL,
    reference TEXT, amount INTEGER NOT NULL, currency TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS movements_payment ON movements (payment);
CREATE INDEX IF NOT EXISTS movements_reference ON movements (reference);
CREATE TABLE IF NOT EXISTS keys (
    account TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, status INTEGER NOT NULL,
    body BLOB NOT NULL, created REAL NOT NULL, PRIMARY KEY (account, key)) WITHOUT ROWID;
"""
TABLES = ("payments", "refunds", "disputes", "movements", "keys")

Row = sqlite3.Row


class Ledger:
    """Every public method that writes is one transaction, or part of the caller's."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add_payment(
        self,
        amount: int,
        currency: str,
        account: str,
        *,
        ident: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Row:
        """A payment that was captured at once; repeating a given ``ident`` changes nothing."""
        ident = ident or f"pi_{secrets.token_hex(12)}"
        charge = f"ch_{ident.removeprefix('pi_')}"
        text = orjson.dumps(dict(metadata or {})).decode()
        now = int(clock.now())
        with self.store.transaction() as db:
            added = db.execute(
                "INSERT OR IGNORE INTO payments VALUES (?, ?, ?, ?, ?, ?, ?)",
                (ident, charge, account, amount, currency.lower(), text, now),
            ).rowcount
            if added:
                self._move("payment", ident, ident, amount=amount, currency=currency.lower())
        row = self.payment(ident, account)
        assert row is not None
        return row

    def payment(self, name: str, account: str) -> Row | None:
        """By intent or charge id; another account's payment does not exist."""
        column = "charge" if name.startswith("ch_") else "id"
        return self.store.row(
            f"SELECT * FROM payments WHERE {column} = ? AND (account IN ('', ?) OR ? = '')",  # noqa: S608
            name,
            account,
            account,
        )

    def refundable(self, payment: Row) -> int:
        """What is left of a payment after refunds that are not dead."""
        row = self.store.row(
            "SELECT coalesce(sum(amount), 0) AS n FROM refunds "
            "WHERE payment = ? AND status NOT IN ('failed', 'canceled')",
            payment["id"],
        )
        assert row is not None
        return int(payment["amount"]) - int(row["n"])

    def add_refund(
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
        reference = metadata.get(REFERENCE_KEY)
        with self.store.transaction() as db:
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
                    reference,
                    int(clock.now()),
                    next_status,
                    due,
                ),
            )
            self._move(
                "refund",
                payment["id"],
                ident,
                amount=-amount,
                currency=payment["currency"],
                reference=reference,
            )
        return self._refund(ident)

    def refund(self, ident: str, account: str) -> Row | None:
        """By id; another account's refund does not exist."""
        return self.store.row(
            "SELECT * FROM refunds WHERE id = ? AND (account IN ('', ?) OR ? = '')",
            ident,
            account,
            account,
        )

    def refunds(
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
        return self.store.rows(
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

    def disputes(
        self, account: str, limit: int, *, after: str | None = None, since: int = 0
    ) -> list[Row]:
        """The same of chargebacks, each with its payment's ``charge``; ``after`` is an id."""
        return self.store.rows(
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

    def set_status(self, ident: str, status: str, failure: str | None = None) -> Row | None:
        """Change a refund's state; one that dies gives its money back. None if it was there."""
        with self.store.transaction() as db:
            old = self._refund(ident)
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
                self._move(
                    "refund_reversed",
                    old["payment"],
                    ident,
                    amount=old["amount"],
                    currency=old["currency"],
                    reference=old["reference"],
                )
        return self._refund(ident)

    def due(self, now: float) -> list[Row]:
        """Refunds whose next state has come."""
        return self.store.rows(
            "SELECT * FROM refunds WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT 500", now
        )

    def next_due(self) -> float | None:
        """When the next refund changes by itself."""
        row = self.store.row("SELECT min(due) AS due FROM refunds WHERE due IS NOT NULL")
        return row["due"] if row else None

    def hasten(self, seconds: float) -> None:
        """Bring every pending change ``seconds`` nearer, and age every remembered key by it."""
        with self.store.transaction() as db:
            db.execute("UPDATE refunds SET due = due - ? WHERE due IS NOT NULL", (seconds,))
            db.execute("UPDATE keys SET created = created - ?", (seconds,))

    def open_dispute(self, payment: Row, amount: int) -> Row:
        """A chargeback: the money is taken at once."""
        ident = f"dp_{secrets.token_hex(12)}"
        with self.store.transaction() as db:
            db.execute(
                "INSERT INTO disputes VALUES (?, ?, ?, ?, 'needs_response', ?)",
                (ident, payment["id"], amount, payment["currency"], int(clock.now())),
            )
            self._move(
                "chargeback", payment["id"], ident, amount=-amount, currency=payment["currency"]
            )
        return self._dispute(ident)

    def close_dispute(self, ident: str, won: bool) -> Row | None:
        """Decide it; a won one gives the money back. None when unknown or decided before."""
        with self.store.transaction() as db:
            done = db.execute(
                "UPDATE disputes SET status = ? WHERE id = ? AND status = 'needs_response'",
                ("won" if won else "lost", ident),
            ).rowcount
            if not done:
                return None
            row = self._dispute(ident)
            if won:
                back, money = row["amount"], row["currency"]
                self._move(
                    "chargeback_returned", row["payment"], ident, amount=back, currency=money
                )
        return row

    def saved_answer(self, account: str, key: str, ttl: float | None) -> Row | None:
        """What was answered under an idempotency key that is not forgotten yet."""
        row = self.store.row("SELECT * FROM keys WHERE account = ? AND key = ?", account, key)
        if row is None or ttl is None or clock.now() - row["created"] < ttl:
            return row
        return None

    def save_answer(
        self, account: str, key: str, fingerprint: str, status: int, *, body: bytes
    ) -> None:
        """Remember an answer, in the transaction that earned it."""
        self.store.db.execute(
            "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?)",
            (account, key, fingerprint, status, body, clock.now()),
        )

    def summary(self, payment: str | None, reference: str | None) -> dict[str, Any]:
        """Counts and sums per payment and per reference, the whole book when both are None.

        ``made`` counts refunds that moved money, ``reversed`` those given back, ``net`` the
        difference; ``*_minor`` are sums in minor units.
        """
        payments = self.store.rows(
            "SELECT payment, currency, sum(kind = 'refund') AS refunds, "
            "sum(CASE WHEN kind = 'payment' THEN amount ELSE 0 END) AS captured_minor, "
            "-sum(CASE WHEN kind IN ('refund', 'refund_reversed') THEN amount ELSE 0 END) "
            "AS refunded_minor, "
            "-sum(CASE WHEN kind LIKE 'chargeback%' THEN amount ELSE 0 END) AS disputed_minor "
            "FROM movements WHERE payment = ifnull(?, payment) GROUP BY payment, currency",
            payment,
        )
        references = self.store.rows(
            "SELECT reference, payment, currency, sum(kind = 'refund') AS made, "
            "sum(kind = 'refund_reversed') AS reversed, "
            "sum(kind = 'refund') - sum(kind = 'refund_reversed') AS net, "
            "-sum(amount) AS net_minor FROM movements WHERE reference = ifnull(?, reference) "
            "AND payment = ifnull(?, payment) GROUP BY reference, payment, currency",
            reference,
            payment,
        )
        return {
            "payments": {row["payment"]: _without(row, "payment") for row in payments},
            "references": {row["reference"]: _without(row, "reference") for row in references},
        }

    def _move(
        self,
        kind: str,
        payment: str,
        subject: str,
        *,
        amount: int,
        currency: str,
        reference: str | None = None,
    ) -> None:
        self.store.db.execute(
            "INSERT INTO movements (kind, payment, subject, reference, amount, currency, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, payment, subject, reference, amount, currency, clock.now()),
        )

    def _refund(self, ident: str) -> Row:
        row = self.store.row("SELECT * FROM refunds WHERE id = ?", ident)
        assert row is not None
        return row

    def _dispute(self, ident: str) -> Row:
        row = self.store.row("SELECT * FROM disputes WHERE id = ?", ident)
        assert row is not None
        return row


def _without(row: Row, name: str) -> dict[str, Any]:
    return {key: row[key] for key in row.keys() if key != name}  # noqa: SIM118 - Row is no dict
