"""Bugs that other systems had, told to the end: order, return, refund, money at the bank.

The numbers are those of the design notes' money cases. What pure rules decide stands in
``tests/domain/test_money_cases.py`` too; ``CASES`` names for each case the tests that hold it, so
that none is lost when tests move. Every case asserts the sum, and after each story every invariant
is looked at, over the database and the bank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pytest

from returns_api.domain.errors import NothingLeftToRefund, NothingLeftToReturn
from returns_api.domain.events import SYSTEM
from returns_api.domain.orders import LineFacts, TaxFacts
from returns_api.usecases import policies
from tests.api import test_money_cases as over_http
from tests.domain import test_money_cases as rules
from tests.domain.policy import test_law as law
from tests.support.story import POLICY, Story
from tests.support.story_orders import freight, goods
from tests.support.story_scene import Order
from tests.usecases import test_quotes as quotes
from tests.usecases import test_refunds as refunds
from tests.usecases import test_transfers as transfers
from tests.usecases import test_warehouse as warehouse


async def come_back(story: Story, order: Order, units: Mapping[str, int], **more: Any) -> int:
    """Return units in the store; what was refunded for them and has arrived (minor units)."""
    ret = await story.open(order, units, method="in_store", **more)
    await story.bring_back(ret)
    await story.drain()
    ret = await story.again(ret)
    assert ret.state == "completed"
    return ret.refunded_minor


async def arrived(story: Story, order: Order) -> int:
    """What the bank says went back for the order, over all its payments (minor units)."""
    payments = (await story.bank.ledger())["payments"]
    return sum(payments[intent]["refunded_minor"] for intent in order.intents)


async def test_4_what_is_pending_is_not_left(story: Story) -> None:
    order = await story.order(goods("thing", 4216_04))
    await story.refund(order, 1000_00)
    await story.drain()
    await story.refund(order, 3175_00)
    with pytest.raises(NothingLeftToRefund) as refused:
        await story.refund(order, 41_05)
    assert refused.value.context == {"requested": 41_05, "remaining": 41_04}
    await story.refund(order, 41_04)
    await story.drain()
    assert await arrived(story, order) == 4216_04


PAID: Final = {
    "6: 2 x 100, discount 20, 10 % on top": (
        goods("a", 100_00, 2, order_discount_minor=20_00, taxes=(TaxFacts("VAT", 18_00),)),
        False,
        198_00,
        [1, 1],
        [99_00, 99_00],
    ),
    "7: 10 x 23.90 with 20 % inside, 25 % off": (
        goods("a", 23_90, 10, order_discount_minor=59_75, taxes=(TaxFacts("VAT", 29_88),)),
        True,
        179_25,
        [10],
        [179_25],
    ),
    "8: 9 x 13.9563 net, one by one": (
        goods("a", 13_96, 9),
        True,
        125_61,
        [1] * 9,
        [13_95] * 3 + [13_96] * 6,
    ),
    "11: 3 x 89.99, two of them": (goods("a", 89_99, 3), True, 269_97, [2], [179_98]),
}


@pytest.mark.parametrize(("line", "inside", "paid", "parts", "each"), PAID.values(), ids=PAID)
async def test_parts_of_an_order_refund_exactly_what_was_paid_for_them(
    story: Story, line: LineFacts, inside: bool, paid: int, parts: Sequence[int], each: list[int]
) -> None:
    order = await story.order(line, paid=[paid], taxes_included=inside, total_minor=paid)
    got = [await come_back(story, order, {"a": count}) for count in parts]
    assert got == each
    assert await arrived(story, order) == sum(got) <= paid
    if sum(parts) == line.quantity:
        assert sum(got) == paid


async def test_10_two_then_three_of_five_and_no_sixth(story: Story) -> None:
    order = await story.order(goods("a", 20_00, 5))
    first = await come_back(story, order, {"a": 2})
    later = await come_back(story, order, {"a": 3})
    with pytest.raises(NothingLeftToReturn):
        await story.quote(order, {"a": 1})
    assert first + later == await arrived(story, order) == 100_00


async def test_12_a_label_at_the_buyers_cost_is_taken_off_once(story: Story) -> None:
    story.clock.forward(days=1)
    dear = POLICY.replace("return_shipping: 4.90", "return_shipping: 8.00")
    draft = await policies.draft_policy(story.ctx, story.shop, SYSTEM, dear)
    await policies.publish_policy(
        story.ctx, story.shop, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    order = await story.order(goods("a", 100_00), placed_at=story.clock())
    ret = await story.open(order, {"a": 1}, method="post")
    await story.drain()
    await story.bring_back(ret)
    await story.drain()
    assert (await story.again(ret)).refunded_minor == 92_00
    assert await arrived(story, order) == 92_00


async def test_14_shipping_that_was_discounted_away_refunds_nothing(story: Story) -> None:
    order = await story.order(goods("a", 50_00), freight(10_00, line_discount_minor=10_00))
    got = await come_back(story, order, {"a": 1}, reason="defective", photos={"a": 1})
    assert got == await arrived(story, order) == 50_00


async def test_15_a_line_takes_its_own_tax_along(story: Story) -> None:
    order = await story.order(
        goods("a", 100_00, taxes=(TaxFacts("VAT", 10_00),)),
        goods("b", 110_00, taxes=(TaxFacts("VAT", 11_00),)),
        paid=[231_00],
        taxes_included=False,
        total_minor=231_00,
    )
    assert await come_back(story, order, {"b": 1}) == 121_00
    assert await come_back(story, order, {"a": 1}) == 110_00
    assert await arrived(story, order) == 231_00


CASES: Final[Mapping[int, Sequence[Callable[..., Any]]]] = {
    1: (rules.test_a_refund_above_what_is_left_is_refused_and_told,
        refunds.test_refused_refunds_leave_nothing_behind),
    2: (refunds.test_refunds_at_once_never_exceed_what_was_paid,
        refunds.test_one_key_refunds_once_however_often_it_comes),
    3: (rules.test_a_refund_above_what_is_left_is_refused_and_told,
        refunds.test_refused_refunds_leave_nothing_behind),
    4: (rules.test_a_refund_above_what_is_left_is_refused_and_told,
        test_4_what_is_pending_is_not_left),
    5: (transfers.test_a_lost_answer_is_unknown_and_looked_up_never_sent_again,),
    6: (rules.test_units_refund_singly_and_together_exactly_what_was_paid,
        test_parts_of_an_order_refund_exactly_what_was_paid_for_them),
    7: (rules.test_units_refund_singly_and_together_exactly_what_was_paid,
        test_parts_of_an_order_refund_exactly_what_was_paid_for_them),
    8: (rules.test_units_refund_singly_and_together_exactly_what_was_paid,
        test_parts_of_an_order_refund_exactly_what_was_paid_for_them),
    9: (rules.test_9_two_tenders_get_back_what_they_gave_for_two_units,
        refunds.test_tenders_are_drained_in_order_and_each_gets_its_own_back),
    10: (rules.test_10_five_units_in_two_returns_and_no_sixth,
         test_10_two_then_three_of_five_and_no_sixth),
    11: (rules.test_11_two_of_three_received_refund_two,
         test_parts_of_an_order_refund_exactly_what_was_paid_for_them,
         warehouse.test_the_stock_hears_of_it_once_and_only_when_asked),
    12: (rules.test_12_a_label_at_the_buyers_cost,
         test_12_a_label_at_the_buyers_cost_is_taken_off_once),
    13: (warehouse.test_announced_five_received_two_then_three,
         warehouse.test_a_receipt_posted_twice_adds_once),
    14: (rules.test_14_shipping_that_was_discounted_away_refunds_nothing,
         test_14_shipping_that_was_discounted_away_refunds_nothing),
    15: (rules.test_15_each_line_carries_its_own_tax, test_15_a_line_takes_its_own_tax_along),
    16: (rules.test_units_refund_singly_and_together_exactly_what_was_paid,),
    17: (warehouse.test_money_is_due_with_the_last_graded_unit_and_once,),
    18: (rules.test_18_tenders_that_cover_a_part_leave_the_rest_due,
         refunds.test_what_no_tender_covers_stays_due),
    19: (transfers.test_a_lost_answer_is_unknown_and_looked_up_never_sent_again,),
    20: (over_http.test_20_a_buyer_sets_no_fee_amount_receipt_or_place,
         over_http.test_20_another_buyers_order_does_not_exist,
         quotes.test_a_foreign_order_or_quote_does_not_exist),
    21: (warehouse.test_the_stock_hears_of_it_once_and_only_when_asked,),
    22: (law.test_an_order_of_1_march_delivered_10_march_can_be_withdrawn_until_24_march,
         quotes.test_the_window_runs_from_the_last_parcel),
    23: (rules.test_23_a_return_settled_by_an_exchange_elsewhere_is_due_nothing,
         refunds.test_a_return_that_was_refunded_elsewhere_pays_nothing_twice),
    24: (refunds.test_refunds_at_once_never_exceed_what_was_paid,),
}  # fmt: skip
"""Every case and the tests that hold it."""


def test_every_case_is_held() -> None:
    assert sorted(CASES) == list(range(1, 25))
    assert all(callable(held) for tests in CASES.values() for held in tests)
