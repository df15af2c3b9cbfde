"""What Shopify tells of refunds: webhooks, and that nothing it could send breaks the reading."""

from __future__ import annotations

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_api.adapters.http import Reply
from returns_api.adapters.payments import shopify_wire as wire
from returns_api.adapters.payments.shopify_events import parse_event
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from tests.support.shopify_refunds import EVIDENCE, created, group, movement, node, webhook


def test_a_refund_webhook_is_the_same_fact() -> None:
    assert parse_event(webhook()).facts == (EVIDENCE,)
    assert parse_event(webhook(kind="void")).facts == ()
    assert parse_event(webhook(parent_id=None)).facts == ()


def test_a_changed_webhook_is_another_event() -> None:
    first, second = parse_event(webhook()), parse_event(webhook(status="failure"))
    assert first.event_id == parse_event(webhook()).event_id != second.event_id


@pytest.mark.parametrize(
    "change",
    [{"id": "99"}, {"status": "unknown"}, {"amount": 12.99}, {"currency": "XTS"}, {"amount": "0"}],
)
def test_a_webhook_that_cannot_be_read(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_event(webhook(**change))


def test_other_webhooks_have_no_facts() -> None:
    assert parse_event(b'{"id":1,"order_id":2,"type":"chargeback"}').facts == ()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.sampled_from(sorted(movement())), _JSON)
def test_no_content_raises_anything_else(name: str, value: object) -> None:
    with suppress(ValueError):
        wire.parse_created(created(refund=group(movement(**{name: value}))), "723599266")
    with suppress(ValueError):
        wire.parse_payment(node(group(movement(**{name: value}))), "723599266")
    with suppress(ValueError):
        parse_event(webhook(**{name: value}))


@given(_JSON)
def test_no_error_raises_anything_else(content: object) -> None:
    known = (OutcomeUnknown, ProviderRejected, ProviderUnavailable, ValueError)
    with pytest.raises(known):
        wire.answer(Reply(200, {}, orjson.dumps({"errors": content})))
    error = {"field": content, "message": content}
    with pytest.raises(known):
        wire.parse_created(created(refund=None, userErrors=[error]), "723599266")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_event(body)
