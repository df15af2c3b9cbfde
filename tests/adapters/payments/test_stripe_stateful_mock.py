"""The Stripe adapter against npm's stripe-stateful-mock, a provider that we did not write.

It knows charges only, honours Idempotency-Key, refuses over-refunds and lists by charge.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from returns_api.adapters.conformance.payments import request_for
from returns_api.adapters.http import Call, HttpClient
from returns_api.adapters.payments.stripe import StripePayments
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected
from returns_api.ports.payments import PaymentAccount, ProviderRefund, RefundStatus
from tests.support import node
from tests.support.ports import free_port

pytestmark = pytest.mark.xdist_group("node")


@pytest.fixture(scope="module")
def mock() -> Iterator[PaymentAccount]:
    node.install()
    port = free_port()
    with node.running("node", "stripe-mock.js", str(port), port=port) as url:
        yield PaymentAccount(url, "sk_test_mock", "mock")


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    http = HttpClient()
    yield http
    await http.aclose()


async def charge(http: HttpClient, account: PaymentAccount, amount: int) -> str:
    form = urlencode({"amount": amount, "currency": "usd", "source": "tok_visa"}).encode()
    headers = {
        "authorization": f"Bearer {account.secret}",
        "content-type": "application/x-www-form-urlencoded",
    }
    reply = await http.send(Call("POST", f"{account.base_url}/v1/charges", headers, form))
    assert reply.status == 200, reply.body
    return str(reply.json_object()["id"])


async def test_refunds_and_finds_them_again(mock: PaymentAccount, client: HttpClient) -> None:
    stripe = StripePayments(client)
    payment = await charge(client, mock, 5_000)
    requests = [request_for(payment, amount, "USD") for amount in (1_000, 2_000)]
    made = [await stripe.refund(mock, each) for each in requests]
    assert [each.status for each in made] == [RefundStatus.SUCCEEDED] * 2
    for request, refund in zip(requests, made, strict=True):
        assert await stripe.look_up(mock, request, None) == refund
        assert await stripe.look_up(mock, request, refund.provider_refund_id) == refund
    assert await stripe.look_up(mock, request_for(payment, 5, "USD"), None) is None
    assert {each.amount_minor for each in await stripe.list_refunds(mock, payment)} == {
        1_000,
        2_000,
    }


async def test_the_same_key_is_one_refund(mock: PaymentAccount, client: HttpClient) -> None:
    stripe = StripePayments(client)
    payment = await charge(client, mock, 5_000)
    request = request_for(payment, 700, "USD")
    first = await stripe.refund(mock, request)
    assert await stripe.refund(mock, request) == first
    with pytest.raises(OutcomeUnknown):
        await stripe.refund(mock, replace(request, amount_minor=701))
    racing = request_for(payment, 800, "USD")
    calls = [stripe.refund(mock, racing) for _ in range(10)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert any(isinstance(each, ProviderRefund) for each in outcomes)
    amounts = [each.amount_minor for each in await stripe.list_refunds(mock, payment)]
    assert sorted(amounts) == [700, 800]


async def test_more_than_was_paid_is_rejected(mock: PaymentAccount, client: HttpClient) -> None:
    stripe = StripePayments(client)
    payment = await charge(client, mock, 1_000)
    with pytest.raises(ProviderRejected) as too_much:
        await stripe.refund(mock, request_for(payment, 1_001, "USD"))
    assert "1001" not in too_much.value.message
    await stripe.refund(mock, request_for(payment, 1_000, "USD"))
    with pytest.raises(ProviderRejected) as again:
        await stripe.refund(mock, request_for(payment, 1, "USD"))
    assert again.value.code == "charge_already_refunded"


async def test_lists_page_by_page(mock: PaymentAccount, client: HttpClient) -> None:
    stripe = StripePayments(client)
    payment = await charge(client, mock, 50_000)
    requests = [request_for(payment, 1, "USD") for _ in range(103)]
    for request in requests:
        await stripe.refund(mock, request)
    listed = await stripe.list_refunds(mock, payment)
    assert {each.reference for each in listed} == {each.reference for each in requests}
    assert await stripe.look_up(mock, requests[0], None) is not None
