"""Bodies that are not what they promise: one kind of error that names the place, no value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.shops.reading import Unreadable
from returns_api.adapters.shops.shopify import ShopifyShop
from returns_api.domain.orders import DisputeSeen, OrderSeen
from tests.support import shopify
from tests.support.shopify import Json

SHOP = ShopifyShop()
TOPICS = [
    "orders/create",
    "orders/edited",
    "order_transactions/create",
    "fulfillments/update",
    "fulfillment_events/create",
    "refunds/create",
    "disputes/create",
    "returns/approve",
    "reverse_deliveries/attach_deliverable",
    "customers/redact",
    "customers/data_request",
]
ORDER = json.loads(shopify.fixture("order_card"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b"{",
        b'{"id": 1,}',
        b'{"id": NaN}',
        b'{"id": -Infinity}',
        b'{"id": 1, "id": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'\xef\xbb\xbf{"id": 1}',
        '{"id": 1}'.encode("utf-16"),
        b'{"id": "\xff"}',
        b'{"id": ' + b"9" * 5_000 + b"}",
        b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
    ids=range(15),
)
@pytest.mark.parametrize("topic", ["orders/create", "shop/redact"])
def test_what_is_no_plain_json_object_is_unreadable(topic: str, body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^\$"):
        SHOP.parse(topic, body)


@pytest.mark.parametrize("topic", ["inventory_levels/update", "", "orders", "ORDERS/CREATE"])
def test_an_unknown_topic_tells_nothing_whatever_it_holds(topic: str) -> None:
    assert SHOP.parse(topic, b"\xff") == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("admin_graphql_api_id", "gid://shopify/Order/x"),
        ("admin_graphql_api_id", True),
        ("currency", "XXX"),
        ("currency", None),
        ("presentment_currency", "usd"),
        ("processed_at", "2026-03-01"),
        ("processed_at", 1772356500),
        ("processed_at", "9999-12-31T23:59:59-14:00"),
        ("processed_at", "0001-01-01T00:00:00+14:00"),
        ("cancelled_at", "soon"),
        ("taxes_included", "yes"),
        ("line_items", {}),
        ("line_items[0]", 3),
        ("line_items[0].quantity", -1),
        ("line_items[0].quantity", 1.5),
        ("line_items[0].quantity", True),
        ("line_items[0].quantity", 10**7),
        ("line_items[0].sku", 7),
        ("line_items[0].price_set.presentment_money.amount", "1e400"),
        ("line_items[0].price_set.presentment_money.amount", None),
        ("line_items[0].price_set.presentment_money.amount", False),
        ("line_items[0].price_set.presentment_money.amount", 10**30),
        ("line_items[0].discount_allocations[0].discount_application_index", -1),
        ("transactions[0].amount", " 7 "),
        ("transactions[0].amount", "1_000"),
        ("transactions[0].parent_id", 1.5),
        ("shipping_address", "Berlin"),
        ("refunds", [{"transactions": [{"kind": "refund"}]}]),
        ("fulfillments", [{"order_id": 1}]),
    ],
)
def test_a_member_of_the_wrong_kind_is_named_by_its_path(path: str, value: Any) -> None:
    body = json.loads(json.dumps(ORDER))
    steps = path.replace("[", ".[").split(".")
    target = body
    for step in steps[:-1]:
        target = target[int(step[1:-1]) if step.startswith("[") else step]
    last = steps[-1]
    target[int(last[1:-1]) if last.startswith("[") else last] = value
    with pytest.raises(Unreadable) as caught:
        SHOP.parse("orders/create", shopify.encode(body))
    assert str(caught.value).startswith(f"$.{path}")


def test_values_never_stand_in_an_error() -> None:
    body = json.dumps({**ORDER, "email": {"secret": "anna@example.com"}}).encode()
    with pytest.raises(Unreadable) as caught:
        SHOP.parse("orders/create", body)
    assert "anna" not in str(caught.value)


def test_a_list_without_end_is_refused() -> None:
    with pytest.raises(Unreadable, match="at most"):
        SHOP.parse("orders/create", shopify.encode({**ORDER, "refunds": [0] * 5_001}))


def test_texts_that_cannot_be_stored_are_cleaned() -> None:
    line = shopify.line_item(1, "a\0b\ud800" + "x" * 1_000, "1.00")
    body = json.dumps(shopify.order(1, [line])).encode()
    (seen,) = SHOP.parse("orders/create", body)
    assert isinstance(seen, OrderSeen)
    title = seen.order.lines[0].title
    assert len(title) == 500
    assert title.startswith("a\ufffdb\ufffdx")


def test_a_large_id_is_exact_even_without_its_global_form() -> None:
    body = {**ORDER, "admin_graphql_api_id": None, "id": 2**63 + 7}
    (seen,) = SHOP.parse("orders/create", shopify.encode(body))
    assert isinstance(seen, OrderSeen)
    assert seen.order.external_id == str(2**63 + 7)


@pytest.mark.parametrize(
    ("status", "still_open"),
    [
        ("needs_response", True),
        ("under_review", True),
        ("brand_new", True),
        (None, True),
        ("won", False),
        ("lost", False),
        ("accepted", False),
        ("prevented", False),
    ],
)
def test_a_dispute_is_open_until_it_is_known_to_have_ended(
    status: str | None, still_open: bool
) -> None:
    dispute = {
        "id": 1,
        "order_id": 5,
        "amount": "11.50",
        "currency": "EUR",
        "status": status,
        "initiated_at": "2026-03-01T10:00:00Z",
        "evidence_sent_on": "2026-03-03T10:00:00Z",
        "finalized_on": None,
    }
    (seen,) = SHOP.parse("disputes/update", shopify.encode(dispute))
    assert isinstance(seen, DisputeSeen)
    assert seen.open is still_open
    assert seen.at.day == 3


@pytest.mark.parametrize("odd", [[], {}, 3, True], ids=repr)
@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/create", {**ORDER, "transactions": [{**ORDER["transactions"][0], "kind": None}]}),
        (
            "orders/create",
            {**ORDER, "transactions": [{**ORDER["transactions"][0], "status": None}]},
        ),
        (
            "fulfillment_events/create",
            {"id": 1, "order_id": 5, "fulfillment_id": 2, "happened_at": "2026-03-01T10:00:00Z"},
        ),
    ],
    ids=["kind", "status", "scan"],
)
def test_a_word_of_a_closed_list_that_is_no_text_is_unreadable(
    topic: str, body: Json, odd: object
) -> None:
    """Not a programming error: a list cannot be looked up in a set."""
    target: Any = body["transactions"][0] if "transactions" in body else {**body, "status": None}
    word = next(name for name in ("kind", "status") if target.get(name, "") is None)
    changed = {**target, word: odd}
    whole = {**body, "transactions": [changed]} if "transactions" in body else changed
    with pytest.raises(Unreadable, match=rf"{word}"):
        SHOP.parse(topic, json.dumps(whole).encode())


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats()
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


@given(st.sampled_from(TOPICS), st.dictionaries(st.text(max_size=12), anything))
def test_any_object_is_read_or_unreadable(topic: str, body: Json) -> None:
    try:
        SHOP.parse(topic, json.dumps(body).encode())
    except Unreadable:
        return


@given(st.data())
def test_any_change_of_a_real_order_is_read_or_unreadable(data: st.DataObject) -> None:
    body = json.loads(json.dumps(ORDER))
    target: Any = body
    while isinstance(target, dict | list) and target:
        keys = sorted(target) if isinstance(target, dict) else range(len(target))
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(target[key], dict | list) or data.draw(st.booleans()):
            target[key] = data.draw(anything)
            break
        target = target[key]
    try:
        SHOP.parse("orders/create", json.dumps(body).encode())
    except Unreadable:
        return
