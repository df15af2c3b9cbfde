"""Orders in, facts out: lines, discounts, taxes, edits, parcels."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from returns_api.domain.allocation import certify
from returns_api.domain.orders import (
    LineFacts,
    LineKind,
    OrderSeen,
    OutsideRefundLine,
    OutsideRefundMoney,
    OutsideRefundSeen,
    ParcelDelivered,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
    TaxFacts,
)
from tests.support import shopify
from tests.support.shopify import Json
from tests.support.shopify_reading import jacket, order_of, parse, simple


def test_a_card_order_is_read_whole() -> None:
    facts = order_of(shopify.fixture("order_card"))
    assert facts.external_id == "5432109876001"
    assert facts.placed_at == datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
    assert (facts.currency, facts.taxes_included, facts.total_minor) == ("EUR", True, 231_70)
    assert facts.lines == (
        LineFacts(
            "13001",
            LineKind.GOODS,
            "Field jacket, M",
            2,
            99_00,
            order_discount_minor=19_80,
            taxes=(TaxFacts("MwSt", 28_45, "0.19"),),
            sku="SKU-13001",
            product_id="14001",
            variant_id="15001",
            vendor="Super Toys",
            weight_grams=400,
        ),
        LineFacts(
            "13002",
            LineKind.GOODS,
            "T-shirt, white, M",
            3,
            19_90,
            line_discount_minor=5_70,
            order_discount_minor=5_40,
            taxes=(TaxFacts("MwSt", 7_76, "0.19"),),
            sku="SKU-13002",
            product_id="14002",
            variant_id="15002",
            vendor="Super Toys",
            weight_grams=150,
        ),
        LineFacts(
            "shipping:14001",
            LineKind.SHIPPING,
            "Standard",
            1,
            4_90,
            taxes=(TaxFacts("MwSt", 78, "0.19"),),
            shippable=False,
        ),
    )
    assert facts.payments == (
        PaymentFacts("15001", "shopify_payments", 231_70, "EUR", "pi_3Nxt15001"),
    )
    assert facts.buyer.email == "anna@example.com"
    assert (facts.buyer.street1, facts.buyer.country) == ("Beispielweg 3", "DE")
    assert facts.tags == ("newsletter", "vip")
    certificate = certify(facts)
    assert certificate.flags == ()
    assert certificate.unit("13002", 1).as_dict() == {
        "price": 19_90,
        "line_discount": -1_90,
        "order_discount": -1_80,
        "tax_added": 0,
        "adjustment": 0,
        "tax_included": 2_59,
    }


def test_two_tenders_and_taxes_on_top() -> None:
    facts = order_of(shopify.fixture("order_tenders"))
    assert [(each.gateway, each.captured_minor) for each in facts.payments] == [
        ("gift_card", 50_00),
        ("shopify_payments", 29_69),
    ]
    assert [each.provider_payment_id for each in facts.payments] == [None, "pi_3Nxt25002"]
    certificate = certify(facts)
    assert certificate.flags == ()
    assert [certificate.unit_paid("23001", number) for number in (1, 2)] == [39_85, 39_84]
    assert certificate.unit_paid("shipping:24001", 1) == 0


def test_the_fixtures_travel_together() -> None:
    (parcel,) = parse("fulfillments/create", shopify.fixture("fulfillment_card"))
    (scan,) = parse("fulfillment_events/create", shopify.fixture("delivery_card"))
    (refund,) = parse("refunds/create", shopify.fixture("refund_card"))
    assert isinstance(parcel, ParcelSeen)
    assert parcel.lines == (ParcelLine("13001", 2), ParcelLine("13002", 3))
    assert scan == ParcelDelivered(
        "5432109876001", "16001", datetime(2026, 3, 4, 13, 30, tzinfo=UTC)
    )
    assert isinstance(refund, OutsideRefundSeen)
    assert refund.order_external_id == parcel.order_external_id == "5432109876001"


def test_net_prices_with_more_digits_are_rounded_and_reconciled() -> None:
    facts = order_of(
        simple(
            shopify.line_item(1, "Screws", "13.9563", 9),
            transactions=[shopify.transaction(9, "125.61")],
            **shopify.money("total_price", "125.61", "EUR"),
        )
    )
    certificate = certify(facts)
    assert certificate.residue_minor == -3
    assert certificate.line("1").paid_minor == 125_61


def test_every_charge_becomes_a_line() -> None:
    bag = shopify.money("x", "3.50", "EUR")["x_set"]
    line = jacket(duties=[{"id": 77, "tax_lines": [shopify.tax("VAT", 0.1, "0.35")], **bag}])
    tip = shopify.line_item(2, "Tip", "5.00", tip_payment_gateway="shopify_payments")
    body = simple(
        line,
        tip,
        total_tip_received="5.00",
        original_total_duties_set=bag,
        original_total_additional_fees_set=shopify.money("x", "1.20", "EUR")["x_set"],
    )
    facts = order_of(body)
    assert [(each.external_id, each.kind, each.unit_price_minor) for each in facts.lines] == [
        ("1", LineKind.GOODS, 99_00),
        ("2", LineKind.TIP, 5_00),
        ("duty:77", LineKind.DUTY, 3_50),
        ("fee:all", LineKind.FEE, 1_20),
    ]
    assert facts.lines[2].taxes == (TaxFacts("VAT", 35, "0.1"),)


def test_sums_stand_in_for_charges_that_no_line_tells() -> None:
    bag = shopify.money("x", "3.50", "EUR")["x_set"]
    facts = order_of(simple(original_total_duties_set=bag, total_tip_received="2.00"))
    assert [each.external_id for each in facts.lines] == ["1", "duty:all", "tip:all"]


def test_duties_inside_the_price_are_no_lines() -> None:
    bag = shopify.money("x", "3.50", "EUR")["x_set"]
    body = simple(
        jacket(duties=[{"id": 77, "tax_lines": [], **bag}]),
        duties_included=True,
        original_total_duties_set=bag,
    )
    assert [each.kind for each in order_of(body).lines] == [LineKind.GOODS]


def test_gift_cards_are_named_by_their_category() -> None:
    line = order_of(simple(jacket(gift_card=True, requires_shipping=False))).lines[0]
    assert (line.category, line.shippable) == ("gift_card", False)


def test_an_old_drafts_discount_is_read_where_no_allocation_is() -> None:
    own = shopify.money("total_discount", "8.00", "EUR")
    assert order_of(simple(jacket(**own))).lines[0].line_discount_minor == 8_00
    both = jacket(discount_allocations=[shopify.discount(0, "5.00")], **own)
    assert order_of(simple(both)).lines[0].line_discount_minor == 5_00


@pytest.mark.parametrize(
    ("shipping", "discount"),
    [
        (shopify.shipping_line(3, "10.00", "0.00"), 10_00),
        (shopify.shipping_line(3, "10.00", "6.00"), 4_00),
        (shopify.shipping_line(3, "10.00"), 0),
        ({**shopify.shipping_line(3, "10.00"), "discounted_price_set": None}, 0),
        (
            shopify.shipping_line(
                3, "10.00", "0.00", discount_allocations=[shopify.discount(0, "10.00")]
            ),
            10_00,
        ),
    ],
)
def test_shipping_is_net_of_its_own_discount(shipping: Json, discount: int) -> None:
    assert order_of(simple(shipping=[shipping])).lines[-1].line_discount_minor == discount


def test_shipping_that_was_removed_refunds_nothing() -> None:
    body = simple(shipping=[shopify.shipping_line(3, "10.00", is_removed=True)])
    assert certify(order_of(body)).unit_paid("shipping:3", 1) == 0


def test_units_taken_out_by_an_edit_are_removed() -> None:
    body = simple(jacket(current_quantity=1))
    body["refunds"] = [shopify.refund(body, 70, {1: 1}, None, restock_type="no_restock")]
    observations = parse("orders/updated", body)
    assert len(observations) == 1
    assert order_of(body).lines[0].removed == 1


def test_units_that_were_refunded_are_claimed_and_not_removed() -> None:
    body = simple(jacket(current_quantity=1))
    body["refunds"] = [shopify.refund(body, 70, {1: 1}, "99.00")]
    seen, refund = parse("orders/updated", body)
    assert isinstance(seen, OrderSeen)
    assert seen.order.lines[0].removed == 0
    assert refund == OutsideRefundSeen(
        "5",
        "70",
        datetime(2026, 3, 10, 11, tzinfo=UTC),
        (OutsideRefundLine("1", 1),),
        (OutsideRefundMoney("570", "9", 99_00, "EUR", True, "re_3Nxt70"),),
    )


def test_units_that_were_refunded_before_they_were_sent_are_told_apart() -> None:
    body = simple(jacket(current_quantity=1))
    body["refunds"] = [shopify.refund(body, 70, {1: 1}, "99.00", restock_type="cancel")]
    seen, refund = parse("orders/updated", body)
    assert isinstance(seen, OrderSeen)
    assert isinstance(refund, OutsideRefundSeen)
    assert seen.order.lines[0].removed == 0, "it was paid for and given back, not edited out"
    assert refund.lines == (OutsideRefundLine("1", 1, unsent=True),)


@pytest.mark.parametrize("kind", ["return", "no_restock", "legacy_restock"])
def test_any_other_way_of_restocking_says_nothing_of_what_was_sent(kind: str) -> None:
    told = shopify.refund(simple(), 70, {1: 1}, "99.00", restock_type=kind)
    (refund,) = parse("refunds/create", told)
    assert isinstance(refund, OutsideRefundSeen)
    assert refund.lines == (OutsideRefundLine("1", 1),)


def test_goods_that_came_back_without_money_are_claimed() -> None:
    """A return that was settled by an exchange in the platform."""
    (refund,) = parse("refunds/create", shopify.refund(simple(), 70, {1: 1}, None))
    assert isinstance(refund, OutsideRefundSeen)
    assert (refund.lines, refund.money) == ((OutsideRefundLine("1", 1),), ())


def test_the_trace_of_an_edit_is_no_refund() -> None:
    body = shopify.refund(simple(), 70, {1: 1}, None, restock_type="cancel")
    assert parse("refunds/create", body) == ()


@pytest.mark.parametrize(
    ("status", "shipment", "shipped", "delivered", "cancelled"),
    [
        ("success", None, True, False, False),
        ("success", "in_transit", True, False, False),
        ("success", "delivered", True, True, False),
        ("pending", None, False, False, False),
        ("open", None, False, False, False),
        ("cancelled", None, False, False, True),
        ("error", None, False, False, True),
    ],
)
def test_parcels_by_their_status(
    status: str, shipment: str | None, shipped: bool, delivered: bool, cancelled: bool
) -> None:
    body = simple()
    parcel = shopify.fulfillment(body, 60, {1: 1}, status=status, shipment_status=shipment)
    body["fulfillments"] = [parcel]
    _, embedded = parse("orders/partially_fulfilled", body)
    (alone,) = parse("fulfillments/update", parcel)
    assert embedded == alone
    assert isinstance(alone, ParcelSeen)
    assert alone.lines == (ParcelLine("1", 1),)
    assert alone.tracking_codes == ("003460",)
    assert (alone.shipped_at is not None, alone.delivered_at is not None) == (shipped, delivered)
    assert alone.cancelled is cancelled


@pytest.mark.parametrize("status", ["confirmed", "in_transit", "attempted_delivery", "failure"])
def test_only_a_delivery_scan_is_told(status: str) -> None:
    scan = shopify.delivery_scan(simple(), 60, status=status)
    assert parse("fulfillment_events/create", scan) == ()


def test_a_cancelled_order_keeps_its_facts() -> None:
    facts = order_of(simple(cancelled_at="2026-03-01T11:00:00+01:00"))
    assert facts.cancelled_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_an_order_without_goods_or_people_is_still_an_order() -> None:
    body = simple(customer=None, billing_address=None, shipping_address=None, email="")
    body = body | {"line_items": [], "contact_email": None, "updated_at": None, "tags": ""}
    facts = order_of(body)
    assert facts.buyer.email is None
    assert facts.updated_at == facts.placed_at
    assert certify(facts).unallocated_minor == 198_00
