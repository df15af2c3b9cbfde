"""Posting facts to the ledger, in the transaction that writes them.

Owns the stamp of an entry and the one way in which outside facts and captured money are recorded:
always with their entry. Refuses to own which rules apply (``domain.ledger``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from returns_api.db import advances, ledger, outside_facts, payments
from returns_api.db.engine import Row, Transaction
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.ledger import Captured, Moved, RefundRef, Stamp, captures, moves_elsewhere
from returns_api.usecases.context import Context


def stamp(ctx: Context, by: By = SYSTEM) -> Stamp:
    """A new entry's id, time and actor."""
    return Stamp(ctx.new_id(), ctx.clock(), by)


def refund_ref(refund: Mapping[str, Any] | Row) -> RefundRef:
    """The refund as entries name it."""
    return RefundRef(refund["id"], refund["order_id"], refund["kind"], refund["currency"])


async def debt_of(tx: Transaction, refund: Mapping[str, Any] | Row) -> RefundRef:
    """The refund as entries name it that change what it still owes: an advance whose goods were
    judged owes it like the refund of a return."""
    ref = refund_ref(refund)
    if ref.kind == "advance" and await advances.is_settled(tx, ref.id):
        return replace(ref, kind="return")
    return ref


async def record_fact(tx: Transaction, ctx: Context, **fact: Any) -> bool:
    """``outside_facts.record`` with its entry; returns whether anything changed."""
    changed, moved = await outside_facts.record(tx, **fact)
    made = [Moved(**{name: row[name] for name in Moved.__dataclass_fields__}) for row in moved]
    await ledger.post(tx, moves_elsewhere(stamp(ctx), made))
    return changed


async def put_payments(
    tx: Transaction,
    ctx: Context,
    order_id: UUID,
    told: list[dict[str, Any]],
    *,
    newest: bool,
) -> list[Row]:
    """``payments.put`` with its entry; returns the payments that were added."""
    rows = await payments.put(tx, order_id, told, newest=newest)
    await ledger.post(tx, captures(stamp(ctx), order_id, _captured(rows)))
    added = {payment["id"] for payment in told}
    return [row for row in rows if row["id"] in added]


def _captured(rows: Iterable[Row]) -> list[Captured]:
    return [Captured(row["id"], row["captured_delta"], row["currency"]) for row in rows]
