"""One way to have each deadline of the lifecycle tables stand, and what its silence has to tell.

A deadline that a table names and that has no case here is a finding of the proof.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from tests.support.story import POLICY, Order, Story, goods, with_repairs

from returns_api.domain.access import Principal, Role
from returns_api.domain.cancellations import CancellationRecord
from returns_api.domain.complaints import ComplaintRecord
from returns_api.domain.disputes import DisputeRecord
from returns_api.domain.events import By
from returns_api.domain.exchanges import ExchangeRecord
from returns_api.domain.offers import OfferRecord
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.transport_claims import ClaimRecord
from returns_api.usecases import (
    address_changes,
    cancellations,
    complaints,
    deadlines,
    disputes,
    exchanges,
    offers,
    pickup_calls,
    pickups,
    returns,
    shipments,
    transport_claims,
)
from returns_api.usecases._acting import Acting

CHEAP, COSTLY, STRICT = 2_000, 60_000, 95_000
"""Prices: decided at once; reviewed, silence approves; reviewed, silence rejects (minor units)."""
NOTHING: Final = ""
"""The event of a silence that tells nobody."""
STRICT_POLICY: Final = (
    with_repairs(POLICY)
    .replace(
        "  - id: costly",
        "  - id: strict\n    when: {unit_price: {min: 900.00}}\n"
        "    approval: {respond_within: 48 hours, on_silence: reject}\n  - id: costly",
    )
    .replace("[post, dropoff, in_store]", "[post, dropoff, in_store, pickup]")
)


@dataclass(frozen=True, slots=True)
class Case:
    """An object whose deadline ``kind`` stands; silence tells ``event`` of it by ``system``."""

    machine: str
    kind: str
    event: str
    return_id: UUID | None
    object_id: UUID


Make = Callable[[Story], Awaitable[Case]]


async def _opened(story: Story, price: int) -> tuple[Order, ReturnRecord]:
    order = await story.order(goods("coat", price))
    return order, await story.open(order, {"coat": 1})


def _of(ret: ReturnRecord, kind: str, event: str) -> Case:
    return Case("return", kind, event, ret.id, ret.id)


async def respond_approve(story: Story) -> Case:
    return _of((await _opened(story, COSTLY))[1], "respond", "return.approved")


async def respond_reject(story: Story) -> Case:
    return _of((await _opened(story, STRICT))[1], "respond", "return.rejected")


async def answer(story: Story) -> Case:
    _, ret = await _opened(story, COSTLY)
    await story.act(ret, returns.asking("Why?"))
    return _of(ret, "answer", "return.rejected")


async def ship(story: Story) -> Case:
    return _of((await _opened(story, CHEAP))[1], "ship", "return.expired")


async def arrive(story: Story) -> Case:
    _, ret = await _opened(story, CHEAP)
    await story.act(ret, returns.shipping)
    return _of(ret, "arrive", "return.overdue")


async def inspect(story: Story) -> Case:
    _, ret = await _opened(story, CHEAP)
    await story.receive(ret, {"coat": 1})
    return _of(ret, "inspect", "return.overdue")


async def refund(story: Story) -> Case:
    """Nobody sends the money: the proof runs no job but silence."""
    _, ret = await _opened(story, CHEAP)
    await story.bring_back(ret)
    return _of(ret, "refund", "return.overdue")


async def _offer(story: Story, person: Principal) -> tuple[Order, ReturnRecord, OfferRecord]:
    order, ret = await _opened(story, CHEAP)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        who = Acting(person, By(person.role.value, person.credential_id), ret.id)
        made = await offers.make_offer(tx, story.ctx, who, amount_minor=500)
    return order, ret, made


async def offer_approval(story: Story) -> Case:
    """By default an agent may promise nothing alone."""
    _, ret, made = await _offer(story, story.agent)
    return Case("offer", "offer_approval", "offer.expired", ret.id, made.id)


async def offer_answer(story: Story) -> Case:
    _, ret, made = await _offer(story, story.who(Role.ADMIN))
    return Case("offer", "offer_answer", "offer.expired", ret.id, made.id)


async def counter_answer(story: Story) -> Case:
    order, ret, made = await _offer(story, story.who(Role.ADMIN))
    buyer = story.who(Role.BUYER, order)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        who = Acting(buyer, By("buyer", buyer.credential_id), made.id)
        countered = await offers.counter_offer(tx, story.ctx, who, amount_minor=900)
    return Case("offer", "counter_answer", "offer.expired", ret.id, countered.id)


async def dispute_window(story: Story) -> Case:
    """Nobody contests the rejection: it stands, and nobody is told."""
    _, ret = await _opened(story, COSTLY)
    await story.act(ret, returns.rejecting("worn", None, None))
    return _of(ret, "dispute_window", NOTHING)


async def _dispute(story: Story) -> tuple[Order, DisputeRecord]:
    order, ret = await _opened(story, COSTLY)
    await story.act(ret, returns.rejecting("worn", None, None))
    buyer = story.who(Role.BUYER, order)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await disputes.open_dispute(
            tx,
            story.ctx,
            buyer,
            By("buyer", buyer.credential_id),
            ret.id,
            claimed_minor=500,
            statement="It came like this.",
        )
    return order, made


async def _ruled(story: Story) -> tuple[Order, DisputeRecord]:
    order, made = await _dispute(story)
    arbiter = story.who(Role.PLATFORM)
    by, agent = By("platform", arbiter.credential_id), story.agent
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await disputes.add_evidence(tx, story.ctx, agent, By("agent"), made.id, "No.", None)
        await disputes.act(tx, story.ctx, arbiter, by, made.id, "begin_review", None)
        ruled = await disputes.rule(
            tx, story.ctx, arbiter, by, made.id, award_minor=100, reason="Half.", seen=None
        )
    return order, ruled


def _disputed(made: DisputeRecord, kind: str, event: str) -> Case:
    return Case("dispute", kind, event, made.return_id, made.id)


async def evidence(story: Story) -> Case:
    return _disputed((await _dispute(story))[1], "evidence", "dispute.review_begun")


async def ruling(story: Story) -> Case:
    _, made = await _dispute(story)
    arbiter = story.who(Role.PLATFORM)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await disputes.add_evidence(tx, story.ctx, story.agent, By("agent"), made.id, "No.", None)
        await disputes.act(tx, story.ctx, arbiter, By("platform"), made.id, "begin_review", None)
    return _disputed(made, "ruling", "dispute.overdue")


async def appeal(story: Story) -> Case:
    return _disputed((await _ruled(story))[1], "appeal", "dispute.final")


async def appeal_ruling(story: Story) -> Case:
    order, made = await _ruled(story)
    buyer = story.who(Role.BUYER, order)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await disputes.appeal(tx, story.ctx, buyer, By("buyer"), made.id, "Look again.", None)
    return _disputed(made, "appeal_ruling", "dispute.final")


async def _exchange(story: Story, price: int | None) -> tuple[Order, ExchangeRecord]:
    """A coat to be exchanged for a larger one; with a price, the shop has it."""
    order = await story.order(goods("coat", CHEAP))
    made = await story.exchange(order, "coat")
    if price is not None:
        await story.take(made, exchanges.in_stock(price, None, None), story.agent)
    return order, made


async def _back(story: Story, made: ExchangeRecord) -> None:
    """The goods come and are judged."""
    ret = (await returns.get_return(story.ctx, story.agent, made.return_id)).ret
    await story.bring_back(ret)


def _exchanged(made: ExchangeRecord, kind: str, event: str) -> Case:
    return Case("exchange", kind, f"exchange.{event}", made.return_id, made.id)


async def stock_answer(story: Story) -> Case:
    return _exchanged((await _exchange(story, None))[1], "stock_answer", "out_of_stock")


async def alternative(story: Story) -> Case:
    _, made = await _exchange(story, None)
    await story.take(made, exchanges.out_of_stock([]), story.agent)
    return _exchanged(made, "alternative", "converted")


async def price_answer(story: Story) -> Case:
    return _exchanged((await _exchange(story, CHEAP + 1))[1], "price_answer", "converted")


async def difference(story: Story) -> Case:
    order, made = await _exchange(story, CHEAP + 1)
    await story.take(made, exchanges.accepting, story.who(Role.BUYER, order))
    await _back(story, made)
    return _exchanged(made, "difference", "converted")


async def dispatch(story: Story) -> Case:
    _, made = await _exchange(story, CHEAP)
    await _back(story, made)
    return _exchanged(made, "dispatch", "overdue")


async def arrival(story: Story) -> Case:
    _, made = await _exchange(story, CHEAP)
    await _back(story, made)
    await story.take(made, exchanges.shipping(None, None), story.agent)
    return _exchanged(made, "arrival", "completed")


async def _picked_up(story: Story, *, connected: bool) -> Case:
    """A courier who was asked to come, by a carrier that is connected or not any more."""
    order = await story.order(goods("coat", CHEAP))
    ret = await story.open(order, {"coat": 1}, method="pickup")
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    await shipments.carry_label(story.ctx, story.shop, shipment.id)
    slot = (await pickups.list_slots(story.ctx, story.agent, ret.id))[0]
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await pickups.book(tx, story.ctx, story.agent, By("agent"), ret.id, slot.token)
    ctx = story.ctx if connected else replace(story.ctx, carriers={})
    await pickup_calls.carry_pickup(ctx, story.shop, made.id)
    kind, event = ("scan", "missed") if connected else ("rebook", "lapsed")
    return Case("pickup", f"pickup_{kind}", f"pickup.{event}", ret.id, made.id)


async def pickup_scan(story: Story) -> Case:
    return await _picked_up(story, connected=True)


async def pickup_rebook(story: Story) -> Case:
    return await _picked_up(story, connected=False)


async def parcel_scan(story: Story) -> Case:
    """Scanned once on its way, and then no more."""
    _, ret = await _opened(story, CHEAP)
    shipment = (await story.view(ret)).shipment
    assert shipment is not None
    await shipments.carry_label(story.ctx, story.shop, shipment.id)
    await story.scan(ret, "in_transit")
    return Case("shipment", "parcel_scan", "shipment.stalled", ret.id, shipment.id)


async def _claimed(story: Story) -> tuple[ReturnRecord, ClaimRecord]:
    _, ret = await _opened(story, CHEAP)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await transport_claims.claim_parcel(
            tx, story.ctx, story.agent, By("agent"), ret.id,
            cause="damaged", amount_minor=500, note=None,
        )  # fmt: skip
    return ret, made


async def claim_submit(story: Story) -> Case:
    ret, made = await _claimed(story)
    event = "transport_claim.overdue"
    return Case("transport_claim", "claim_submit", event, ret.id, made.id)


async def claim_answer(story: Story) -> Case:
    ret, made = await _claimed(story)
    who = Acting(story.agent, By("agent"), made.id)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        await transport_claims.act(tx, story.ctx, who, "submit", reference="NF-1")
    event = "transport_claim.overdue"
    return Case("transport_claim", "claim_answer", event, ret.id, made.id)


async def _complained(story: Story, *acts: str) -> tuple[Order, ComplaintRecord]:
    """A complaint about an order, after these acts of the shop."""
    order = await story.order(goods("coat", CHEAP))
    buyer = story.who(Role.BUYER, order)
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await complaints.open_complaint(
            tx, story.ctx, buyer, By("buyer", buyer.credential_id), order.id,
            return_id=None, category="service", text="Nobody answers.",
        )  # fmt: skip
        for act in acts:
            who = Acting(story.agent, By("agent"), made.id)
            await complaints.act(tx, story.ctx, who, act, "Sorry.")
    return order, made


def _complaint(made: ComplaintRecord, kind: str, event: str) -> Case:
    return Case("complaint", f"complaint_{kind}", f"complaint.{event}", None, made.id)


async def complaint_promise(story: Story) -> Case:
    return _complaint((await _complained(story))[1], "promise", "escalated")


async def complaint_escalation(story: Story) -> Case:
    """Escalated by a sweep of its own, since the other cases' clocks must not move on."""
    _, made = await _complained(story)
    await _until(story, made, "escalated")
    return _complaint(made, "escalation", "overdue")


async def complaint_answer(story: Story) -> Case:
    return _complaint((await _complained(story, "ask"))[1], "answer", "closed")


async def complaint_follow_up(story: Story) -> Case:
    return _complaint((await _complained(story, "resolve"))[1], "follow_up", "closed")


async def complaint_rating(story: Story) -> Case:
    _, made = await _complained(story, "resolve")
    await _until(story, made, "closed")
    return _complaint(made, "rating", "unrated")


async def _until(story: Story, made: ComplaintRecord, state: str) -> None:
    """Let the complaint's own deadline pass, as if its moment had come."""
    later = replace(story.ctx, clock=lambda: story.clock() + timedelta(days=10))
    await deadlines.keep_order_deadlines(later, story.shop, made.order_id)
    found = await complaints.get_complaint(story.ctx, story.agent, made.id)
    assert found.state == state, found.state


async def _cancelled(story: Story, cause: str) -> CancellationRecord:
    """Of an order that was not sent, or whose parcel is on its way."""
    order = await story.order(goods("coat", CHEAP), delivered=None)
    sent = cause != "before_dispatch"
    if sent:
        await story.send(order.name, {"coat": 1})
    wish = cancellations.Wish(cause, "f1" if sent else None, {})
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        return await cancellations.open_cancellation(
            tx, story.ctx, story.agent, By("agent"), order.id, wish
        )


async def address_answer(story: Story) -> Case:
    order = await story.order(goods("coat", CHEAP), delivered=None)
    address = {"name": "A", "street1": "B", "city": "C", "postcode": "1", "country": "CH"}
    async with story.ctx.database.transaction(story.shop, savepoint=True) as tx:
        made = await address_changes.ask(tx, story.ctx, story.agent, By("agent"), order.id, address)
    return Case("address_change", "address_answer", "address_change.declined", None, made.id)


def _cancellation(made: CancellationRecord, kind: str, event: str) -> Case:
    return Case("cancellation", kind, f"cancellation.{event}", None, made.id)


async def cancel_unsent(story: Story) -> Case:
    made = await _cancelled(story, "before_dispatch")
    return _cancellation(made, "cancel_answer", "confirmed")


async def cancel_recalled(story: Story) -> Case:
    return _cancellation(await _cancelled(story, "recalled"), "cancel_answer", "declined")


async def cancel_refused(story: Story) -> Case:
    return _cancellation(await _cancelled(story, "refused"), "parcel_back", "overdue")


MAKERS: Final[Mapping[str, Make]] = {
    "return.respond, approved": respond_approve,
    "return.respond, rejected": respond_reject,
    "return.answer": answer,
    "return.ship": ship,
    "return.arrive": arrive,
    "return.inspect": inspect,
    "return.refund": refund,
    "return.dispute_window": dispute_window,
    "dispute.evidence": evidence,
    "dispute.ruling": ruling,
    "dispute.appeal": appeal,
    "dispute.appeal_ruling": appeal_ruling,
    "offer.offer_approval": offer_approval,
    "offer.offer_answer": offer_answer,
    "offer.counter_answer": counter_answer,
    "exchange.stock_answer": stock_answer,
    "exchange.alternative": alternative,
    "exchange.price_answer": price_answer,
    "exchange.difference": difference,
    "exchange.dispatch": dispatch,
    "exchange.arrival": arrival,
    "shipment.parcel_scan": parcel_scan,
    "transport claim.claim_submit": claim_submit,
    "transport claim.claim_answer": claim_answer,
    "complaint.complaint_promise": complaint_promise,
    "complaint.complaint_escalation": complaint_escalation,
    "complaint.complaint_answer": complaint_answer,
    "complaint.complaint_follow_up": complaint_follow_up,
    "complaint.complaint_rating": complaint_rating,
    "cancellation.cancel_answer, confirmed": cancel_unsent,
    "cancellation.cancel_answer, declined": cancel_recalled,
    "cancellation.parcel_back": cancel_refused,
    "address change.address_answer": address_answer,
    "pickup.pickup_scan": pickup_scan,
    "pickup.pickup_rebook": pickup_rebook,
}
"""Every outcome of every deadline, by name."""
