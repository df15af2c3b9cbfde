"""The job behind every movement of money: timeouts, outages, refusals, answers that never came.

The bank counts: whatever happened on the way, its own books show one movement or none.
"""

from __future__ import annotations

import pytest

from returns_api.domain import ids
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from returns_api.ports.payments import Capabilities
from returns_api.worker import sweep
from tests.support.moved import LOST, gated, moved, one_transfer, tries
from tests.support.paid import an_order
from tests.support.story import Story


@pytest.mark.parametrize("fault", [*LOST, "hang_after"])
async def test_a_lost_answer_is_unknown_and_looked_up_never_sent_again(
    story: Story, fault: str
) -> None:
    """Rows 5 and 19: the money moved, the answer did not come."""
    order = await an_order(story)
    view = await story.refund(order, 6000)
    await story.bank.script({"fault": fault, "seconds": 4})
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
    for hours in (*[1] * 48, *[6] * 40):  # oftener than it is to be asked: twelve days
        await sweep.drain(ctx)
        story.clock.forward(hours=hours)
    move = await one_transfer(story, view.refund["id"])
    assert (move["state"], move["due_at"]) == ("needs_review", None)
    assert gate.calls.count("look_up") == 13
    assert (await story.payments(order))["p0"].reserved == 6000
    happened = [each for each in await story.happened(view.refund["id"]) if "overdue" not in each]
    assert happened[-3:] == ["refund.unknown", "refund.unsettled", "refund.needs_review"]

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
    gate.instead["capabilities"] = Capabilities(idempotency_window=None, lookup_by_reference=True)
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
    gate.instead["capabilities"] = Capabilities(idempotency_window=None, lookup_by_reference=False)
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
