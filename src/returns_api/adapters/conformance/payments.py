"""What every payment adapter must do, above all when the provider does not answer properly.

Owns the checks of the refund call and the list of all. Which checks apply follows from what the
adapter declares and from what its provider lacks: ``checks_for``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace

from returns_api.adapters.conformance import ACTED, NEVER_ACTED, Fault, raised, within
from returns_api.adapters.conformance.payment_look_ups import (
    activity_is_whole,
    failed_look_ups_never_say_none,
    later_states_are_looked_up,
    lists_are_declared,
    lists_are_whole,
    look_up_finds_only_ours,
    missing_lists_are_unavailable,
    without_look_up_nothing_is_denied,
)
from returns_api.adapters.conformance.payment_rig import (
    NEEDS,
    Moved,
    Need,
    PaymentCheck,
    PaymentRig,
    Signed,
    needs,
    request_for,
    settled,
    told_of,
    until_moved,
    until_sent,
)
from returns_api.adapters.conformance.payment_webhooks import (
    chargebacks_are_told,
    later_states_are_told,
    nonsense_is_no_event,
    only_genuine_webhooks_pass,
    stale_webhooks_do_not_pass,
    tampered_webhooks_tell_nothing_else,
    webhooks_carry_facts,
    without_webhooks_nothing_passes,
)
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import Capabilities, ProviderRefund, RefundStatus

__all__ = [
    "CHECKS",
    "Moved",
    "Need",
    "PaymentCheck",
    "PaymentRig",
    "Signed",
    "checks_for",
    "request_for",
]


@needs(Need.NETWORK)
async def moves_money_once(rig: PaymentRig) -> None:
    """A plain refund moves its amount once, and the evidence repeats what was asked."""
    payment = await rig.pay(5_000, "EUR")
    request = request_for(payment, 1_299)
    refund = await rig.provider.refund(rig.account, request)
    assert refund.reference == request.reference
    assert refund.provider_payment_id == payment
    assert (refund.amount_minor, refund.currency) == (1_299, "EUR")
    assert refund.status in {RefundStatus.SUCCEEDED, RefundStatus.PENDING}
    assert await rig.moved(request.reference) == Moved(1, 1_299)


async def asynchronous_providers_only_accept(rig: PaymentRig) -> None:
    """Where the outcome comes later, the call itself never says that money arrived."""
    request = request_for(await rig.pay(5_000, "EUR"), 700)
    refund = await rig.provider.refund(rig.account, request)
    asked = (request.reference, request.provider_payment_id, 700, "EUR")
    told = (refund.reference, refund.provider_payment_id, refund.amount_minor, refund.currency)
    assert told == asked
    if not rig.provider.capabilities.synchronous:
        assert refund.status is RefundStatus.PENDING


async def units_survive_the_wire(rig: PaymentRig) -> None:
    """Currencies with 0, 2 and 3 digits come back as the minor units they went out as."""
    for currency, amount in (("JPY", 512), ("EUR", 1), ("KWD", 5_120)):
        request = request_for(await rig.pay(50_000, currency), amount, currency)
        refund = await rig.provider.refund(rig.account, request)
        assert (refund.amount_minor, refund.currency) == (amount, currency)


@needs(Need.NETWORK, Need.KEYS)
async def same_key_moves_once(rig: PaymentRig) -> None:
    """The same key and content again, one after the other and all at once, is one movement."""
    request = request_for(await rig.pay(5_000, "EUR"), 700)
    first = await rig.provider.refund(rig.account, request)
    assert await rig.provider.refund(rig.account, request) == first
    other = request_for(request.provider_payment_id, 800)
    calls = [rig.provider.refund(rig.account, other) for _ in range(10)]
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(outcome, ProviderRefund | ProviderUnavailable), outcome
    assert await rig.moved(request.reference) == Moved(1, 700)
    assert await rig.moved(other.reference) == Moved(1, 800)


@needs(Need.NETWORK, Need.KEYS)
async def same_key_other_amount_moves_nothing_more(rig: PaymentRig) -> None:
    """Our key with other content moves nothing and is not called rejected: the first may live."""
    request = request_for(await rig.pay(5_000, "EUR"), 700)
    await rig.provider.refund(rig.account, request)
    error = await raised(rig.provider.refund(rig.account, replace(request, amount_minor=900)))
    assert isinstance(error, OutcomeUnknown), error
    assert await rig.moved(request.reference) == Moved(1, 700)


@needs(Need.NETWORK)
async def bad_answers_are_unknown(rig: PaymentRig) -> None:
    """No answer, half an answer or a false answer is unknown in time, and can be settled.

    By a look-up, or where there is none by the same request again.
    """
    for fault in ACTED:
        request = request_for(await rig.pay(5_000, "EUR"), 600)
        await rig.misbehave(fault)
        async with within(rig.deadline_seconds):
            error = await raised(rig.provider.refund(rig.account, request))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        assert await rig.moved(request.reference) == Moved(1, 600), fault
        found = await settled(rig, request)
        assert found is not None, fault
        assert found.amount_minor == 600
        assert await rig.moved(request.reference) == Moved(1, 600), fault


@needs(Need.NETWORK)
async def lost_requests_are_unknown_then_absent(rig: PaymentRig) -> None:
    """A request that was lost on the way is unknown at first, and look-up says it never was.

    Where there is no look-up, nothing says so.
    """
    for fault in NEVER_ACTED:
        request = request_for(await rig.pay(5_000, "EUR"), 600)
        await rig.misbehave(fault)
        error = await raised(rig.provider.refund(rig.account, request))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        if rig.provider.capabilities.lookup_by_reference:
            assert await rig.provider.look_up(rig.account, request, None) is None
        assert await rig.moved(request.reference) == Moved(0, 0)


@needs(Need.NETWORK, Need.KEYS)
async def sending_again_after_unknown_moves_once(rig: PaymentRig) -> None:
    """Whatever became of the first try, the same key again ends with exactly one movement."""
    for fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.HANG_AFTER):
        request = request_for(await rig.pay(5_000, "EUR"), 600)
        await rig.misbehave(fault)
        assert await raised(rig.provider.refund(rig.account, request)) is not None
        await until_sent(rig, request)
        assert await rig.moved(request.reference) == Moved(1, 600), fault


@needs(Need.NETWORK, Need.KEYS)
async def busy_providers_are_unavailable(rig: PaymentRig) -> None:
    """429 and "this key is being used" did not act; a wait that was named is passed on."""
    for fault in (Fault.RATE_LIMITED, Fault.KEY_IN_USE):
        request = request_for(await rig.pay(5_000, "EUR"), 600)
        await rig.misbehave(fault)
        error = await raised(rig.provider.refund(rig.account, request))
        assert isinstance(error, ProviderUnavailable), f"{fault}: {error!r}"
        if fault is Fault.RATE_LIMITED:
            assert error.retry_after is not None
            assert error.retry_after > 0
        assert await rig.moved(request.reference) == Moved(0, 0)


@needs(Need.NETWORK)
async def unreachable_providers_are_unavailable(rig: PaymentRig) -> None:
    """When nothing was sent, nothing is unknown: refused connections and refused credentials."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    for account in (rig.unreachable, rig.stranger):
        error = await raised(rig.provider.refund(account, request))
        assert isinstance(error, ProviderUnavailable), error
    assert await rig.moved(request.reference) == Moved(0, 0)


@needs(Need.NETWORK)
async def refusals_are_rejections(rig: PaymentRig) -> None:
    """More than was paid, and a payment that is not there, are rejected with a code.

    A provider that only says "received" may refuse the first by webhook instead.
    """
    await rig.be_strict()
    payment = await rig.pay(1_000, "EUR")
    too_much, nowhere = request_for(payment, 1_001), request_for(f"{payment}none", 10)
    for request in (too_much, nowhere):
        error = await raised(rig.provider.refund(rig.account, request))
        accepts_first = error is None and not rig.provider.capabilities.synchronous
        if request is too_much and accepts_first:
            assert [each.status for each in await told_of(rig, request)] == [RefundStatus.FAILED]
        else:
            assert isinstance(error, ProviderRejected), error
            assert error.code
        assert await rig.moved(request.reference) == Moved(0, 0)


@needs(Need.NETWORK)
async def cancelled_calls_leave_the_client_usable(rig: PaymentRig) -> None:
    """Cancelling a call in flight stops it at once and spoils nothing for the next."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    await rig.misbehave(Fault.HANG_AFTER)
    task = asyncio.create_task(rig.provider.refund(rig.account, request))
    await until_moved(rig, request)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=10)
    assert done
    assert task.cancelled()
    assert await settled(rig, request) is not None
    assert (await rig.moved(request.reference)).made == 1


CHECKS: tuple[PaymentCheck, ...] = (
    moves_money_once,
    asynchronous_providers_only_accept,
    units_survive_the_wire,
    same_key_moves_once,
    same_key_other_amount_moves_nothing_more,
    bad_answers_are_unknown,
    lost_requests_are_unknown_then_absent,
    sending_again_after_unknown_moves_once,
    busy_providers_are_unavailable,
    unreachable_providers_are_unavailable,
    refusals_are_rejections,
    look_up_finds_only_ours,
    failed_look_ups_never_say_none,
    without_look_up_nothing_is_denied,
    lists_are_whole,
    missing_lists_are_unavailable,
    lists_are_declared,
    activity_is_whole,
    later_states_are_looked_up,
    later_states_are_told,
    cancelled_calls_leave_the_client_usable,
    webhooks_carry_facts,
    chargebacks_are_told,
    only_genuine_webhooks_pass,
    tampered_webhooks_tell_nothing_else,
    stale_webhooks_do_not_pass,
    without_webhooks_nothing_passes,
    nonsense_is_no_event,
)


def checks_for(
    capabilities: Capabilities, *, lacks: Collection[Need] = ()
) -> tuple[PaymentCheck, ...]:
    """The checks that apply to an adapter.

    ``lacks`` is what its provider does not offer, for the documentation to say as well.
    """
    missing = set(lacks)
    if capabilities.idempotency_window is None:
        missing.add(Need.KEYS)
    if not capabilities.lookup_by_reference:
        missing.add(Need.LOOK_UP)
    return tuple(check for check in CHECKS if not missing & NEEDS.get(check, frozenset()))
