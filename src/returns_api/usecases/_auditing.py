"""One step of an audit: a page of orders, events, store credit or the chain, or what is left.

Owns where an audit is and what comes next; a step is a transaction of its own. Refuses to own the
job around it, the pages (``db.audit_pages``) and the checks (``db.audit_checks``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from returns_api.db import audit_checks, checks
from returns_api.db import audit_pages as rows
from returns_api.db import ledger as ledger_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.audits import ChainCheck, Finding, wrong_refund_states, wrong_steps
from returns_api.domain.ledger import genesis
from returns_api.usecases.ledger import by_entry

ORDERS: Final = 200
EVENTS: Final = 2_000
ENTRIES: Final = 500
ACCOUNTS: Final = 500
"""Of each in one step."""

_FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an audit is. ``after`` is the last order or event; the chain has a position and a
    seal."""

    phase: str = "orders"
    after: UUID = _FIRST
    position: int = 0
    digest: bytes = b""

    def to_json(self) -> dict[str, Any]:
        return {
            "phase": self.phase,
            "after": str(self.after),
            "position": self.position,
            "digest": self.digest.hex(),
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Place:
        return Place(
            data["phase"], UUID(data["after"]), data["position"], bytes.fromhex(data["digest"])
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What a step found, how much it looked at, and where the next one begins (None: over)."""

    findings: Sequence[Finding]
    done: int
    place: Place | None


async def step(tx: Transaction, place: Place, anchors: Mapping[int, bytes]) -> Step:
    """Look at the next page. ``anchors`` are seals that must still be in the chain."""
    if place.phase == "orders":
        return await _orders(tx, place)
    if place.phase == "events":
        return await _events(tx, place)
    if place.phase == "credits":
        return await _credits(tx, place)
    if place.phase == "chain":
        return await _chain(tx, place, anchors)
    found = [one for check in audit_checks.SHOP_CHECKS for one in await _run(tx, check)]
    return Step(found, 0, None)


async def check_orders(tx: Transaction, orders: Sequence[UUID]) -> list[Finding]:
    """Everything that must hold of the rows below these orders."""
    found = []
    for check in audit_checks.ORDER_CHECKS:
        found += await _run(tx, check, orders=list(orders))
    found += wrong_steps(await rows.steps(tx, orders))
    found += wrong_refund_states(await rows.refunds(tx, orders))
    return found


async def _orders(tx: Transaction, place: Place) -> Step:
    orders = await rows.orders_after(tx, place.after, ORDERS)
    found = await check_orders(tx, orders) if orders else []
    if len(orders) < ORDERS:
        return Step(found, len(orders), Place("events"))
    return Step(found, len(orders), replace(place, after=orders[-1]))


async def _events(tx: Transaction, place: Place) -> Step:
    events = await rows.events_after(tx, place.after, EVENTS)
    found = []
    for check in audit_checks.EVENT_CHECKS if events else ():
        found += await _run(tx, check, after=place.after, limit=EVENTS)
    if len(events) < EVENTS:
        return Step(found, len(events), Place("credits"))
    return Step(found, len(events), replace(place, after=events[-1]))


async def _credits(tx: Transaction, place: Place) -> Step:
    accounts = await rows.accounts_after(tx, place.after, ACCOUNTS)
    found = []
    for check in audit_checks.ACCOUNT_CHECKS if accounts else ():
        found += await _run(tx, check, accounts=list(accounts))
    if len(accounts) < ACCOUNTS:
        return Step(found, 0, Place("chain", digest=genesis(tx.shop)))
    return Step(found, 0, replace(place, after=accounts[-1]))


async def _chain(tx: Transaction, place: Place, anchors: Mapping[int, bytes]) -> Step:
    entries = await ledger_rows.chain(tx, place.position, ENTRIES)
    postings = by_entry(await ledger_rows.postings_of(tx, [entry["id"] for entry in entries]))
    check = ChainCheck(place.position, place.digest, anchors)
    found = await asyncio.to_thread(lambda: list(check.walk(entries, postings)))
    here = replace(place, position=check.position, digest=check.digest)
    if len(entries) < ENTRIES:
        return Step([*found, *check.end()], len(entries), replace(here, phase="shop"))
    return Step(found, len(entries), here)


async def _run(tx: Transaction, check: checks.Check, **params: Any) -> list[Finding]:
    return list(_told(check, await checks.run(tx, check, **params)))


def _told(check: checks.Check, broken: Iterable[Row]) -> Iterator[Finding]:
    for row in broken:
        detail = {name: value for name, value in row.items() if name != "id"}
        yield Finding(check.invariant, check.name, str(row["id"]), detail)
