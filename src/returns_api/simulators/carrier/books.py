"""The carrier's books: shipments, their scans, and the labels that were paid for.

``movements`` is the truth that proofs read: one row each time a label was paid for or paid back.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ..kit import clock
from ..kit.store import Row, Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS shipments (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, reference TEXT,
    request TEXT NOT NULL, rates TEXT NOT NULL, created REAL NOT NULL,
    rate TEXT, tracking_code TEXT UNIQUE, refund_status TEXT, qr INTEGER NOT NULL DEFAULT 0,
    fate TEXT, due REAL);
CREATE INDEX IF NOT EXISTS shipments_due ON shipments (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS scans (
    seq INTEGER PRIMARY KEY, shipment TEXT NOT NULL, status TEXT NOT NULL, message TEXT NOT NULL,
    at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS scans_shipment ON scans (shipment, at, seq);
CREATE TABLE IF NOT EXISTS movements (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, shipment TEXT NOT NULL, reference TEXT,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS movements_reference ON movements (reference);
CREATE TABLE IF NOT EXISTS pickups (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, request TEXT NOT NULL, rates TEXT NOT NULL,
    status TEXT NOT NULL, confirmation TEXT, booked INTEGER NOT NULL DEFAULT 0);
"""
TABLES = ("shipments", "scans", "movements", "pickups")


class Books:
    """Every public method that writes is one transaction, or part of the caller's."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add_shipment(
        self, account: str, request: Mapping[str, Any], rates: Sequence[Mapping[str, Any]]
    ) -> Row:
        """Prepare; costs nothing. The same reference twice makes two shipments, as at EasyPost."""
        ident = f"shp_{secrets.token_hex(16)}"
        named = [{**rate, "shipment_id": ident} for rate in rates]
        with self.store.transaction() as db:
            db.execute(
                "INSERT INTO shipments (id, account, reference, request, rates, created) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    ident,
                    account,
                    request.get("reference"),
                    orjson.dumps(request).decode(),
                    orjson.dumps(named).decode(),
                    clock.now(),
                ),
            )
        return self.get(ident)

    def get(self, ident: str) -> Row:
        """By id; it must exist."""
        row = self.find(ident, "")
        assert row is not None
        return row

    def find(self, name: str, account: str) -> Row | None:
        """By id, tracking code or reference (newest); another account's does not exist."""
        return self.store.row(
            "SELECT * FROM shipments WHERE (id = ? OR tracking_code = ? OR reference = ?) "
            "AND (account IN ('', ?) OR ? = '') ORDER BY seq DESC LIMIT 1",
            name,
            name,
            name,
            account,
            account,
        )

    def of_rate(self, rate_id: str, account: str) -> Row | None:
        """The shipment that was offered this rate."""
        return self.store.row(
            "SELECT * FROM shipments WHERE instr(rates, ?) > 0 AND account = ? LIMIT 1",
            f'"{rate_id}"',
            account,
        )

    def buy(self, shipment: Row, rate: Mapping[str, Any], minor: int, code: str) -> Row:
        """Sell a label under a tracking code."""
        with self.store.transaction() as db:
            db.execute(
                "UPDATE shipments SET rate = ?, tracking_code = ? WHERE id = ?",
                (orjson.dumps(rate).decode(), code, shipment["id"]),
            )
            self._move("label", shipment, minor, rate["currency"])
        return self.get(shipment["id"])

    def void(self, shipment: Row, status: str, minor: int, currency: str) -> Row:
        """Note what became of a request for the money back."""
        with self.store.transaction() as db:
            db.execute(
                "UPDATE shipments SET refund_status = ? WHERE id = ?", (status, shipment["id"])
            )
            if status == "submitted":
                self._move("label_refund", shipment, -minor, currency)
        return self.get(shipment["id"])

    def show_qr(self, shipment: Row) -> Row:
        """Add the QR form."""
        with self.store.transaction() as db:
            db.execute("UPDATE shipments SET qr = 1 WHERE id = ?", (shipment["id"],))
        return self.get(shipment["id"])

    def scan(self, ident: str, status: str, message: str, at: float) -> None:
        """Add one scan."""
        with self.store.transaction() as db:
            db.execute(
                "INSERT INTO scans (shipment, status, message, at) VALUES (?, ?, ?, ?)",
                (ident, status, message, at),
            )

    def scans(self, ident: str) -> list[Row]:
        """All scans of a shipment, oldest first."""
        return self.store.rows("SELECT * FROM scans WHERE shipment = ? ORDER BY at, seq", ident)

    def plan_walk(self, ident: str, fate: str | None, due: float | None) -> None:
        """When the parcel moves next by itself, and what will stop it."""
        with self.store.transaction() as db:
            db.execute("UPDATE shipments SET fate = ?, due = ? WHERE id = ?", (fate, due, ident))

    def due(self, now: float) -> list[Row]:
        """Shipments whose parcel moves now."""
        return self.store.rows(
            "SELECT * FROM shipments WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT 500", now
        )

    def next_due(self) -> float | None:
        """When the next parcel moves by itself."""
        row = self.store.row("SELECT min(due) AS due FROM shipments WHERE due IS NOT NULL")
        return row["due"] if row else None

    def hasten(self, seconds: float) -> None:
        """Bring every next move ``seconds`` nearer."""
        with self.store.transaction() as db:
            db.execute("UPDATE shipments SET due = due - ? WHERE due IS NOT NULL", (seconds,))

    def summary(self, reference: str | None) -> dict[str, Any]:
        """Per reference: shipments prepared, labels bought and voided, and what they cost."""
        rows = self.store.rows(
            "SELECT s.reference, count(DISTINCT s.id) AS shipments, "
            "coalesce(sum(m.kind = 'label'), 0) AS bought, "
            "coalesce(sum(m.kind = 'label_refund'), 0) AS voided, "
            "coalesce(sum(m.amount), 0) AS net_minor, max(m.currency) AS currency "
            "FROM shipments s LEFT JOIN movements m ON m.shipment = s.id "
            "WHERE s.reference = ifnull(?, s.reference) GROUP BY s.reference",
            reference,
        )
        names = ("shipments", "bought", "voided", "net_minor", "currency")
        return {"references": {row["reference"]: {n: row[n] for n in names} for row in rows}}

    def add_pickup(
        self, ident: str, account: str, request: Mapping[str, Any], rates: Sequence[Any]
    ) -> Row:
        """A courier asked for, and not booked."""
        with self.store.transaction() as db:
            db.execute(
                "INSERT INTO pickups (id, account, request, rates, status) "
                "VALUES (?, ?, ?, ?, 'unknown')",
                (ident, account, orjson.dumps(request).decode(), orjson.dumps(rates).decode()),
            )
        return self.pickup(ident)

    def pickup(self, ident: str) -> Row:
        """By id; it must exist."""
        row = self.store.row("SELECT * FROM pickups WHERE id = ?", ident)
        assert row is not None
        return row

    def find_pickup(self, ident: str, account: str) -> Row | None:
        """By id; another account's does not exist."""
        return self.store.row("SELECT * FROM pickups WHERE id = ? AND account = ?", ident, account)

    def schedule(self, ident: str, confirmation: str) -> Row:
        """Book it; ``booked`` counts how often."""
        return self._set_pickup(
            ident, "status = 'scheduled', booked = booked + 1, confirmation = ?", confirmation
        )

    def call_off(self, ident: str) -> Row:
        """The courier does not come."""
        return self._set_pickup(ident, "status = ?", "canceled")

    def pickups(self) -> list[Row]:
        """Every pickup there is."""
        return self.store.rows("SELECT id, status, booked, request FROM pickups")

    def _set_pickup(self, ident: str, change: str, value: str) -> Row:
        with self.store.transaction() as db:
            db.execute(f"UPDATE pickups SET {change} WHERE id = ?", (value, ident))  # noqa: S608
        return self.pickup(ident)

    def _move(self, kind: str, shipment: Row, amount: int, currency: str) -> None:
        self.store.db.execute(
            "INSERT INTO movements (kind, shipment, reference, amount, currency, at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (kind, shipment["id"], shipment["reference"], amount, currency, clock.now()),
        )
