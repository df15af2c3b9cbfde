"""Shopify's refund call: operations, answers, user errors."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from returns_api.adapters.http import HttpClient, Reply
from returns_api.adapters.payments import shopify_wire as wire
from returns_api.adapters.payments.shopify import ShopifyPayments
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    RefundStatus,
)
from tests.support.bank import Bank
from tests.support.recorder import Recorder
from tests.support.shopify_refunds import (
    ACCOUNT,
    EVIDENCE,
    PAYMENT,
    REFERENCE,
    REQUEST,
    answer,
    created,
    group,
    money,
    movement,
    node,
)


def test_a_refund_is_parented_noted_and_keyed() -> None:
    call = wire.build_refund(ACCOUNT, REQUEST, PAYMENT)
    assert call.url == "https://shop.myshopify.com/admin/api/2026-07/graphql.json"
    assert call.headers["x-shopify-access-token"] == "shpat_1"
    content = orjson.loads(call.body)
    assert "refundCreate(input: $input) @idempotent(key: $key)" in content["query"]
    assert content["variables"] == {
        "key": "key_1",
        "input": {
            "orderId": "gid://shopify/Order/1",
            "currency": "EUR",
            "note": REFERENCE,
            "notify": False,
            "transactions": [
                {
                    "orderId": "gid://shopify/Order/1",
                    "parentId": "gid://shopify/OrderTransaction/723599266",
                    "kind": "REFUND",
                    "gateway": "shopify_payments",
                    "amount": "12.99",
                }
            ],
        },
    }


def test_values_never_become_part_of_the_operation() -> None:
    """Everything that varies is a variable."""
    odd = replace(REQUEST, reference='"}', idempotency_key='") { x }')
    body = orjson.loads(wire.build_refund(ACCOUNT, odd, PAYMENT).body)
    assert body["query"] == wire.MUTATION


@pytest.mark.parametrize("ident", ["", "pi_1", "1 ", "gid://shopify/Order/1", "1" * 21, "١"])
def test_only_transactions_are_refunded(ident: str) -> None:
    with pytest.raises(ProviderRejected):
        wire.build_read(ACCOUNT, ident)


def test_numbers_and_global_ids_are_the_same() -> None:
    whole = "gid://shopify/OrderTransaction/7"
    assert wire.transaction_gid("7") == wire.transaction_gid(whole) == whole


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (200, {"errors": [{"extensions": {"code": "THROTTLED"}}]}, ProviderUnavailable),
        (200, {"errors": [{"extensions": {"code": "ACCESS_DENIED"}}]}, ProviderUnavailable),
        (200, {"errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, OutcomeUnknown),
        (200, {"errors": [{"message": "?"}], "data": {}}, OutcomeUnknown),
        (200, {"errors": "?"}, OutcomeUnknown),
        (200, {}, OutcomeUnknown),
        (401, {"errors": "[API] Invalid API key"}, ProviderUnavailable),
        (402, {"errors": "frozen"}, ProviderUnavailable),
        (404, {"errors": "Not Found"}, ProviderUnavailable),
        (400, {"errors": "bad"}, ProviderRejected),
        (404, {}, OutcomeUnknown),
        (403, [], OutcomeUnknown),
    ],
)
def test_errors(status: int, content: object, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        wire.answer(Reply(status, {}, orjson.dumps(content)))


@pytest.mark.parametrize(
    ("field", "message", "expected"),
    [
        (["transactions"], "Refund is more than refundable", ProviderRejected),
        (["orderId"], "Order does not exist", ProviderRejected),
        (None, "This request is currently in progress, please try again.", ProviderUnavailable),
        (None, "The same idempotency key cannot be used with different", OutcomeUnknown),
        (None, "The gateway did not answer", OutcomeUnknown),
        ([], "?", OutcomeUnknown),
        ([1], "?", OutcomeUnknown),
    ],
)
def test_user_errors(field: object, message: str, expected: type[Exception]) -> None:
    with pytest.raises(expected):
        wire.parse_created(
            created(refund=None, userErrors=[{"field": field, "message": message}]), "723599266"
        )


def test_rejections_carry_no_words_of_others() -> None:
    error = {"field": ["input", "note"], "message": "Ada Buyer is too long"}
    with pytest.raises(ProviderRejected) as rejected:
        wire.parse_created(created(refund=None, userErrors=[error]), "723599266")
    assert rejected.value.code == "user_error:input/note"
    assert "Ada" not in str(rejected.value)


def test_a_created_refund_is_read() -> None:
    assert wire.parse_created(created(), "723599266") == EVIDENCE


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("SUCCESS", RefundStatus.SUCCEEDED),
        ("PENDING", RefundStatus.PENDING),
        ("AWAITING_RESPONSE", RefundStatus.PENDING),
        ("FAILURE", RefundStatus.FAILED),
        ("ERROR", RefundStatus.FAILED),
    ],
)
def test_a_refund_is_what_its_movement_is(told: str, status: RefundStatus) -> None:
    """A Refund exists also when its money did not move."""
    read = wire.parse_created(created(refund=group(movement(status=told))), "723599266")
    assert read.status is status


@pytest.mark.parametrize(
    "refund",
    [
        None,
        group(),
        group(movement(), movement()),
        group(movement(), more=True),
        group(movement(status="UNKNOWN")),
        group(movement(id="gid://shopify/Refund/99")),
        group(movement(parentTransaction={"id": "gid://shopify/OrderTransaction/1"})),
        group(movement(parentTransaction=None)),
        group(movement(amountSet=money("12.999"))),
        group(movement(amountSet=money("0.00"))),
        group(movement(amountSet=money("1", "XTS"))),
        group(movement(createdAt="now")),
        {**group(movement()), "id": "gid://shopify/Order/5"},
    ],
)
def test_what_is_not_one_movement_is_not_read(refund: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.parse_created(created(refund=refund), "723599266")


def test_a_payment_is_read_with_what_others_refunded() -> None:
    other_parent = {"id": "gid://shopify/OrderTransaction/5"}
    found = wire.parse_payment(
        node(
            group(movement()),
            group(movement(id="gid://shopify/OrderTransaction/98"), note="wrong size"),
            group(movement(parentTransaction=other_parent), movement(kind="VOID"), note=None),
        ),
        "723599266",
    )
    assert found is not None
    assert found.refunds == (
        EVIDENCE,
        replace(EVIDENCE, provider_refund_id="98", reference=None),
    )


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"node": {}},
        node(id="gid://shopify/OrderTransaction/1"),
        node(order=None),
        node(gateway=""),
        node(*[group(movement())] * wire.MAX_REFUNDS),
    ],
)
def test_half_a_payment_is_not_read(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        wire.parse_payment(data, "723599266")


def test_no_such_transaction() -> None:
    assert wire.parse_payment({"node": None}, "1") is None


async def test_what_carries_our_reference_is_not_made_again(
    http: HttpClient, recorder: Recorder
) -> None:
    """Also when Shopify has forgotten the key."""
    recorder.answers.append(answer(node(group(movement()))))
    account = replace(ACCOUNT, base_url=recorder.url)
    assert await ShopifyPayments(http).refund(account, REQUEST) == EVIDENCE
    assert len(recorder.requests) == 1


async def test_a_dead_refund_of_ours_does_not_stand_in_the_way(
    http: HttpClient, recorder: Recorder
) -> None:
    recorder.answers.extend([answer(node(group(movement(status="FAILURE")))), answer(created())])
    account = replace(ACCOUNT, base_url=recorder.url)
    assert await ShopifyPayments(http).refund(account, REQUEST) == EVIDENCE


async def test_two_living_refunds_with_our_reference_are_unknown(
    http: HttpClient, recorder: Recorder
) -> None:
    account, shopify = replace(ACCOUNT, base_url=recorder.url), ShopifyPayments(http)
    twice = node(group(movement()), group(movement(id="gid://shopify/OrderTransaction/98")))
    recorder.answers.extend([answer(twice)] * 2)
    with pytest.raises(OutcomeUnknown):
        await shopify.refund(account, REQUEST)
    with pytest.raises(OutcomeUnknown):
        await shopify.look_up(account, REQUEST, None)


@pytest.mark.parametrize("fault", ["reset_before", "garbage", "hang_before", "error_before"])
async def test_a_read_that_fails_before_a_refund_is_unavailable(
    http: HttpClient, bank: Bank, fault: str
) -> None:
    """Nothing was asked for yet, so nothing is unknown."""
    await bank.script({"fault": fault, "on": "read", "seconds": 4})
    request = replace(REQUEST, provider_payment_id=await bank.pay(5_000, vendor="shopify"))
    with pytest.raises(ProviderUnavailable):
        await ShopifyPayments(http).refund(bank.account, request)
    assert (await bank.movements(REFERENCE))["made"] == 0


async def test_another_shop_s_payment_proves_nothing(http: HttpClient, bank: Bank) -> None:
    shopify = ShopifyPayments(http)
    with pytest.raises(ProviderRejected):
        await shopify.refund(bank.account, REQUEST)
    with pytest.raises(OutcomeUnknown):
        await shopify.look_up(bank.account, REQUEST, None)
