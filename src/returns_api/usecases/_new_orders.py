"""Orders that nobody knew, written together: one statement a table, however many they are.

The rows, events, entries and wake-ups are those that each order would have had one by one
(``_orders``, ``_parcels``). Refuses to own which orders are new (``_documents``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from returns_api.db import bulk_intake, inbox, ledger
from returns_api.db.engine import Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, Event
from returns_api.domain.ledger import Captured, Entry, captures
from returns_api.domain.orders import OrderFacts, ParcelSeen
from returns_api.usecases._books import stamp
from returns_api.usecases._cancelled_parcels import follow_missed
from returns_api.usecases._order_rows import head_row, line_row, person_row, public
from returns_api.usecases._orders import payment_rows, payment_wakes
from returns_api.usecases._parcels import parcel_kind, parcel_public
from returns_api.usecases._prepared_orders import Prepared
from returns_api.usecases._waiting import order_key, parcel_key
from returns_api.usecases.context import Context


async def add_orders(tx: Transaction, ctx: Context, source: str, new: Sequence[Prepared]) -> None:
    """Orders that nobody knew, with all that hangs on them, their events and their entries."""
    if not new:
        return
    behind: dict[str, Any] = {}
    written = _Written(ctx, source)
    for each in new:
        told = await payment_rows(tx, ctx, source, each.order.payments, None, behind)
        written.add(each, told)
    await bulk_intake.add(tx, written.rows)
    for missed in written.missed:
        await follow_missed(tx, ctx, *missed)
    await ledger.post(tx, *written.entries)
    woken = await inbox.wake(tx, written.wakes, ctx.clock())
    await emit(tx, written.events, [Job("process_inbox", message) for message in woken])


class _Written:
    """Rows, events, entries and wake-ups of new orders, gathered."""

    def __init__(self, ctx: Context, source: str) -> None:
        self._ctx, self._source, self._now = ctx, source, ctx.clock()
        self._taken: set[tuple[str, str, str]] = set()
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in (
                "orders",
                "order_people",
                "order_lines",
                "payments",
                "certificates",
                "parcels",
                "parcel_lines",
            )
        }
        self.events: list[Event] = []
        self.entries: list[Entry | None] = []
        self.wakes: list[str] = []
        self.missed: list[tuple[UUID, str, str]] = []

    def add(self, made: Prepared, payments: Sequence[dict[str, Any]]) -> None:
        order, order_id = made.order, self._ctx.new_id()
        self._head(order_id, made)
        person = {"order_id": order_id, **person_row(order.buyer)}
        self.rows["order_people"].append(person)
        lines = self._lines(order_id, made)
        self._certificate(order_id, made)
        self._event(order_id, 1, "received", public(order))
        self.wakes.append(order_key(self._source, order.external_id))
        self._payments(order_id, order, payments)
        for number, parcel in enumerate(made.parcels):
            self._parcel(order_id, number, parcel, lines)

    def _head(self, order_id: UUID, made: Prepared) -> None:
        row = head_row(self._ctx, self._source, made.order, made.certificate, made.snapshot)
        for name in ("email_key", "customer_key"):
            row[name] = None if row[name] is None else f"\\x{row[name].hex()}"
        self.rows["orders"].append(
            {
                **row,
                "id": order_id,
                "source": self._source,
                "external_id": made.order.external_id,
                "version": 1 + len(made.parcels),
                "created_at": row["updated_at"],
            }
        )

    def _lines(self, order_id: UUID, made: Prepared) -> dict[str, UUID]:
        shipped, delivered = Counter[str](), Counter[str]()
        for parcel in made.parcels:  # the sums of order_counts, which a set would recount slowly
            for inside in () if parcel.cancelled else parcel.lines:
                if parcel.shipped_at is not None:
                    shipped[inside.line_external_id] += inside.quantity
                if parcel.delivered_at is not None:
                    delivered[inside.line_external_id] += inside.quantity
        found = {}
        for place, line in enumerate(made.order.lines):
            row = line_row(self._ctx, place, line)
            name = found[line.external_id] = row["id"]
            counts = {
                "shipped": shipped[line.external_id],
                "delivered": delivered[line.external_id],
            }
            self.rows["order_lines"].append({**row, **counts, "id": name, "order_id": order_id})
        return found

    def _certificate(self, order_id: UUID, made: Prepared) -> None:
        self.rows["certificates"].append(
            {
                "order_id": order_id,
                "version": 1,
                "body": made.stored,
                "digest": made.digest,
                "created_at": self._now,
            }
        )

    def _payments(self, order_id: UUID, order: OrderFacts, told: Iterable[dict[str, Any]]) -> None:
        """A provider's payment stands once: of two orders of one set, the first one has it."""
        found = []
        for row in told:
            name = (row["provider"], row["account"], row["provider_payment_id"])
            if name in self._taken:
                row["provider_payment_id"] = None
            elif row["provider_payment_id"] is not None:
                self._taken.add(name)
            found.append({**row, "order_id": order_id})
        self.rows["payments"] += found
        self.wakes += payment_wakes(self._source, order.external_id, found)
        moved = [Captured(row["id"], row["captured"], row["currency"]) for row in found]
        self.entries.append(captures(stamp(self._ctx), order_id, moved))

    def _parcel(
        self, order_id: UUID, number: int, parcel: ParcelSeen, lines: Mapping[str, UUID]
    ) -> None:
        parcel_id = self._ctx.new_id()
        row = {
            "id": parcel_id,
            "order_id": order_id,
            "external_id": parcel.external_id,
            "carrier": parcel.carrier,
            "tracking_codes": list(parcel.tracking_codes),
            "shipped_at": parcel.shipped_at,
            "delivered_at": parcel.delivered_at,
            "cancelled": parcel.cancelled,
            "platform_updated_at": parcel.updated_at,
        }
        self.rows["parcels"].append(row)
        self.missed += [(order_id, parcel.external_id, parcel.missed)] if parcel.missed else []
        contents = Counter[str]()
        for inside in parcel.lines:
            contents[inside.line_external_id] += inside.quantity
        self.rows["parcel_lines"] += [
            {
                "parcel_id": parcel_id,
                "line_id": lines[name],
                "order_id": order_id,
                "quantity": count,
            }
            for name, count in contents.items()
        ]
        told = parcel_public(parcel.external_id, row)
        self._event(order_id, 2 + number, parcel_kind(None, row), told)
        self.wakes.append(parcel_key(self._source, parcel.order_external_id, parcel.external_id))

    def _event(self, order_id: UUID, version: int, kind: str, told: Mapping[str, Any]) -> None:
        self.events.append(
            Event(
                id=self._ctx.new_id(),
                type=f"order.{kind}",
                resource_type="order",
                resource_id=order_id,
                sequence=version,
                at=self._now,
                by=SYSTEM,
                order_id=order_id,
                data={"order": ids.encode("ord", order_id), **told},
            )
        )
