"""The bank itself: it keeps what it acknowledged, and does and counts the wrong it is told to."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime

import orjson
import pytest

from returns_api.adapters.conformance.payments import request_for
from returns_api.adapters.http import Call, HttpClient
from returns_api.adapters.payments.stripe import StripePayments
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from returns_api.ports.payments import RefundStatus
from tests.support.bank import Bank
from tests.support.patience import PATIENCE
from tests.support.recorder import Recorder

SECRET = "whsec_bank"


async def test_what_was_acknowledged_survives_kill_9(
    bank: Bank, http: HttpClient, recorder: Recorder
) -> None:
    stripe = StripePayments(http)
    payment = await bank.pay(100_000)
    answered: list[str] = []
    stop = asyncio.Event()

    async def spend() -> None:
        while not stop.is_set():
            request = request_for(payment, 1)
            try:
                await stripe.refund(bank.account, request)
            except (OutcomeUnknown, ProviderUnavailable):
                return
            answered.append(request.reference)
            if len(answered) >= 200:
                stop.set()

    spending = asyncio.gather(*(spend() for _ in range(8)))
    await stop.wait()
    bank.stop(kill=True)
    await spending
    bank.start()
    await bank.register_webhook(recorder.url, SECRET)
    ledger = (await bank.ledger(payment))["references"]
    assert len(answered) >= 200
    assert {ledger[reference]["net"] for reference in answered} == {1}


async def test_deliveries_survive_kill_9(bank: Bank, recorder: Recorder) -> None:
    await bank.register_webhook(recorder.url, SECRET, topics=["refund.created"])
    recorder.answers.extend([b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"])
    await bank.dashboard_refund(await bank.pay(100), 40)
    await recorder.arrival()
    bank.kill_and_restart()
    await bank.quiet()
    bodies = {each.body for each in recorder.requests}
    assert len(bodies) == 1, "the same event again, not another one"
    assert len(recorder.requests) >= 2


async def test_refunds_are_lenient_unless_told(bank: Bank, http: HttpClient) -> None:
    stripe = StripePayments(http)
    payment = await bank.pay(100)
    await stripe.refund(bank.account, request_for(payment, 70))
    await stripe.refund(bank.account, request_for(payment, 70))
    assert (await bank.ledger(payment))["payments"][payment]["refunded_minor"] == 140


async def test_keys_are_forgotten_and_can_be_switched_off(bank: Bank, http: HttpClient) -> None:
    stripe = StripePayments(http)
    forgotten, ignored = [request_for(await bank.pay(100), 10) for _ in range(2)]
    await bank.control("PUT", "faults", {"key_ttl_seconds": 3600})
    await stripe.refund(bank.account, forgotten)
    await stripe.refund(bank.account, forgotten)
    assert (await bank.movements(forgotten.reference))["made"] == 1
    await bank.control("POST", "advance", {"seconds": 3601})
    await stripe.refund(bank.account, forgotten)
    assert (await bank.movements(forgotten.reference))["made"] == 2
    await bank.control("PUT", "faults", {"idempotency": False})
    await stripe.refund(bank.account, ignored)
    await stripe.refund(bank.account, ignored)
    assert (await bank.movements(ignored.reference))["made"] == 2


@pytest.mark.parametrize(
    ("life", "first", "last", "net"),
    [
        ("pending", RefundStatus.PENDING, RefundStatus.SUCCEEDED, 1),
        ("pending_fails", RefundStatus.PENDING, RefundStatus.FAILED, 0),
        ("fails_late", RefundStatus.SUCCEEDED, RefundStatus.FAILED, 0),
    ],
)
async def test_refunds_change_later(
    bank: Bank, http: HttpClient, life: str, first: RefundStatus, last: RefundStatus, net: int
) -> None:
    stripe = StripePayments(http)
    await bank.control("PUT", "faults", {"life_seconds": 3600})
    request = request_for(await bank.pay(100), 10)
    await bank.script(life)
    refund = await stripe.refund(bank.account, request)
    assert refund.status is first
    await bank.control("POST", "advance", {"seconds": 3601})
    found = await stripe.look_up(bank.account, request, refund.provider_refund_id)
    assert found is not None
    assert found.status is last
    assert (await bank.movements(request.reference))["net"] == net


async def test_refunds_change_by_themselves(
    bank: Bank, http: HttpClient, recorder: Recorder
) -> None:
    await bank.register_webhook(recorder.url, SECRET, topics=["refund.updated"])
    await bank.control("PUT", "faults", {"life_seconds": 0.05, "rates": {"pending": 1}})
    await StripePayments(http).refund(bank.account, request_for(await bank.pay(100), 10))
    await recorder.arrival()
    event = StripePayments(http).parse_event(recorder.requests[0].body)
    assert [getattr(fact, "status", None) for fact in event.facts] == [RefundStatus.SUCCEEDED]


async def test_webhooks_are_signed_and_can_go_wrong(
    bank: Bank, http: HttpClient, recorder: Recorder
) -> None:
    stripe = StripePayments(http)
    await bank.register_webhook(recorder.url, SECRET, topics=["refund.created"])
    payment = await bank.pay(1_000)
    for fault in ("none", "webhook_lost", "webhook_duplicate", "webhook_first"):
        await bank.script(fault)
        seen = len(recorder.requests)
        await stripe.refund(bank.account, request_for(payment, 1))
        if fault == "webhook_first":
            assert len(recorder.requests) == seen + 1, "it was there before the answer"
        await bank.quiet()
        expected = {"none": 1, "webhook_lost": 0, "webhook_duplicate": 2, "webhook_first": 1}
        assert len(recorder.requests) - seen == expected[fault], fault
    now = datetime.now(UTC)
    for each in recorder.requests:
        assert stripe.verify(each.headers, each.body, [SECRET], now)
    fired = await bank.fired()
    assert [fired[each] for each in ("webhook_lost", "webhook_duplicate", "webhook_first")] == [
        1
    ] * 3


async def test_webhooks_can_be_shuffled_and_repeated(bank: Bank, recorder: Recorder) -> None:
    await bank.register_webhook(recorder.url, SECRET, topics=["refund.created"])
    wanted = {"seed": 3, "rates": {"webhook_shuffled": 1}, "shuffle_seconds": 3}
    await bank.control("PUT", "faults", wanted)
    payment = await bank.pay(1_000)
    made = [await bank.dashboard_refund(payment, amount) for amount in range(1, 13)]
    await bank.quiet()
    told = [orjson.loads(each.body)["data"]["object"]["id"] for each in recorder.requests]
    assert sorted(told) == sorted(made)
    assert told != made
    assert (await bank.control("POST", "redeliver", {}))["queued"] == 12
    await bank.quiet()
    again = Counter(orjson.loads(each.body)["id"] for each in recorder.requests)
    assert set(again.values()) == {2}


async def test_events_go_to_the_account_they_belong_to(bank: Bank, recorder: Recorder) -> None:
    await bank.register_webhook(f"{recorder.url}/a", SECRET, account="sk_a")
    await bank.register_webhook(f"{recorder.url}/b", SECRET, account="sk_b")
    payment = await bank.pay(100, account="sk_b")
    await bank.dashboard_refund(payment, 10)
    await bank.quiet()
    assert {each.target for each in recorder.requests} == {"/b"}


async def test_others_payments_do_not_exist(bank: Bank, http: HttpClient) -> None:
    payment = await bank.pay(100, account="sk_other")
    url = f"{bank.base_url}/v1/payment_intents/{payment}"
    for key, status in (("sk_other", 200), (bank.account.secret, 404)):
        reply = await http.send(Call("GET", url, {"authorization": f"Bearer {key}"}))
        assert reply.status == status


async def test_chance_repeats_itself(bank: Bank) -> None:
    """The same seed and the same keys meet the same faults, in whatever order they come."""
    rates = {"reset_before": 0.2, "error_before": 0.2, "rate_limited": 0.2}
    payment = await bank.pay(1_000)
    keys = [f"trf_{number}" for number in range(40)]

    async def outcomes(order: list[str]) -> dict[str, str]:
        await bank.control("POST", "reset", {})
        await bank.control("PUT", "faults", {"seed": 11, "rates": rates, "lenient": True})
        await bank.control("POST", "payments", {"payments": [{"id": payment, "amount": 1_000}]})
        http = HttpClient(deadline_seconds=PATIENCE)
        stripe = StripePayments(http)
        found = {}
        for key in order:
            request = request_for(payment, 1)
            request = type(request)(key, key, payment, 1, "EUR")
            try:
                await stripe.refund(bank.account, request)
                found[key] = "ok"
            except (OutcomeUnknown, ProviderUnavailable) as error:
                found[key] = str(error)
        await http.aclose()
        return found

    first = await outcomes(keys)
    assert await outcomes(keys[::-1]) == first
    assert len(set(first.values())) > 2


async def test_mistakes_in_control_calls_are_told(bank: Bank, http: HttpClient) -> None:
    for path, content in (
        ("faults", {"rates": {"typo": 1}}),
        ("faults", {"nonsense": 1}),
        ("script", {"script": [{"fault": "typo"}]}),
        ("script", {}),
        ("disputes", {}),
    ):
        method = "PUT" if path == "faults" else "POST"
        call = Call(method, f"{bank.base_url}/_control/{path}", {}, orjson.dumps(content))
        assert (await http.send(call)).status == 400, path


async def test_every_fault_can_be_seen_to_fire(bank: Bank) -> None:
    http = HttpClient(deadline_seconds=PATIENCE)
    stripe = StripePayments(http)
    payment = await bank.pay(10_000)
    names = list(await bank.fired())
    await bank.register_webhook("http://127.0.0.1:9/", SECRET, topics=["refund.created"])
    for name in names:
        await bank.script(name)
        call = asyncio.create_task(stripe.refund(bank.account, request_for(payment, 1)))
        async with asyncio.timeout(PATIENCE):
            while not (await bank.fired())[name]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        call.cancel()  # some would hang for a minute
        await asyncio.gather(call, return_exceptions=True)
    await http.aclose()
    assert set((await bank.fired()).values()) == {1}
