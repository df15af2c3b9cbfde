"""PayPal's tokens, and what a call makes of what it finds there, over real sockets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments.paypal import PayPalPayments
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from tests.support.bank import Bank
from tests.support.paypal import ACCOUNT, CAPTURE, EVIDENCE, REFUND, REQUEST, answer, order, token
from tests.support.recorder import Recorder


@pytest.fixture
def paypal(http: HttpClient) -> PayPalPayments:
    return PayPalPayments(http)


async def test_one_token_serves_many_calls(paypal: PayPalPayments, recorder: Recorder) -> None:
    recorder.answers.extend([token("A21"), answer(201, REFUND), answer(200, REFUND)])
    account = replace(ACCOUNT, base_url=recorder.url)
    assert await paypal.refund(account, REQUEST) == EVIDENCE
    assert await paypal.look_up(account, REQUEST, EVIDENCE.provider_refund_id) == EVIDENCE
    targets = [each.target for each in recorder.requests]
    assert [target.rpartition("/")[2] for target in targets] == ["token", "refund", REFUND["id"]]


async def test_a_token_near_its_end_is_not_used(paypal: PayPalPayments, recorder: Recorder) -> None:
    recorder.answers.extend([token("old", 60), answer(201, REFUND)] * 2)
    account = replace(ACCOUNT, base_url=recorder.url)
    for _ in range(2):
        await paypal.refund(account, REQUEST)
    assert len(recorder.requests) == 4


async def test_a_revoked_token_is_dropped(paypal: PayPalPayments, recorder: Recorder) -> None:
    refused = answer(401, {"name": "AUTHENTICATION_FAILURE"})
    recorder.answers.extend([token("a"), refused, token("b"), answer(201, REFUND)])
    account = replace(ACCOUNT, base_url=recorder.url)
    with pytest.raises(ProviderUnavailable):
        await paypal.refund(account, REQUEST)
    await paypal.refund(account, REQUEST)
    assert recorder.requests[-1].headers["authorization"] == "Bearer b"


async def test_accounts_do_not_share_tokens(paypal: PayPalPayments, recorder: Recorder) -> None:
    recorder.answers.extend([token("a"), answer(201, REFUND), token("b"), answer(201, REFUND)])
    for secret in ("one", "two"):
        await paypal.refund(replace(ACCOUNT, base_url=recorder.url, secret=secret), REQUEST)
    assert recorder.requests[-1].headers["authorization"] == "Bearer b"


@pytest.mark.parametrize(
    "broken",
    [
        answer(500, {}),
        answer(302, {}),
        answer(400, {"error": "invalid_client"}),
        answer(200, {"access_token": "a b", "expires_in": 1}),
        answer(200, {"access_token": "a"}),
        answer(200, []),
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}\0close",
    ],
)
async def test_without_a_token_nothing_was_asked(
    paypal: PayPalPayments, recorder: Recorder, broken: bytes
) -> None:
    recorder.answers.append(broken)
    with pytest.raises(ProviderUnavailable):
        await paypal.refund(replace(ACCOUNT, base_url=recorder.url), REQUEST)
    assert len(recorder.requests) == 1


async def test_a_token_that_never_comes_is_unavailable_in_time(
    paypal: PayPalPayments, bank: Bank
) -> None:
    await bank.script({"fault": "hang_before", "on": "token", "seconds": 4})
    payment = await bank.pay(5_000, vendor="paypal")
    request = replace(REQUEST, provider_payment_id=payment)
    with pytest.raises(ProviderUnavailable):
        await paypal.refund(bank.account, request)


async def test_a_refunded_capture_without_a_refund_is_unknown(
    paypal: PayPalPayments, recorder: Recorder
) -> None:
    related = {"related_ids": {"order_id": "O1"}}
    capture = {"id": CAPTURE, "status": "PARTIALLY_REFUNDED", "supplementary_data": related}
    recorder.answers.extend([token("a"), answer(200, capture), answer(200, order())])
    with pytest.raises(OutcomeUnknown, match="no refund"):
        await paypal.look_up(replace(ACCOUNT, base_url=recorder.url), REQUEST, None)


async def test_a_capture_without_an_order_is_unknown(
    paypal: PayPalPayments, recorder: Recorder
) -> None:
    recorder.answers.extend([token("a"), answer(200, {"id": CAPTURE, "status": "COMPLETED"})])
    with pytest.raises(OutcomeUnknown):
        await paypal.look_up(replace(ACCOUNT, base_url=recorder.url), REQUEST, None)


async def test_two_living_refunds_with_our_reference_are_unknown(
    paypal: PayPalPayments, recorder: Recorder
) -> None:
    related = {"related_ids": {"order_id": "O1"}}
    capture = {"id": CAPTURE, "status": "PARTIALLY_REFUNDED", "supplementary_data": related}
    twice = order(REFUND, {**REFUND, "id": "2"})
    recorder.answers.extend([token("a"), answer(200, capture), answer(200, twice)])
    with pytest.raises(OutcomeUnknown, match="2 refunds"):
        await paypal.look_up(replace(ACCOUNT, base_url=recorder.url), REQUEST, None)
