"""A cell in which processes are killed: one lane, its load, its merchant, and how it comes to rest.

A round arms one process with a crash point, drives work at it until it dies, starts it again
unarmed, and waits until nothing is due any more. Where the promise is to wait (a look-up after a
minute, the sweep over pending refunds), the cell lets that time pass at once by moving the row's
own due time, and counts it: leases are never shortened that way.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from proofs.harness.client import Client
from proofs.harness.programs import Program
from proofs.harness.shops import Order, bring_orders
from proofs.harness.simulators import Bank, Control
from proofs.harness.stage import Lane

from returns_api.demo.receiver import Receiver, receiving
from returns_api.domain import ids

FIRE_SECONDS: Final = 30.0
SETTLE_SECONDS: Final = 60.0
"""The promise: all settled this soon after the restart."""
PATIENCE_SECONDS: Final = 1.0
"""For so long a cell waits for a webhook before it lets time pass."""
STOCK: Final = 24
CHAOS: Final = {
    "rate_limited": 0.05,
    "key_in_use": 0.05,
    "error_before": 0.03,
    "error_after": 0.03,
    "reset_before": 0.03,
    "reset_after": 0.03,
    "truncate": 0.03,
    "garbage": 0.02,
    "pending": 0.2,
    "webhook_lost": 0.1,
    "webhook_duplicate": 0.2,
    "webhook_shuffled": 0.2,
    "webhook_first": 0.2,
}
"""About 30 % of calls go wrong, most webhooks arrive oddly."""
UNNOTED: Final = "SELECT count(*) FROM refunds WHERE note_at IS NOT NULL"
"""Refunds at rest whose credit note is missing."""
_BUSY: Final = (
    "SELECT (SELECT count(*) FROM transfers WHERE due_at IS NOT NULL OR state IN"
    " ('queued', 'sending', 'unknown', 'pending')) AS transfers,"
    " (SELECT count(*) FROM inbox WHERE state = 'received') AS messages,"
    " (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')) AS deliveries,"
    " (SELECT count(*) FROM shipments WHERE due_at IS NOT NULL) AS labels,"
    " (SELECT count(*) FROM photos WHERE state IN ('storing', 'deleting')) AS photos,"
    f" ({UNNOTED}) AS notes"
)
_UNKNOWN: Final = "SELECT count(*) FROM transfers WHERE state = 'unknown' AND due_at > now()"
_SHIPPED: Final = (
    "SELECT count(*) FROM orders o JOIN parcels p ON p.shop_id = o.shop_id AND p.order_id = o.id"
    " WHERE o.external_id = $1"
)
_HELD: Final = (
    "SELECT pid, state, wait_event, left(query, 60) AS query,"
    " extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds FROM pg_stat_activity"
    " WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
)
"""Transactions that are open, told when something does not settle."""
_WAITING: Final = (
    "SELECT t.state, t.attempt, t.lookups, t.failure_code, t.due_at - now() AS due_in,"
    " t.leased_until - now() AS leased_for, c.paused_until - now() AS account_paused_for"
    " FROM transfers t LEFT JOIN connections c ON c.shop_id = t.shop_id AND c.source = t.account"
    " WHERE t.due_at IS NOT NULL OR t.state IN ('queued', 'sending', 'unknown', 'pending')"
)
"""Transfers that are not at rest, and what they wait for; told likewise."""
_LET_PASS: Final = (
    "UPDATE transfers SET due_at = now() WHERE due_at > now() + interval '5 s'"
    " AND state IN ('queued', 'unknown', 'pending') AND leased_until IS NULL RETURNING id"
)


_GIVE_UP_PHOTOS: Final = (
    "UPDATE photos SET due_at = now() WHERE state = 'storing' AND due_at > now() RETURNING id"
)
"""An upload that nobody ends is given up after half an hour."""


class NotFired(Exception):
    """The armed process outlived its round: the crash point was not reached."""


@dataclass(slots=True)
class Cell:
    """One installation and everything that a round needs."""

    lane: Lane
    client: Client
    bank: Bank
    carrier: Control
    receiver: Receiver
    connection: Any
    random: Random
    waits_skipped: int = 0
    stock: list[Order] = field(default_factory=list)

    def key(self, role: str) -> str:
        return str(self.lane.demo["keys"][role])

    async def call(self, method: str, path: str, role: str, body: object = None) -> Any:
        """One call that must succeed; its JSON."""
        answer = await self.client.send(method, path, self.key(role), body)
        assert answer.status < 300, answer
        return answer.json()

    async def orders(self, count: int) -> list[Order]:
        """Delivered orders that nobody refunded yet; brought in bulk while nothing is armed."""
        while len(self.stock) < count:
            await self.bank.faults()
            self.stock += await bring_orders(
                self.lane, self.client, self.bank, STOCK, delivered=True
            )
        taken, self.stock = self.stock[:count], self.stock[count:]
        return taken

    async def arm(self, program: Program, point: str, hit: int) -> None:
        """Stop ``program`` and start it with the crash point; returns once it can work."""
        program.kill()
        program.start(crashpoint=f"{point}:{hit}")
        if program in self.lane.apis:
            await self.lane.ready()

    async def fired(self, program: Program, point: str) -> None:
        """Until the crash point killed (or stopped) it. Raises ``NotFired``."""
        end = time.monotonic() + FIRE_SECONDS
        while time.monotonic() < end:
            if point == "W8" and program.stopped():
                return
            if program.ended():
                if program.code == -signal.SIGKILL:
                    return
                raise NotFired(f"{program.name} ended with {program.code}:\n{program.last_words()}")
            await asyncio.sleep(0.01)
        raise NotFired(f"{point} was not reached within {FIRE_SECONDS:.0f} s")

    async def restart(self, program: Program) -> None:
        """Start it again without a crash point."""
        program.start()
        if program in self.lane.apis:
            await self.lane.ready()

    async def settle(self) -> float:
        """Seconds until nothing is due on either side. Raises ``TimeoutError`` saying what is."""
        begun = time.monotonic()
        while (busy := await self._busy()) is not None:
            waited = time.monotonic() - begun
            if waited > SETTLE_SECONDS:
                held = [dict(row) for row in await self.connection.fetch(_HELD)]
                left = [dict(row) for row in await self.connection.fetch(_WAITING)]
                raise TimeoutError(
                    f"still due after {waited:.0f} s: {busy}; transactions: {held}; waiting: {left}"
                )
            if waited > PATIENCE_SECONDS:
                await self.let_pass()
            await asyncio.sleep(0.05)
        return time.monotonic() - begun

    async def let_pass(self) -> None:
        """Let the promised waits pass at once: those of transfers for the next try or the next
        look, and of uploads that nobody ends."""
        for statement in (_LET_PASS, _GIVE_UP_PHOTOS):
            self.waits_skipped += len(await self.connection.fetch(statement))

    async def until_unknown(self, count: int) -> None:
        """Until that many transfers have an unknown outcome. Raises ``TimeoutError``."""
        async with asyncio.timeout(FIRE_SECONDS):
            while await self.connection.fetchval(_UNKNOWN) < count:  # noqa: ASYNC110 - not ours
                await asyncio.sleep(0.05)

    async def made(self, table: str, orders: Sequence[Order]) -> int:
        """How many refunds, returns or photos these orders have."""
        assert table in {"refunds", "returns", "photos"}
        query = f"SELECT count(*) FROM {table} WHERE order_id = ANY ($1)"
        if table == "photos":
            query += " AND state = 'kept'"
        return int(await self.connection.fetchval(query, [order.id for order in orders]))

    async def known(self, external: int) -> int:
        """How many orders with a parcel the service has under a platform's id."""
        return int(await self.connection.fetchval(_SHIPPED, str(external)))

    def fallen(self) -> list[str]:
        """Which processes do not run although nobody stopped them, with the end of their output."""
        running = (*self.lane.apis, self.lane.workers[0])
        return [
            f"{each.name} ended with {each.code}:\n{each.last_words()}"
            for each in running
            if each.ended()
        ]

    async def _busy(self) -> dict[str, int] | None:
        row = dict(await self.connection.fetchrow(_BUSY))
        row["bank's webhooks"] = await self.bank.due_webhooks()
        row["carrier's webhooks"] = await self.carrier.due_webhooks()
        found = {name: count for name, count in row.items() if count}
        return found or None

    async def unknown_files(self) -> list[str]:
        """Files of photos that no row knows, and photos without their file."""
        folder = self.lane.settings.data_dir / "photos"
        there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
        rows = await self.connection.fetch("SELECT name FROM photos WHERE state = 'kept'")
        known = {row["name"] for row in rows}
        found = [f"{len(there - known)} files that no photo has"] * bool(there - known)
        return found + [f"{len(known - there)} photos without a file"] * bool(known - there)

    async def untold(self) -> list[str]:
        """Events that the merchant should have and has not, or has and should not."""
        rows = await self.connection.fetch(
            "SELECT d.event_id FROM deliveries d WHERE d.state = 'succeeded'"
        )
        dead = await self.connection.fetchval(
            "SELECT count(*) FROM deliveries WHERE state = 'dead'"
        )
        told = {event["id"] for event in self.receiver.events}
        ours = {ids.encode("evt", row["event_id"]) for row in rows}
        found = [f"{len(ours - told)} events marked as delivered never came"] * bool(ours - told)
        found += [f"{len(told - ours)} events came and are in no book"] * bool(told - ours)
        found += [f"{dead} deliveries are dead"] * bool(dead)
        found += [f"{self.receiver.refused} wrong signatures"] * bool(self.receiver.refused)
        return found


@asynccontextmanager
async def cell(lane: Lane, seed: int) -> AsyncIterator[Cell]:
    """A cell on a running lane, with a merchant's endpoint that wants every event."""
    async with AsyncExitStack() as stack:
        made = Cell(
            lane=lane,
            client=await stack.enter_async_context(Client(lane.urls, seed)),
            bank=await stack.enter_async_context(Bank(lane.bank_url)),
            carrier=await stack.enter_async_context(Control(lane.carrier_url)),
            receiver=await stack.enter_async_context(receiving()),
            connection=await stack.enter_async_context(lane.superuser()),
            random=Random(seed),
        )
        body = {"url": made.receiver.url, "topics": ["*"]}
        endpoint = await made.call("POST", "/v1/admin/webhook-endpoints", "admin", body)
        made.receiver.trust(endpoint["secret"])
        yield made
