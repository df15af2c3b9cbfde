"""Half of all calls go wrong; whoever asks before sending again still moves the money once."""

from __future__ import annotations

import asyncio

from returns_api.adapters.http import HttpClient
from returns_api.adapters.payments.stripe import StripePayments
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from returns_api.ports.payments import ProviderRefund, RefundRequest
from tests.support.bank import Bank

MAX_TRIES = 60
REFUNDS = 60


async def settle(stripe: StripePayments, bank: Bank, request: RefundRequest) -> ProviderRefund:
    """Send; when the outcome is unknown ask until somebody tells; send again if it never was."""
    ask = False
    for _ in range(MAX_TRIES):
        try:
            if not ask:
                return await stripe.refund(bank.account, request)
            found = await stripe.look_up(bank.account, request, None)
            if found is not None:
                return found
            ask = False
        except OutcomeUnknown:
            ask = True
        except ProviderUnavailable:
            await asyncio.sleep(0.02)
    raise AssertionError("never settled")


async def test_money_moves_once_in_chaos(bank: Bank) -> None:
    payment = (await bank.pay_many(1, 100_000, id="pi_chaos"))[0]
    chaos = {"seed": 5, "chaos": 0.5, "hang_seconds": [0, 0.6], "retry_after_seconds": 1}
    await bank.control("PUT", "faults", chaos)
    http = HttpClient(deadline_seconds=1.0)
    stripe = StripePayments(http)
    names = [f"trf_{number}" for number in range(REFUNDS)]  # fixed, as chance follows the names
    requests = [RefundRequest(name, name, payment, 10, "EUR") for name in names]
    settled = await asyncio.gather(*(settle(stripe, bank, each) for each in requests))
    await http.aclose()
    assert [each.reference for each in settled] == [each.reference for each in requests]
    references = (await bank.ledger(payment))["references"]
    assert {references[each.reference]["net"] for each in requests} == {1}
    fired = await bank.fired()
    happened = ("reset_before", "reset_after", "error_before", "error_after", "hang_before", "drip")
    assert min(fired[name] for name in happened) > 0, fired
