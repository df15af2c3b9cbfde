"""The job behind every movement of money: timeouts, outages, refusals, zombies, facts of others.

The bank counts: whatever happened on the way, its own books show one movement or none.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_api.domain import ids
from returns_api.domain.orders import OrderSeen, PaymentSeen
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from returns_api.ports.payments import Capabilities, ProviderRefund, RefundStatus
from returns_api.usecases import transfers
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases.context import Context
from returns_api.worker import sweep
from tests.support.gates import Gate
from tests.support.story import Order, Story, goods

PAID = 10000


async def an_order(story: Story, *paid: int) -> Order:
    return await story.order(goods("thing", sum(paid) or PAID), paid=paid or None)


async def one_transfer(story: Story, refund_id: UUID) -> Any:
    (move,) = (await story.refund_now(refund_id)).transfers
    return move


async def tries(story: Story) -> list[tuple[str, str]]:
    """Kind and outcome of each try, in order."""
    rows = await story.rows("SELECT kind, outcome FROM transfer_attempts ORDER BY no")
    return [(row["kind"], row["outcome"]) for row in rows]


async def moved(story: Story, transfer_id: UUID) -> tuple[int, int]:
    """How often the bank moved money for the transfer, and how much is moved now."""
    seen = await story.bank.movements(ids.encode("trf", transfer_id))
    return seen["made"], seen["net_minor"]


def gated(story: Story, *closed: str) -> tuple[Gate, Context]:
    gate = Gate(story.ctx.payments["stripe"], *closed)
    return gate, replace(story.ctx, payments={"stripe": gate})


@pytest.mark.parametrize(
    "fault", ["reset_after", "error_after", "hang_after", "garbage", "truncate", "wrong_amount"]
)
async def test_a_lost_answer_is_unknown_and_looked_up_never_sent_again(
    story: Story, fault: str
) -> None:
    """Rows 5 and 19: the money moved, the answer did not come."""
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script({"fault": fault, "seconds": 2})
    await story.drain()
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("unknown", "outcome_unknown")
    payment = (await story.payments(order))["p0"]
    assert (payment.reserved, payment.refundable) == (6000, 4000), "it keeps its reservation"
    await story.drain(seconds=59)
    assert (await one_transfer(story, view.refund["id"]))["state"] == "unknown"
    await story.drain(seconds=2)
    move = await one_transfer(story, view.refund["id"])
    assert move["state"] == "succeeded"
    assert await tries(story) == [("send", "unknown"), ("look_up", "succeeded")]
    assert await moved(story, move["id"]) == (1, 6000)
    assert await story.happened(view.refund["id"]) == [
        "refund.requested",
        "refund.unknown",
        "refund.succeeded",
    ]


async def test_what_certainly_did_not_arrive_is_sent_again_with_the_same_key(
    story: Story,
) -> None:
    """The connection was reset before the bank read it: it may have acted, so it is asked first."""
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script("reset_before")
    await story.drain()
    await story.drain(minutes=2)
    move = await one_transfer(story, view.refund["id"])
    assert move["state"] == "succeeded"
    assert [kind for kind, _ in await tries(story)] == ["send", "look_up", "send"]
    assert (await tries(story))[1] == ("look_up", "absent")
    assert await moved(story, move["id"]) == (1, 6000)


async def test_an_unknown_one_is_asked_by_the_schedule_and_then_given_to_a_person(
    story: Story,
) -> None:
    gate, ctx = gated(story)
    gate.refusals["refund"] = [OutcomeUnknown("no answer")]
    gate.refusals["look_up"] = [OutcomeUnknown("no answer") for _ in range(50)]
    order = await an_order(story)
    view = await story.refund(order, 6000)
    for _ in range(24 * 12):
        await sweep.drain(ctx)
        story.clock.forward(hours=1)
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["due_at"]) == ("needs_review", None)
    assert gate.calls.count("look_up") == 13
    assert (await story.payments(order))["p0"].reserved == 6000
    assert (await story.happened(view.refund["id"]))[-1] == "refund.needs_review"

    gate.refusals.clear()
    await story.retry(view.refund["id"])
    await sweep.drain(ctx)
    move = await one_transfer(story, view.refund["id"])
    assert move["state"] == "succeeded"
    moves = [call for call in gate.calls if call != "list_activity"]
    assert moves[-2:] == ["look_up", "refund"], "never sent blindly"
    assert await moved(story, move["id"]) == (1, 6000)


@pytest.mark.parametrize("fault", ["error_before", "rate_limited", "key_in_use"])
async def test_an_outage_postpones_and_never_fails(story: Story, fault: str) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script(fault, fault, fault)
    await story.drain()
    move = await one_transfer(story, view.refund["id"])
    assert move["state"] in {"queued", "unknown"}
    assert (await story.payments(order))["p0"].reserved == 6000
    for _ in range(6):
        await story.drain(minutes=6)
    move = await one_transfer(story, view.refund["id"])
    assert move["state"] == "succeeded"
    assert await moved(story, move["id"]) == (1, 6000)


async def test_a_refusal_fails_and_frees_the_money(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.control("PUT", "faults", {"lenient": False})
    await story.bank.dashboard_refund(order.intents[0], 5000)
    await story.drain()
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("failed", "amount_too_large")
    payment = (await story.payments(order))["p0"]
    assert (payment.reserved, payment.refunded) == (0, 0)
    assert await moved(story, move["id"]) == (0, 0)


async def test_a_forgotten_key_is_never_used_again_blindly(story: Story) -> None:
    """Past the time for which the provider remembers our key, it is asked before it is sent."""
    gate, ctx = gated(story)
    gate.refusals["refund"] = [ProviderUnavailable("away") for _ in range(30)]
    order = await an_order(story)
    view = await story.refund(order, 6000)
    for _ in range(26):
        await sweep.drain(ctx)
        story.clock.forward(hours=1)
    assert "look_up" in gate.calls
    gate.refusals.clear()
    story.clock.forward(hours=2)
    await sweep.drain(ctx)
    move = await one_transfer(story, view.refund["id"])
    assert move["state"] == "succeeded"
    assert await moved(story, move["id"]) == (1, 6000)


@pytest.mark.parametrize("answers", [["reset_after"], ["reset_before"], ["reset_before"] * 3])
async def test_a_provider_without_keys_is_asked_before_every_send(
    story: Story, answers: list[str]
) -> None:
    """Without idempotency a second send could be a second refund; absence lets it go out."""
    await story.bank.control("PUT", "faults", {"idempotency": False})
    gate, ctx = gated(story)
    gate.capabilities = Capabilities(idempotency_window=None, lookup_by_reference=True)
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script(*answers)
    for _ in range(6):
        await sweep.drain(ctx)
        story.clock.forward(minutes=30)
    move = await one_transfer(story, view.refund["id"])
    assert move["state"] == "succeeded"
    sends = [at for at, (kind, _) in enumerate(await tries(story)) if kind == "send"]
    found = await tries(story)
    assert all(found[at - 1] == ("look_up", "absent") for at in sends[1:])
    assert await moved(story, move["id"]) == (1, 6000)


async def test_a_provider_that_can_tell_nothing_needs_a_person(story: Story) -> None:
    gate, ctx = gated(story)
    gate.capabilities = Capabilities(idempotency_window=None, lookup_by_reference=False)
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script("reset_after")
    await sweep.drain(ctx)
    story.clock.forward(minutes=2)
    await sweep.drain(ctx)
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], gate.calls) == ("needs_review", ["refund"])
    assert await moved(story, move["id"]) == (1, 6000)
    (fact,) = await story.provider_tells(order)
    assert fact.reference == ids.encode("trf", move["id"])
    assert (await one_transfer(story, view.refund["id"]))["state"] == "succeeded"


async def test_a_pending_refund_is_looked_at_until_it_ends(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.control("PUT", "faults", {"life_seconds": 9999})
    await story.bank.script("pending")
    await story.drain()
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], (await story.payments(order))["p0"].reserved) == ("pending", 6000)
    await story.drain(minutes=16)
    assert (await one_transfer(story, view.refund["id"]))["state"] == "pending"
    await story.bank.settle(move["provider_refund_id"], "succeeded")
    await story.drain(minutes=16)
    assert (await one_transfer(story, view.refund["id"]))["state"] == "succeeded"


async def test_ten_workers_send_once(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    move = await one_transfer(story, view.refund["id"])
    await asyncio.gather(
        *(transfers.send_transfer(story.ctx, story.shop, move["id"]) for _ in range(10))
    )
    assert await tries(story) == [("send", "succeeded")]
    assert await moved(story, move["id"]) == (1, 6000)


# A worker that wakes up late


async def test_a_zombie_changes_nothing(story: Story) -> None:
    """It was paused before the call for longer than its lease; another worker did the work."""
    gate, ctx = gated(story, "refund")
    order = await an_order(story)
    view = await story.refund(order, 6000)
    move = await one_transfer(story, view.refund["id"])
    zombie = asyncio.create_task(transfers.send_transfer(ctx, story.shop, move["id"]))
    await gate.arrived.wait()
    assert await story.drain() == 0, "it is in other hands"
    await story.drain(seconds=60)
    assert (await one_transfer(story, view.refund["id"]))["state"] == "succeeded"
    before = await story.events(view.refund["id"])
    gate.refusals["refund"] = [OutcomeUnknown("the zombie's own call got no answer")]
    gate.open.set()
    await zombie
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("succeeded", None)
    assert await story.events(view.refund["id"]) == before
    assert await moved(story, move["id"]) == (1, 6000)


async def test_a_zombie_that_sends_late_moves_no_second_sum(story: Story) -> None:
    gate, ctx = gated(story, "refund")
    order = await an_order(story)
    view = await story.refund(order, 6000)
    move = await one_transfer(story, view.refund["id"])
    zombie = asyncio.create_task(transfers.send_transfer(ctx, story.shop, move["id"]))
    await gate.arrived.wait()
    await story.drain(seconds=60)
    gate.open.set()
    await zombie
    assert await moved(story, move["id"]) == (1, 6000)
    rows = await story.rows("SELECT no, state FROM transfer_attempts ORDER BY no")
    assert [(row["no"], row["state"]) for row in rows] == [(1, "abandoned"), (2, "done")]


async def test_a_worker_that_dies_each_time_does_not_loop_for_ever(story: Story) -> None:
    gate, ctx = gated(story)
    gate.refusals["refund"] = [RuntimeError("dies") for _ in range(1000)]
    order = await an_order(story)
    view = await story.refund(order, 6000)
    move = await one_transfer(story, view.refund["id"])
    await story.rows("UPDATE transfers SET attempt = 498 RETURNING id")
    for _ in range(6):
        story.clock.forward(minutes=1)
        try:
            await transfers.send_transfer(ctx, story.shop, move["id"])
        except RuntimeError:
            continue
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("needs_review", "every_worker_died")


# What the provider tells by itself


async def test_an_echo_before_the_answer_is_counted_once(story: Story) -> None:
    """The webhook of our own refund overtakes the answer to our own call."""
    gate, ctx = gated(story)
    inner = gate.inner
    order = await an_order(story)
    view = await story.refund(order, 6000)

    async def slow(*args: Any) -> ProviderRefund:
        made: ProviderRefund = await inner.refund(*args)
        for fact in await story.provider_tells(order):
            assert fact.provider_refund_id == made.provider_refund_id
        return made

    gate.refund = slow
    await sweep.drain(ctx)
    payment = (await story.payments(order))["p0"]
    assert (payment.reserved, payment.refunded, payment.external) == (0, 6000, 0)
    assert await story.happened(view.refund["id"]) == ["refund.requested", "refund.succeeded"]
    for _ in range(3):
        await story.provider_tells(order)
    assert (await story.payments(order))["p0"].external == 0


async def test_an_echo_of_a_lost_answer_settles_it(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script("reset_after")
    await story.drain()
    await story.provider_tells(order)
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["due_at"]) == ("succeeded", None)
    assert move["provider_refund_id"] is not None
    assert (await story.payments(order))["p0"].external == 0


async def test_a_late_failure_opens_the_return_again(story: Story) -> None:
    order = await story.order(goods("thing", PAID))
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    await story.drain()
    assert (await story.again(ret)).state == "completed"
    move = (await story.refund_of(ret)).transfers[0]
    await story.bank.settle(move["provider_refund_id"], "failed")
    await story.provider_tells(order)
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor, ret.closed_at) == ("refunding", 0, None)
    payment = (await story.payments(order))["p0"]
    assert (payment.refunded, payment.refundable) == (0, PAID)
    assert (await story.happened(ret.id))[-1] == "return.reopened"
    for _ in range(2):
        await story.provider_tells(order)
    view = await story.retry((await story.refund_of(ret)).refund["id"])
    assert [m["state"] for m in view.transfers] == ["failed", "queued"]
    await story.drain()
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor) == ("completed", PAID)
    assert (await story.happened(ret.id))[-2:] == ["return.reopened", "return.completed"]


async def test_one_of_two_tenders_fails_late(story: Story) -> None:
    order = await story.order(goods("thing", 8000), paid=[5000, 3000])
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    await story.drain()
    moves = {m["amount_minor"]: m for m in (await story.refund_of(ret)).transfers}
    await story.bank.settle(moves[3000]["provider_refund_id"], "failed")
    await story.provider_tells(order)
    view = await story.refund_of(ret)
    assert view.refund["state"] == "partially_succeeded"
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor) == ("refunding", 5000)
    await story.retry(view.refund["id"])
    await story.drain()
    assert (await story.again(ret)).refunded_minor == 8000


async def test_what_arrived_shows_while_the_rest_is_under_way(story: Story) -> None:
    order = await story.order(goods("thing", 8000), paid=[5000, 3000])
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    await story.bank.control("PUT", "faults", {"life_seconds": 9999})
    await story.bank.script("none", "pending")
    await story.drain()
    ret = await story.again(ret)
    assert ret.state == "refunding"
    assert ret.refunded_minor in {5000, 3000}


async def test_an_old_message_does_not_undo_a_success(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.drain()
    (fact,) = await story.provider_tells(order)
    for status in (RefundStatus.PENDING, RefundStatus.REQUIRES_ACTION):
        await story.tell(replace(fact, status=status))
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"
    await story.tell(replace(fact, status=RefundStatus.FAILED, failure_code="closed"))
    await story.tell(replace(fact, status=RefundStatus.SUCCEEDED))
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("failed", "closed"), "what ended stays ended"
    await story.bank.settle(fact.provider_refund_id, "failed")


async def test_another_amount_at_the_provider_is_no_success(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script("reset_after")
    await story.drain()
    (fact,) = await story.provider_list(order)
    await story.tell(replace(fact, amount_minor=fact.amount_minor - 1))
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("unknown", "amount_differs")
    await story.drain(minutes=2)
    assert (await one_transfer(story, view.refund["id"]))["state"] == "succeeded"


async def test_a_reference_of_another_payment_proves_nothing(story: Story) -> None:
    """Somebody copied our reference onto a refund of another payment: that one is an outside
    refund, ours stays as it is."""
    order, other = await an_order(story), await an_order(story)
    view = await story.refund(order, 6000)
    await story.drain()
    (fact,) = await story.provider_list(order)
    forged = replace(
        fact, provider_payment_id=other.intents[0], provider_refund_id="re_forged",
        status=RefundStatus.FAILED,
    )  # fmt: skip
    await story.tell(forged)
    await story.tell(replace(forged, provider_refund_id="re_2", status=RefundStatus.SUCCEEDED))
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"
    assert (await story.payments(other))["p0"].external == 6000


# Money that moved without us


async def test_outside_refunds_are_recorded_even_above_captured(story: Story) -> None:
    order = await an_order(story)
    for amount in (4000, 9000):
        await story.bank.dashboard_refund(order.intents[0], amount)
    for _ in range(2):
        await story.provider_tells(order)
    payment = (await story.payments(order))["p0"]
    assert (payment.external, payment.refundable) == (13000, 0)
    told = [e for e in await story.events(order.id) if e["type"] == "order.refunded_elsewhere"]
    assert [event["data"]["exceeds_captured"] for event in told] == [False, True]


async def test_a_chargeback_blocks_and_a_won_one_frees(story: Story) -> None:
    order = await an_order(story)
    await story.tell(story.dispute_of(order.intents[0], PAID))
    assert (await story.payments(order))["p0"].refundable == 0
    for _ in range(2):
        await story.tell(story.dispute_of(order.intents[0], PAID, won=True))
    assert (await story.payments(order))["p0"].refundable == PAID
    types = [e["type"] for e in await story.events(order.id) if "disputed" in e["type"]]
    assert len(types) == 2


async def test_a_refund_that_an_outside_one_overtook_is_not_sent(story: Story) -> None:
    """Reserved, not yet sent; meanwhile somebody refunds all of it in a dashboard (S9)."""
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.dashboard_refund(order.intents[0], PAID)
    await story.provider_tells(order)
    await story.drain()
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["failure_code"]) == ("needs_review", "payment_overdrawn")
    assert await moved(story, move["id"]) == (0, 0)
    await story.retry(view.refund["id"])
    await story.drain()
    assert (await one_transfer(story, view.refund["id"]))["state"] == "needs_review"
    await story.cancel(view.refund["id"])
    ledger = await story.bank.ledger(order.intents[0])
    assert ledger["payments"][order.intents[0]]["refunded_minor"] == PAID


async def test_an_outside_refund_that_still_fits_stops_nothing(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.dashboard_refund(order.intents[0], 4000)
    await story.provider_tells(order)
    await story.drain()
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "succeeded"


async def test_a_refund_told_before_its_payment_waits_for_it(story: Story) -> None:
    order = await story.order(goods("thing", PAID), payments=())
    facts = story.facts(order)
    intent = order.intents[0]
    await story.bank.dashboard_refund(intent, 4000)
    (fact,) = await story.ctx.payments["stripe"].list_refunds(story.bank.account, intent)
    assert not await story.tell(fact), "nothing of ours is behind it yet"
    assert not await story.tell(story.dispute_of(intent, 100))
    payment = story.payment_of(intent, PAID)
    await story.see(
        OrderSeen(replace(facts, updated_at=facts.updated_at + timedelta(hours=1))),
        PaymentSeen(order.name, payment),
    )
    assert await story.tell(fact)
    assert (await story.payments(order))["p0"].external == 4000


async def test_refunds_of_all_channels_at_once_add_up(story: Story) -> None:
    order = await an_order(story)
    await story.bank.dashboard_refund(order.intents[0], 2500)

    async def outside() -> None:
        await story.provider_tells(order)

    done = await asyncio.gather(
        *(story.refund(order, 1000) for _ in range(12)), outside(), return_exceptions=True
    )
    await story.drain()
    await story.provider_tells(order)
    made = sum(isinstance(each, RefundView) for each in done)
    payment = (await story.payments(order))["p0"]
    assert payment.external == 2500
    assert payment.refunded + payment.reserved == made * 1000
    sent = payment.refunded
    ledger = await story.bank.ledger(order.intents[0])
    assert ledger["payments"][order.intents[0]]["refunded_minor"] == sent + 2500
