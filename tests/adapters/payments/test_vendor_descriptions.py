"""PayPal's and Adyen's adapters and faces against the vendors' own API descriptions.

Prism stands between adapter and bank, as for Stripe, and refuses on either way what the
description does not allow. Its copy of a description differs from the vendor's in addresses only:
Adyen's version stands in the path here, and what is no part of a cut (PayPal's tokens and orders)
passes by Prism.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import orjson
import pytest

from returns_api.adapters.conformance.payments import request_for
from returns_api.adapters.http import HttpClient, Reply
from returns_api.adapters.payments import adyen, paypal_wire
from returns_api.adapters.payments.adyen import AdyenPayments
from returns_api.ports.errors import ProviderRejected
from returns_api.ports.payments import PaymentAccount, RefundRequest, RefundStatus
from tests.support import node
from tests.support.bank import Bank
from tests.support.prism import prism

pytestmark = pytest.mark.xdist_group("node")


@pytest.fixture(scope="module")
def paypal_judge(bank_process: Bank) -> Iterator[str]:
    with prism(node.spec("paypal_slice.json"), bank_process.base_url) as url:
        yield url


@pytest.fixture(scope="module")
def adyen_judge(
    bank_process: Bank, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PaymentAccount]:
    content = orjson.loads(node.spec("adyen_slice.json").read_bytes())
    content["paths"] = {f"/v71{path}": each for path, each in content["paths"].items()}
    copy = tmp_path_factory.mktemp("adyen") / "adyen.json"
    copy.write_bytes(orjson.dumps(content))
    with prism(copy, bank_process.base_url) as url:
        yield PaymentAccount(url, "api-key", "TestMerchant")


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    http = HttpClient()
    yield http
    await http.aclose()


@pytest.fixture
async def judged(paypal_judge: str, bank: Bank, client: HttpClient) -> tuple[PaymentAccount, str]:
    """PayPal's account behind Prism, and a token for it."""
    direct = replace(bank.account, account="client")
    token = paypal_wire.parse_token(await client.send(paypal_wire.build_token(direct)))
    return replace(direct, base_url=paypal_judge), token.value


async def paypal_refund(
    client: HttpClient, judged: tuple[PaymentAccount, str], request: RefundRequest
) -> Reply:
    reply = await client.send(paypal_wire.build_refund(*judged, request))
    paypal_wire.refuse(reply)
    return reply


async def test_paypal_both_ends_keep_to_the_description(
    judged: tuple[PaymentAccount, str], bank: Bank, client: HttpClient
) -> None:
    capture = await bank.pay(50_000, vendor="paypal")
    request = request_for(capture, 1_200)
    made = paypal_wire.parse_refund(
        (await paypal_refund(client, judged, request)).json_object(), capture
    )
    again = await client.send(paypal_wire.build_get_refund(*judged, made.provider_refund_id))
    assert paypal_wire.parse_refund(again.json_object(), capture) == made
    shown = await client.send(paypal_wire.build_get_capture(*judged, capture))
    assert paypal_wire.parse_capture(shown.json_object(), capture).refunded
    await bank.script("pending")
    pending = await paypal_refund(client, judged, request_for(capture, 10))
    read = paypal_wire.parse_refund(pending.json_object(), capture)
    assert read.status is RefundStatus.PENDING
    with pytest.raises(ProviderRejected) as rejected:
        await paypal_refund(client, judged, request_for("NOBODY", 10))
    assert rejected.value.code == "INVALID_RESOURCE_ID"
    await bank.control("PUT", "faults", {"lenient": False})
    with pytest.raises(ProviderRejected) as rejected:
        await paypal_refund(client, judged, request_for(capture, 90_000))
    assert rejected.value.code == "REFUND_AMOUNT_EXCEEDED"


async def test_paypal_s_judge_is_awake(
    judged: tuple[PaymentAccount, str], bank: Bank, client: HttpClient
) -> None:
    request = request_for(await bank.pay(50_000, vendor="paypal"), 10)
    call = paypal_wire.build_refund(*judged, request)
    for wrong in (b'{"amount":{"value":"1"}}', b'{"custom_id":7}', b'{"invoice_id":""}'):
        assert (await client.send(replace(call, body=wrong))).status == 422


async def test_adyen_both_ends_keep_to_the_description(
    adyen_judge: PaymentAccount, bank: Bank, client: HttpClient
) -> None:
    provider = AdyenPayments(client)
    payment = await bank.pay(50_000, vendor="adyen")
    request = replace(request_for(payment, 1_200), reason="requested_by_customer")
    made = await provider.refund(adyen_judge, request)
    assert made.status is RefundStatus.PENDING
    assert await provider.refund(adyen_judge, request) == made
    with pytest.raises(ProviderRejected) as rejected:
        await provider.refund(adyen_judge, request_for("NOBODY", 10))
    assert rejected.value.code == "167"


async def test_adyen_s_judge_is_awake(
    adyen_judge: PaymentAccount, bank: Bank, client: HttpClient
) -> None:
    """Adyen's description forbids unknown members too."""
    payment = await bank.pay(50_000, vendor="adyen")
    call = adyen.build_refund(adyen_judge, request_for(payment, 10))
    good = orjson.loads(call.body)
    for wrong in ({"surprise": 1}, {"amount": {"value": 1}}, {"merchantRefundReason": "WHIM"}):
        body = orjson.dumps({**good, **wrong})
        reply = await client.send(replace(call, body=body))
        assert reply.status == 422
        assert "errorCode" not in reply.json_object(), "the bank's refusal, not Prism's"


def test_paypal_sends_only_documented_names() -> None:
    """PayPal's description does not forbid others, so they are compared here."""
    description = orjson.loads(node.spec("paypal_slice.json").read_bytes())
    known = description["components"]["schemas"]["refund_request"]["properties"]
    account = PaymentAccount("https://api-m.paypal.com", "s", "c")
    sent = orjson.loads(paypal_wire.build_refund(account, "t", request_for("CAP", 10)).body)
    assert set(sent) <= set(known)
