"""Adapter and bank against Stripe's own API description, with Prism between them as a judge.

Prism passes requests on to the bank and refuses, on either way, what the description does not
allow. So the adapter is shown to send, and the bank to answer, what Stripe documents.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from returns_api.adapters.conformance.payments import request_for
from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments.stripe import StripePayments
from returns_api.adapters.payments.stripe_wire import build_list, build_refund
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected
from returns_api.ports.payments import PaymentAccount
from tests.support import node
from tests.support.bank import Bank
from tests.support.ports import free_port

pytestmark = pytest.mark.xdist_group("node")


@pytest.fixture(scope="module")
def judge(bank_process: Bank) -> Iterator[PaymentAccount]:
    """The bank's account, reached through Prism."""
    description = node.spec("stripe_slice.json")
    node.install()
    port = free_port()
    program = node.FOLDER / "node_modules" / ".bin" / "prism"
    options = ("proxy", "--errors", "-v", "fatal", "-h", "127.0.0.1", "-p", str(port))
    command = (str(program), *options, str(description), bank_process.base_url)
    with node.running(*command, port=port) as url:
        yield replace(bank_process.account, base_url=url)


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    http = HttpClient()
    yield http
    await http.aclose()


async def test_both_ends_keep_to_the_description(
    judge: PaymentAccount, bank: Bank, client: HttpClient
) -> None:
    stripe = StripePayments(client)
    intent = await bank.pay(50_000)
    request = replace(request_for(intent, 1_200), reason="requested_by_customer")
    refund = await stripe.refund(judge, request)
    assert await stripe.look_up(judge, request, refund.provider_refund_id) == refund
    assert await stripe.look_up(judge, request, None) == refund
    by_charge = request_for(f"ch_{intent.removeprefix('pi_')}", 300)
    await stripe.refund(judge, by_charge)
    listed = await stripe.list_refunds(judge, by_charge.provider_payment_id)
    assert [each.amount_minor for each in listed] == [300, 1_200]
    for life in ("pending", "fails_late"):
        await bank.script(life)
        await stripe.refund(judge, request_for(intent, 10))
    with pytest.raises(ProviderRejected):
        await stripe.refund(judge, request_for("pi_nobody", 10))


async def test_the_judge_is_awake(judge: PaymentAccount, bank: Bank, client: HttpClient) -> None:
    call = build_refund(judge, request_for(await bank.pay(50_000), 10))
    for wrong in (b"&amount=ten", b"&reason=whim"):
        assert (await client.send(replace(call, body=call.body + wrong))).status == 422
    await bank.script("garbage")
    with pytest.raises(OutcomeUnknown, match="500"):
        await client.send(call)


def test_only_documented_names_are_sent() -> None:
    """Prism drops unknown names of a form instead of refusing them, so they are compared here."""
    description = orjson.loads(node.spec("stripe_slice.json").read_bytes())
    operations = description["paths"]["/v1/refunds"]
    body = operations["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    account = PaymentAccount("https://api.stripe.com", "sk", "x")
    request = replace(request_for("pi_1", 10), reason="duplicate")
    sent = parse_qs(build_refund(account, request).body.decode())
    assert {name.partition("[")[0] for name in sent} <= set(body["schema"]["properties"])
    asked = parse_qs(urlsplit(build_list(account, "ch_1", "re_1").url).query)
    assert set(asked) <= {each["name"] for each in operations["get"]["parameters"]}
