"""The payments that were captured here. Owns no movement of their money back (``refunds``)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import orjson

from ..kit import clock
from ..kit.store import Row, Store
from .movements import Movements

SCHEMA = """
CREATE TABLE IF NOT EXISTS payments (
    id TEXT PRIMARY KEY, charge TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
    amount INTEGER NOT NULL, currency TEXT NOT NULL, metadata TEXT NOT NULL,
    created INTEGER NOT NULL);
"""


class Payments:
    """Each captured at once, in its own transaction or the caller's."""

    def __init__(self, store: Store, movements: Movements) -> None:
        self._store = store
        self._movements = movements

    def add(
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
        now, currency = int(clock.now()), currency.lower()
        with self._store.transaction() as db:
            added = db.execute(
                "INSERT OR IGNORE INTO payments VALUES (?, ?, ?, ?, ?, ?, ?)",
                (ident, charge, account, amount, currency, text, now),
            ).rowcount
            if added:
                self._movements.add("payment", ident, ident, amount=amount, currency=currency)
        row = self.find(ident, account)
        assert row is not None
        return row

    def find(self, name: str, account: str) -> Row | None:
        """By intent or charge id; another account's payment does not exist."""
        column = "charge" if name.startswith("ch_") else "id"
        return self._store.row(
            f"SELECT * FROM payments WHERE {column} = ? AND (account IN ('', ?) OR ? = '')",  # noqa: S608
            name,
            account,
            account,
        )
