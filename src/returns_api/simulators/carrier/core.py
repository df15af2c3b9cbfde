"""The carrier itself: its books, faults and webhooks together. Knows no path and no request."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from ..kit import clock
from ..kit import faults as fault_kit
from ..kit import hooks as hook_kit
from ..kit.faults import Faults, Plan
from ..kit.hooks import Hooks
from ..kit.store import Row, Store
from . import books as book
from . import dhl_wire, shippo_wire, wire
from .books import Books

LIVES = ("stalled", "lost")
ROUTE = ("pre_transit", "in_transit", "out_for_delivery", "delivered")
_LAST_STOP = {"stalled": "pre_transit", "lost": "in_transit"}
MESSAGES = {
    "pre_transit": "Label created, not yet in system",
    "in_transit": "Arrived at facility",
    "out_for_delivery": "Out for delivery",
    "delivered": "Delivered",
    "return_to_sender": "Returned to sender",
    "failure": "Delivery failed",
}


class Carrier:
    """One carrier in one folder. Its methods are synchronous, so they run one at a time."""

    def __init__(self, data_dir: Path) -> None:
        schema = book.SCHEMA + hook_kit.SCHEMA + fault_kit.SCHEMA
        self.store = Store(data_dir / "carrier.sqlite3", schema)
        self.plan = Plan(self.store, LIVES)
        self.books = Books(self.store)
        self.hooks = Hooks(self.store, self.plan, _sign)
        self._wake = asyncio.Event()

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Delivers webhooks and lets parcels move by themselves."""
        async with self.hooks.running():
            task = asyncio.create_task(self._move())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self.store.close()

    def buy(self, shipment: Row, rate: Mapping[str, Any], faults: Faults) -> tuple[Row, list[int]]:
        """Sell the label; also returns the numbers of its webhook deliveries."""
        with self.store.transaction():
            row = self.books.buy(shipment, rate, wire.minor(rate), _code(shipment))
            self.books.scan(row["id"], ROUTE[0], MESSAGES[ROUTE[0]], clock.now())
            numbers = self._announce("tracker.created", row, faults.hooks, 0.0)
            if faults.life:
                self.plan.count(faults.life)
            if self.plan.settings.auto_walk:
                due = time.time() + self.plan.settings.life_seconds
                self.books.plan_walk(row["id"], faults.life, due)
                self._wake.set()
        return row, numbers

    def void(self, shipment: Row) -> Row:
        """Give the money back unless a scan shows that the label was used."""
        rate = orjson.loads(shipment["rate"])
        used = any(scan["status"] != ROUTE[0] for scan in self.books.scans(shipment["id"]))
        status = "rejected" if used else "submitted"
        return self.books.void(shipment, status, wire.minor(rate), rate["currency"])

    def scan(self, shipment: Row, status: str, **how: Any) -> None:
        """One scan and its webhook. ``how``: message, at (epoch seconds), delay, announce."""
        at = float(how.get("at") or clock.now())
        message = str(how.get("message") or MESSAGES.get(status, status))
        with self.store.transaction():
            self.books.scan(shipment["id"], status, message, at)
            if how.get("announce", True):
                drawn = self.plan.draw("event", shipment["id"], main=False).hooks
                hooks = tuple(name for name in drawn if name != "webhook_first")
                delay = float(how.get("delay", 0.0))
                self._announce("tracker.updated", shipment, hooks, delay)

    def walk(self, shipment: Row, to: str) -> int:
        """All scans that are missing up to ``to``, in order; returns how many."""
        seen = {row["status"] for row in self.books.scans(shipment["id"])}
        missing = [each for each in ROUTE[: ROUTE.index(to) + 1] if each not in seen]
        for each in missing:
            self.scan(shipment, each)
        return len(missing)

    def move_due(self) -> int:
        """Move every parcel whose time has come by one stop; returns how many moved."""
        rows = self.books.due(time.time())
        for row in rows:
            self._one_stop(row)
        self._wake.set()
        return len(rows)

    def reset(self) -> None:
        """Empty books without faults."""
        self.store.wipe(*book.TABLES)
        self.hooks.forget()
        self.plan.reset()

    def _one_stop(self, row: Row) -> None:
        seen = {scan["status"] for scan in self.books.scans(row["id"])}
        left = [each for each in ROUTE if each not in seen]
        last = _LAST_STOP.get(row["fate"] or "")
        stuck = not left or (last is not None and ROUTE.index(left[0]) > ROUTE.index(last))
        if not stuck:
            self.scan(row, left[0])
        more = not stuck and len(left) > 1
        due = time.time() + self.plan.settings.life_seconds if more else None
        self.books.plan_walk(row["id"], row["fate"], due)

    async def _move(self) -> None:
        while True:
            self.move_due()
            self._wake.clear()
            due = self.books.next_due()
            wait = None if due is None else max(due - time.time(), 0.005)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    def _announce(self, topic: str, row: Row, hooks: Sequence[str], delay: float) -> list[int]:
        silent = row["account"].startswith(dhl_wire.ACCOUNT)
        if silent or not self.hooks.wanted(row["account"], topic):
            return []
        scans, now = self.books.scans(row["id"]), clock.now()
        if row["account"].startswith(shippo_wire.ACCOUNT):
            ident, body = shippo_wire.event(shippo_wire.track(row, scans), now)
        else:
            ident, body = wire.event(topic, wire.tracker(row, scans), now)
        return self.hooks.announce(row["account"], topic, ident, body, hooks=hooks, delay=delay)


def _code(shipment: Row) -> str:
    """A tracking code as the vendor makes them: twelve digits are DHL's."""
    if shipment["account"].startswith(dhl_wire.ACCOUNT):
        return f"99{secrets.randbelow(10**10):010d}"
    return f"EZ{secrets.randbelow(10**18):018d}"


def _sign(secret: str, body: bytes) -> Mapping[str, str]:
    """The signature headers of an event, whoever's words it is in."""
    return shippo_wire.sign(secret, body) if shippo_wire.is_mine(body) else wire.sign(secret, body)
