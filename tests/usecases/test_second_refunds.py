"""Refunds at the provider beside the one that we made: a second one under our reference, one that
lands after we had given it up, one in another currency. Each counts once and moves none of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from returns_api.domain import ids
from returns_api.ports.errors import ProviderRejected
from returns_api.ports.payments import ProviderRefund, RefundStatus
from returns_api.worker import sweep
from tests.support.moved import gated, one_transfer
from tests.support.paid import PAID, an_order
from tests.support.story import Story
from tests.support.story_scene import Order
from tests.usecases.test_reconciliations import counters, found, imported


def named(transfer: Any, order: Order, ident: str = "re_late", **more: Any) -> ProviderRefund:
    """A refund at the provider that carries a transfer's reference."""
    reference = ids.encode("trf", transfer["id"])
    made = ProviderRefund(
        ident, order.intents[0], reference, RefundStatus.SUCCEEDED, transfer["amount_minor"], "EUR"
    )
    return replace(made, **more)


def line(transfer: Any, order: Order, ident: str, at: str, **more: str) -> str:
    """The same as a row of a settlement file."""
    told = {"amount": str(transfer["amount_minor"]), "currency": "EUR", "status": "succeeded"}
    told |= more
    reference = ids.encode("trf", transfer["id"])
    rest = f"{told['amount']},{told['currency']},{told['status']},{at}"
    return f"refund,{ident},{order.intents[0]},{reference},{rest}"


async def paid_back(story: Story, amount: int = 3000) -> tuple[Order, UUID, Any]:
    order = await an_order(story)
    view = await story.refund(order, amount)
    await story.drain()
    return order, view.refund["id"], await one_transfer(story, view.refund["id"])


@pytest.mark.parametrize("by_file", [False, True])
async def test_a_second_refund_under_our_reference_counts(story: Story, by_file: bool) -> None:
    """The provider forgot the key and paid twice: it was taken for our own echo."""
    order, refund, move = await paid_back(story)
    if by_file:
        of = await imported(story, line(move, order, "re_twice", story.clock().isoformat()))
        assert await found(story, of) == [("refund", "missing_here", "record_fact", True)]
    else:
        await story.tell(named(move, order, "re_twice"))
    assert await counters(story, order) == (0, 3000, 3000, 0)
    assert (await story.refund_now(refund)).refund["state"] == "succeeded"
    await story.provider_tells(order)
    assert await counters(story, order) == (0, 3000, 3000, 0)


@pytest.mark.parametrize("by_file", [False, True])
async def test_a_second_refund_that_died_takes_nothing_back(story: Story, by_file: bool) -> None:
    """Ours had arrived; it was called failed, and would have been paid again."""
    order, refund, move = await paid_back(story)
    if by_file:
        at = story.clock().isoformat()
        of = await imported(story, line(move, order, "re_twice", at, status="failed"))
        assert await found(story, of) == []
    else:
        await story.tell(named(move, order, "re_twice", status=RefundStatus.FAILED))
    assert await counters(story, order) == (0, 3000, 0, 0)
    assert (await story.refund_now(refund)).refund["state"] == "succeeded"


async def test_what_lands_after_it_was_given_up_counts(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 3000)
    await story.cancel(view.refund["id"])
    move = await one_transfer(story, view.refund["id"])
    await story.tell(named(move, order))
    assert await counters(story, order) == (0, 0, 3000, 0)
    assert (await story.payments(order))["p0"].refundable == PAID - 3000
    types = [event["type"] for event in await story.events(order.id)]
    assert types[-1] == "order.refunded_elsewhere"


async def test_what_lands_after_a_refusal_counts_until_it_dies(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 3000)
    gate, ctx = gated(story)
    gate.refusals["refund"] = [ProviderRejected("charge_already_refunded", "said so")]
    await sweep.drain(ctx)
    move = await one_transfer(story, view.refund["id"])
    assert move["state"] == "failed"
    await story.tell(named(move, order))
    assert await counters(story, order) == (0, 0, 3000, 0)
    await story.tell(named(move, order, status=RefundStatus.FAILED))
    await story.tell(named(move, order))
    assert await counters(story, order) == (0, 0, 0, 0)


async def test_a_file_that_tells_of_what_waits_for_approval_is_read_to_its_end(
    story: Story,
) -> None:
    """Somebody paid by hand what was not approved yet: the run died of it, and all after it too."""
    await story.limit(finance_per_order=1)
    order, other = await an_order(story), await an_order(story)
    view = await story.refund(order, 3000)
    at = story.clock().isoformat()
    stray = f"refund,re_z,{other.intents[0]},,300,EUR,succeeded,{at}"
    of = await imported(story, line(view.transfers[0], order, "re_a", at), stray)
    assert await found(story, of) == [("refund", "missing_here", "record_fact", True)] * 2
    assert await counters(story, order) == (3000, 0, 3000, 0)
    assert await counters(story, other) == (0, 0, 300, 0)
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "requested"


async def test_the_provider_s_own_id_goes_before_a_reference(story: Story) -> None:
    """A file names one refund by its id and another by our reference: the run died of it."""
    order, _, first = await paid_back(story)
    second = await story.refund(order, 3000)
    at = story.clock().isoformat()
    move = second.transfers[0]
    of = await imported(story, line(move, order, first["provider_refund_id"], at))
    assert await found(story, of) == []
    assert await counters(story, order) == (0, 6000, 0, 0), "each of them arrived once"


@pytest.mark.parametrize("by_file", [False, True])
async def test_another_currency_is_recorded_and_counts_for_nothing(
    story: Story, by_file: bool
) -> None:
    """300 dollars were taken for 300 euros."""
    order = await an_order(story)
    payment, at = order.intents[0], story.clock().isoformat()
    if by_file:
        rest = f"{payment},,300,USD"
        lines = f"refund,re_x,{rest},succeeded,{at}", f"dispute,dp_1,{rest},open,{at}"
        of = await imported(story, *lines)
        assert await found(story, of) == sorted(
            (kind, *told)
            for kind in ("refund", "dispute")
            for told in (("missing_here", "record_fact", True), ("currency", "review", False))
        )
        assert await found(story, await imported(story, *lines)) == []
    else:
        refund = ProviderRefund("re_x", payment, None, RefundStatus.SUCCEEDED, 300, "USD")
        await story.tell(refund)
        await story.tell(replace(story.dispute_of(payment, 300), currency="USD"))
    assert await counters(story, order) == (0, 0, 0, 0)
    facts = await story.rows("SELECT currency, counted FROM outside_facts")
    assert [(fact["currency"], fact["counted"]) for fact in facts] == [("USD", False)] * 2
