"""Every movement of money: what was paid, given back, taken and returned. The truth proofs read.

One row each time money moved, never changed. Owns what the rows add up to. Refuses to own why money
moves (``payments``, ``refunds``, ``disputes``).
"""

from __future__ import annotations

from typing import Any

from ..kit import clock
from ..kit.store import Row, Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS movements (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, payment TEXT NOT NULL, subject TEXT NOT NULL,
    reference TEXT, amount INTEGER NOT NULL, currency TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS movements_payment ON movements (payment);
CREATE INDEX IF NOT EXISTS movements_reference ON movements (reference);
"""


class Movements:
    """Added to in the transaction that moves the money."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self,
        kind: str,
        payment: str,
        subject: str,
        *,
        amount: int,
        currency: str,
        reference: str | None = None,
    ) -> None:
        """Minor units; above zero for what comes in."""
        self._store.db.execute(
            "INSERT INTO movements (kind, payment, subject, reference, amount, currency, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (kind, payment, subject, reference, amount, currency, clock.now()),
        )

    def summary(self, payment: str | None, reference: str | None) -> dict[str, Any]:
        """Counts and sums per payment and per reference, the whole book when both are None.

        ``made`` counts refunds that moved money, ``reversed`` those given back, ``net`` the
        difference; ``*_minor`` are sums in minor units.
        """
        payments = self._store.rows(
            "SELECT payment, currency, sum(kind = 'refund') AS refunds, "
            "sum(CASE WHEN kind = 'payment' THEN amount ELSE 0 END) AS captured_minor, "
            "-sum(CASE WHEN kind IN ('refund', 'refund_reversed') THEN amount ELSE 0 END) "
            "AS refunded_minor, "
            "-sum(CASE WHEN kind LIKE 'chargeback%' THEN amount ELSE 0 END) AS disputed_minor "
            "FROM movements WHERE payment = ifnull(?, payment) GROUP BY payment, currency",
            payment,
        )
        references = self._store.rows(
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


def _without(row: Row, name: str) -> dict[str, Any]:
    return {key: row[key] for key in row.keys() if key != name}  # noqa: SIM118 - Row is no dict
