"""Money that a person pays back by bank transfer, and payments of the platform's own provider.

Cash and bank transfers have no id that a provider gave them. What is to be paid is pending until a
settlement file, made of the bank statement, says that it was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments.manual import ManualPayments
from returns_api.adapters.payments.shopify import ShopifyPayments
from returns_api.api import csv_files
from returns_api.domain import ids
from returns_api.domain.errors import DoesNotFit, NotFound
from returns_api.domain.events import By
from returns_api.domain.orders import DisputeSeen, OrderSeen, PaymentFacts
from returns_api.ports.payments import PaymentProvider
from returns_api.usecases import payouts, reconciliations
from tests.support.story import Story
from tests.support.story_orders import BUYER, goods
from tests.support.story_scene import Order
from tests.usecases.test_reconciliations import HEADER, counters, found

PAID = 10000
BY_HAND = "cash_on_delivery"


@pytest.fixture
async def story(story: Story) -> AsyncIterator[Story]:
    """The shop pays back by hand what was paid in cash."""
    http = HttpClient()
    known: dict[str, PaymentProvider] = {**story.ctx.payments, "manual": ManualPayments()}
    known["shopify"] = ShopifyPayments(http)
    story.ctx = replace(story.ctx, payments=known)
    await story.connect(BY_HAND, "payments", "manual", "https://bank.example", "none")
    yield story
    await http.aclose()


async def in_cash(story: Story, **more: Any) -> Order:
    cash = PaymentFacts("p0", BY_HAND, PAID, "EUR")
    return await story.order(goods("thing", PAID), payments=(cash,), **more)


async def said(story: Story, order: Order, move: Any, ident: str, **more: Any) -> UUID:
    """Finance imports what the bank statement says of a transfer."""
    told = {"amount": move["amount_minor"], "status": "succeeded"} | more
    payment = ids.encode("pay", (await story.payments(order))["p0"].id)
    reference = ids.encode("trf", move["id"])
    at = story.clock().isoformat()
    line = f"refund,{ident},{payment},{reference},{told['amount']},EUR,{told['status']},{at}"
    row = await reconciliations.import_statement(
        story.ctx, story.shop, By("finance"), BY_HAND, f"{HEADER}{line}\n", None, None
    )
    await story.drain()
    return UUID(int=row["id"].int)


async def test_what_was_paid_in_cash_is_pending_until_the_bank_says_that_it_was_paid(
    story: Story,
) -> None:
    """It waited for a person who could do nothing but give it up."""
    order = await in_cash(story)
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    await story.drain()
    view = await story.refund_of(ret)
    (move,) = view.transfers
    assert (view.refund["state"], move["provider"]) == ("pending", "manual")
    of = await said(story, order, move, "BANK-1")
    assert [each[1:] for each in await found(story, of)] == [
        ("timing", "take_provider_state", True)
    ]
    assert await counters(story, order) == (0, PAID, 0, 0)
    assert (await story.again(ret)).state == "completed"
    assert (await story.refund_of(ret)).transfers[0]["provider_refund_id"] == "BANK-1"
    assert await found(story, await said(story, order, move, "BANK-1")) == []


async def test_the_file_of_what_is_to_be_paid_comes_back_as_the_settlement_file(
    story: Story,
) -> None:
    early, late = await in_cash(story), await in_cash(story)
    first = await story.refund(early, 60_00)
    story.clock.forward(minutes=1)
    second = await story.refund(late, 1_05)
    await story.drain()
    rows = await payouts.list_payouts(story.ctx, story.shop, BY_HAND)
    assert [(row["amount"], row["sum"], row["status"]) for row in rows] == [
        (60_00, "60.00", "pending"),
        (1_05, "1.05", "pending"),
    ]
    assert rows[0]["order"] == (await story.load(early.id)).number
    assert (rows[0]["name"], rows[0]["email"]) == (BUYER.name, BUYER.email)
    assert rows[0]["due_by"] == first.refund["due_by"].isoformat()

    paid_at = story.clock.forward(hours=1).isoformat()
    rows[0] |= {"status": "succeeded", "at": paid_at}
    file = csv_files.written(payouts.NAMES, rows)
    of = await reconciliations.import_statement(
        story.ctx, story.shop, By("finance"), BY_HAND, file, None, None
    )
    await story.drain()
    assert [each[1:] for each in await found(story, of["id"])] == [
        ("timing", "take_provider_state", True)
    ]
    states = [
        (await story.refund_now(each.refund["id"])).refund["state"] for each in (first, second)
    ]
    assert states == ["succeeded", "pending"]
    (left,) = await payouts.list_payouts(story.ctx, story.shop, BY_HAND)
    assert left["amount"] == 1_05


async def test_only_an_account_that_nobody_can_call_is_paid_by_hand(story: Story) -> None:
    await story.connect("cards", "payments", "stripe", "https://bank.example", "none")
    with pytest.raises(DoesNotFit, match="by hand"):
        await payouts.list_payouts(story.ctx, story.shop, "cards")
    for nowhere in ("nowhere", "easypost"):
        with pytest.raises(NotFound):
            await payouts.list_payouts(story.ctx, story.shop, nowhere)


async def test_what_was_paid_twice_by_hand_counts_twice(story: Story) -> None:
    order = await in_cash(story)
    view = await story.refund(order, 6000)
    await story.drain()
    (move,) = (await story.refund_now(view.refund["id"])).transfers
    for ident in ("BANK-1", "BANK-2", "BANK-2"):
        await said(story, order, move, ident)
    assert await counters(story, order) == (0, 6000, 6000, 0)
    (event,) = [e for e in await story.events(order.id) if "elsewhere" in e["type"]]
    assert event["data"]["exceeds_captured"] is True


async def test_another_sum_than_was_to_be_paid_is_for_a_person(story: Story) -> None:
    order = await in_cash(story)
    view = await story.refund(order, 6000)
    await story.drain()
    (move,) = (await story.refund_now(view.refund["id"])).transfers
    of = await said(story, order, move, "BANK-1", amount=5000)
    assert await found(story, of) == [("refund", "amount", "review", False)]
    assert await counters(story, order) == (6000, 0, 0, 0)
    await said(story, order, move, "BANK-1", status="failed")
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "failed"


async def test_an_account_that_was_connected_later_pays_what_waited(story: Story) -> None:
    order = await story.order(
        goods("thing", PAID), payments=(PaymentFacts("p0", "prepayment", PAID, "EUR"),)
    )
    view = await story.refund(order, 6000)
    assert view.refund["state"] == "needs_review"
    await story.connect("prepayment", "payments", "manual", "https://bank.example", "none")
    facts = story.facts(order)
    await story.see(OrderSeen(replace(facts, updated_at=facts.updated_at + timedelta(hours=1))))
    payment = (await story.payments(order))["p0"]
    assert payment.provider_payment_id == ids.encode("pay", payment.id)
    await story.retry(view.refund["id"])
    await story.drain()
    assert (await story.refund_now(view.refund["id"])).refund["state"] == "pending"


async def test_what_the_platform_tells_of_cash_counts(story: Story) -> None:
    order = await in_cash(story)
    seen = DisputeSeen(order.name, "d1", 4000, "EUR", "lost", False, story.clock())
    await story.see(seen)
    assert await counters(story, order) == (0, 0, 0, 4000)


async def test_a_chargeback_at_the_platform_s_own_provider_counts(story: Story) -> None:
    """Its disputes come by the platform's webhooks alone, and they counted for nothing: what the
    buyer's bank had taken was paid back once more."""
    await story.connect("shopify_payments", "payments", "shopify", "https://shop.example", "s")
    own = PaymentFacts("723599266", "shopify_payments", PAID, "EUR", "pi_of_the_gateway")
    order = await story.order(goods("thing", PAID), payments=(own,))
    payment = (await story.payments(order))["723599266"]
    assert (payment.provider, payment.provider_payment_id) == ("shopify", "723599266")
    await story.see(
        DisputeSeen(order.name, "d1", PAID, "EUR", "needs_response", True, story.clock())
    )
    payment = (await story.payments(order))["723599266"]
    assert (payment.disputed, payment.refundable) == (PAID, 0)


async def test_a_platform_s_own_connection_pays_nothing_back(story: Story) -> None:
    """It has the name of a payment adapter, and was asked to pay what no account stands behind: the
    refund failed instead of waiting for a person, and the buyer was told so."""
    told = PaymentFacts("p0", "somebody_else", PAID, "EUR", "pi_of_nobody")
    order = await story.order(goods("thing", PAID), payments=(told,))
    view = await story.refund(order, 6000)
    await story.drain()
    (move,) = (await story.refund_now(view.refund["id"])).transfers
    assert (move["state"], move["failure_code"]) == ("needs_review", "no_provider_connection")
    assert await counters(story, order) == (6000, 0, 0, 0)
