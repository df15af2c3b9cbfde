"""Refunds: reserved under a lock, drained in order, counted once, whatever is tried at once."""

from __future__ import annotations

import asyncio
import hashlib
from uuid import UUID

import pytest

from returns_api.db.engine import Transaction
from returns_api.db.idempotency import Claim
from returns_api.domain.access import Role
from returns_api.domain.errors import (
    ActionNotAllowed,
    DuplicateReference,
    IdempotencyInProgress,
    NotFound,
    NothingLeftToRefund,
    RefundableChanged,
    ReturnsError,
)
from returns_api.domain.events import By
from returns_api.domain.orders import PaymentFacts, PaymentSeen
from returns_api.usecases import refunds
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases.once import Answer, Keyed, once
from returns_api.usecases.refunds import RefundWish
from tests.support.paid import PAID, an_order
from tests.support.story import Story
from tests.support.story_orders import goods
from tests.support.story_scene import CARD, Order


async def test_a_refund_reserves_at_once_and_arrives_later(story: Story) -> None:
    order = await an_order(story)
    view = await story.refund(order, 3000)
    assert (view.refund["state"], view.refund["sequence"]) == ("queued", 1)
    payment = (await story.payments(order))["p0"]
    assert (payment.reserved, payment.refunded, payment.refundable) == (3000, 0, 7000)
    await story.drain()
    payment = (await story.payments(order))["p0"]
    assert (payment.reserved, payment.refunded, payment.refundable) == (0, 3000, 7000)
    assert await story.happened(view.refund["id"]) == ["refund.requested", "refund.succeeded"]


async def test_a_refund_of_the_rest_is_computed_under_the_lock(story: Story) -> None:
    order = await an_order(story)
    await story.refund(order, 1)
    assert (await story.refund(order)).refund["amount_minor"] == 9999
    with pytest.raises(NothingLeftToRefund) as refused:
        await story.refund(order)
    assert refused.value.context == {"requested": 0, "remaining": 0}


async def test_refused_refunds_leave_nothing_behind(story: Story) -> None:
    """Rows 1 and 3: what is left is told, the total stays."""
    order = await an_order(story)
    await story.refund(order, 9900)
    with pytest.raises(NothingLeftToRefund) as refused:
        await story.refund(order, 5000)
    assert refused.value.context == {"requested": 5000, "remaining": 100}
    assert len(await story.rows("SELECT 1 FROM refunds")) == 1
    assert (await story.payments(order))["p0"].reserved == 9900


@pytest.mark.parametrize(("count", "amount", "fit"), [(2, 6000, 1), (20, 1500, 6)])
async def test_refunds_at_once_never_exceed_what_was_paid(
    story: Story, count: int, amount: int, fit: int
) -> None:
    """Rows 2 and 24: two refunds of 60 on 100 at once are exactly one."""
    order = await an_order(story)
    done = await asyncio.gather(
        *(story.refund(order, amount) for _ in range(count)), return_exceptions=True
    )
    made = [each for each in done if isinstance(each, RefundView)]
    assert len(made) == fit
    assert {type(e) for e in done if not isinstance(e, RefundView)} == {NothingLeftToRefund}
    await story.drain()
    ledger = await story.bank.ledger(order.intents[0])
    assert ledger["payments"][order.intents[0]]["refunded_minor"] == fit * amount


async def test_one_key_refunds_once_however_often_it_comes(story: Story) -> None:
    """Row 2: two concurrent refunds of 50 with one key are 50 once."""
    order = await an_order(story)
    principal = story.finance.credential_id

    async def work(tx: Transaction) -> UUID:
        view = await refunds.create_refund(
            tx, story.ctx, By("finance"), order.id, RefundWish(kind="manual", amount_minor=5000)
        )
        made: UUID = view.refund["id"]
        return made

    def keyed(body: bytes) -> Keyed:
        key, said = (hashlib.sha256(text).digest() for text in (b"key", body))
        return Keyed(Claim(principal, key, said), lambda _: None)

    async def call() -> Answer:
        return await once(
            story.ctx, story.shop, keyed(b"50"), work, lambda made: Answer(202, str(made).encode())
        )

    done = await asyncio.gather(*(call() for _ in range(8)), return_exceptions=True)
    answers = [each for each in done if isinstance(each, Answer)]
    assert {type(each) for each in done} <= {Answer, IdempotencyInProgress}
    assert len({answer.body for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert (await call()).replayed
    assert (await story.payments(order))["p0"].reserved == 5000


async def test_tenders_are_drained_in_order_and_each_gets_its_own_back(story: Story) -> None:
    """Row 9: paid 50 + 30, refund all is 50 + 30."""
    order = await story.order(goods("thing", 4000, 2), paid=[5000, 3000])
    ret = await story.open(order, {"thing": 2}, method="in_store")
    await story.bring_back(ret)
    view = await story.refund_of(ret)
    assert sorted(move["amount_minor"] for move in view.transfers) == [3000, 5000]
    await story.drain()
    assert (await story.again(ret)).refunded_minor == 8000
    for intent, amount in zip(order.intents, (5000, 3000), strict=True):
        books = (await story.bank.ledger(intent))["payments"][intent]
        assert books["refunded_minor"] == amount


async def test_a_partial_refund_takes_the_first_tender_first(story: Story) -> None:
    order = await an_order(story, 5000, 3000)
    await story.refund(order, 6000)
    payments = await story.payments(order)
    assert (payments["p0"].reserved, payments["p1"].reserved) == (5000, 1000)


async def test_what_no_tender_covers_stays_due(story: Story) -> None:
    """Row 18: owed 100, the tenders cover 60: partially refunded, 40 still due."""
    order = await an_order(story, 6000, 4000)
    ret = await story.open(order, {"thing": 1}, method="in_store")
    assert await story.tell(story.dispute_of(order.intents[1], 4000))
    await story.bring_back(ret)
    await story.drain()
    view = await story.refund_of(ret)
    assert (view.refund["state"], view.refund["amount_minor"]) == ("partially_succeeded", 10000)
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor, ret.expected_minor) == ("refunding", 6000, 10000)

    with pytest.raises(NothingLeftToRefund):
        await story.retry(view.refund["id"])
    await story.tell(story.dispute_of(order.intents[1], 4000, won=True))
    await story.retry(view.refund["id"])
    await story.drain()
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor) == ("completed", 10000)


async def test_a_return_that_was_refunded_elsewhere_pays_nothing_twice(story: Story) -> None:
    """Row 23: somebody refunded all of it in a dashboard before the goods came back."""
    order = await an_order(story)
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bank.dashboard_refund(order.intents[0], PAID)
    await story.provider_tells(order)
    await story.bring_back(ret)
    view = await story.refund_of(ret)
    assert (view.refund["state"], view.transfers) == ("needs_review", [])
    assert await story.drain() == 0
    view = await story.cancel(view.refund["id"])
    assert view.refund["state"] == "canceled"
    ret = await story.again(ret)
    assert (ret.state, ret.refunded_minor) == ("completed", 0)
    with pytest.raises(ActionNotAllowed):
        await story.retry(view.refund["id"])


async def test_expected_refundable_is_compared_under_the_lock(story: Story) -> None:
    order = await an_order(story)
    with pytest.raises(RefundableChanged) as refused:
        await story.refund(order, 100, expected_refundable=9999)
    assert refused.value.context == {"refundable": PAID, "expected": 9999}
    assert (await story.payments(order))["p0"].reserved == 0
    await story.refund(order, 100, expected_refundable=PAID)


async def test_a_client_reference_makes_one_refund_for_ever(story: Story) -> None:
    order = await an_order(story)
    first = await story.refund(order, 100, client_reference="case-1")
    with pytest.raises(DuplicateReference) as refused:
        await story.refund(order, 100, client_reference="case-1")
    assert str(refused.value.context["refund"]).startswith("ref_")
    await story.cancel(first.refund["id"])
    story.clock.forward(days=400)
    with pytest.raises(DuplicateReference):
        await story.refund(order, 200, client_reference="case-1")
    assert (await story.payments(order))["p0"].refundable == PAID


async def test_one_reference_on_many_orders_at_once_makes_one_refund(story: Story) -> None:
    """Different orders share no lock: the unique key decides, and the losers hear a plain no."""
    orders = [await an_order(story) for _ in range(6)]
    done = await asyncio.gather(
        *(story.refund(order, 100, client_reference="case-1") for order in orders),
        return_exceptions=True,
    )
    assert sum(isinstance(each, RefundView) for each in done) == 1
    assert {type(e) for e in done if not isinstance(e, RefundView)} == {DuplicateReference}


async def test_an_unknown_order_is_not_found(story: Story) -> None:
    order = await an_order(story)
    with pytest.raises(NotFound):
        await story.refund(Order(story.ctx.new_id(), "?", {}, ()), 100)
    view = await story.refund(order, 100)
    stranger = story.who(Role.BUYER, await an_order(story))
    with pytest.raises(NotFound):
        await refunds.get_refund(story.ctx, stranger, view.refund["id"])
    assert await refunds.list_refunds(
        story.ctx, stranger, before=story.ctx.new_id(), limit=10, order_id=order.id,
        return_id=None, state=None, overdue=False,
    ) == []  # fmt: skip


async def test_an_order_without_a_payment_cannot_be_refunded(story: Story) -> None:
    order = await story.order(goods("thing", PAID), payments=())
    with pytest.raises(ReturnsError):
        await story.refund(order, 100)
    ret = await story.open(order, {"thing": 1}, method="in_store")
    await story.bring_back(ret)
    view = await story.refund_of(ret)
    assert (view.refund["state"], view.transfers) == ("needs_review", [])
    seen = PaymentFacts("late", CARD, PAID, "EUR", await story.bank.pay(PAID))
    await story.see(PaymentSeen(order.name, seen))
    await story.retry(view.refund["id"])
    await story.drain()
    assert (await story.again(ret)).state == "completed"
