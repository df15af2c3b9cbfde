"""Steps of a transport claim, inside the transaction of their caller, who holds the return's lock.

Every change of what is owed is an entry in the books, in the transaction that changes the row.
"""

from __future__ import annotations

from typing import Any, Final

from returns_api.db import ledger, moves
from returns_api.db import transport_claims as rows
from returns_api.db.engine import Transaction
from returns_api.db.tables import transport_claims as table
from returns_api.domain import ids
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.ledger import ClaimRef, claim_moved
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.transport_claims import TRANSPORT_CLAIM
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.transport_claims import (
    CARRIER,
    INSURER,
    ClaimChange,
    ClaimRecord,
    insured_freight,
    opened,
    plan_claim,
)
from returns_api.usecases._books import stamp
from returns_api.usecases.context import Context

_FOUND: Final = frozenset({"in_transit", "delivered", "returned_to_sender"})
_RULES: Final = {
    (CARRIER, "accepted"): "claim_accepted",
    (CARRIER, "paid"): "claim_paid",
    (CARRIER, "rejected"): "claim_acceptance_undone",
    (INSURER, "accepted"): "insurance_accepted",
    (INSURER, "paid"): "insurance_paid",
    (INSURER, "rejected"): "insurance_acceptance_undone",
}
"""By whom and by the state that follows: the rule of its entry."""


async def save(
    tx: Transaction, ctx: Context, change: ClaimChange, by: By
) -> tuple[ClaimRecord, Event]:
    """Write a planned change, with its entry where what is owed changes.

    Raises:
        Conflict: somebody moved the claim meanwhile; nothing is written.
    """
    before = change.before
    await moves.move(
        tx,
        table,
        "transport_claim",
        before.id,
        before.sequence,
        ctx.clock(),
        change.deadlines,
        state=change.state,
        **change.values,
    )
    after = await rows.one(tx, before.id)
    assert after is not None
    moved = change.state != before.state
    rule = _RULES.get((before.against, change.state)) if moved else None
    amount = after.accepted_minor or before.accepted_minor
    if rule is not None and amount is not None:
        ref = ClaimRef(after.id, after.order_id, after.currency)
        await ledger.post(tx, claim_moved(stamp(ctx, by), ref, rule, amount))
    return after, claim_event(ctx, after, change.event, by)


async def open_claim(
    tx: Transaction,
    ctx: Context,
    ret: ReturnRecord,
    against: str,
    cause: str,
    amount_minor: int,
    by: By,
    note: str | None = None,
) -> tuple[ClaimRecord, Event]:
    """A new claim. The return's one claim of this kind: the caller looked that there is none."""
    now, claim_id = ctx.clock(), ctx.new_id()
    await moves.add(
        tx, table, "transport_claim", now, opened(now), id=claim_id, return_id=ret.id,
        order_id=ret.order_id, against=against, cause=cause, state="opened",
        claimed_minor=amount_minor, currency=ret.currency, note=note,
    )  # fmt: skip
    made = await rows.one(tx, claim_id)
    assert made is not None
    return made, claim_event(ctx, made, "transport_claim.opened", by)


async def follow_parcel(
    tx: Transaction, ctx: Context, ret: ReturnRecord, before: str, state: str
) -> list[Event]:
    """A lost parcel is claimed for what its goods were promised to refund; one that shows up is
    not claimed any more, unless the carrier has answered already."""
    if state == "lost":
        known = await rows.of_return(tx, ret.id, CARRIER)
        if known is None and ret.expected_minor > 0:
            return [
                (await open_claim(tx, ctx, ret, CARRIER, "lost", ret.expected_minor, SYSTEM))[1]
            ]
        return [] if known is None else await _by_itself(tx, ctx, known, "reopen")
    if before == "lost" and state in _FOUND:
        known = await rows.of_return(tx, ret.id, CARRIER)
        return [] if known is None else await _by_itself(tx, ctx, known, "withdraw")
    return []


async def claim_freight(
    tx: Transaction, ctx: Context, ret: ReturnRecord, freight_minor: int, by: By
) -> list[Event]:
    """Insured freight that the buyer paid is claimed of the insurer, once for a return; nothing is
    asked where none is insured."""
    amount = insured_freight(ret.terms.insurance, freight_minor)
    if amount == 0 or await rows.of_return(tx, ret.id, INSURER) is not None:
        return []
    return [(await open_claim(tx, ctx, ret, INSURER, "freight_insured", amount, by))[1]]


async def _by_itself(tx: Transaction, ctx: Context, claim: ClaimRecord, action: str) -> list[Event]:
    if (claim.state, action) not in TRANSPORT_CLAIM.rules:
        return []
    change = plan_claim(claim, action, Actor.SYSTEM, ctx.clock())
    return [(await save(tx, ctx, change, SYSTEM))[1]]


def claim_event(ctx: Context, claim: ClaimRecord, type_: str, by: By, **more: Any) -> Event:
    """What happened to a claim, which is as it is now; no part of what the buyer reads."""
    return Event(
        id=ctx.new_id(),
        type=type_,
        resource_type="transport_claim",
        resource_id=claim.id,
        sequence=claim.sequence,
        at=ctx.clock(),
        by=by,
        order_id=claim.order_id,
        return_id=claim.return_id,
        data={
            "claim": ids.encode("clm", claim.id),
            "return": ids.encode("ret", claim.return_id),
            "order": ids.encode("ord", claim.order_id),
            "state": claim.state,
            "against": claim.against,
            "cause": claim.cause,
            "claimed": claim.claimed_minor,
            "accepted": claim.accepted_minor,
            "currency": claim.currency,
            "internal": True,
            **more,
        },
    )
