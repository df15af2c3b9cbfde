"""What look-ups and lists of a payment provider must say, and above all must not say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from returns_api.adapters.conformance import ACTED, NEVER_ACTED, Fault, raised, within
from returns_api.adapters.conformance.payment_rig import Moved, Need, PaymentRig, needs, request_for
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from returns_api.ports.payments import (
    ActivityList,
    Listing,
    ProviderDispute,
    ProviderRefund,
    RefundStatus,
)

MAX_PAGES: Final = 100


@needs(Need.NETWORK, Need.LOOK_UP)
async def look_up_finds_only_ours(rig: PaymentRig) -> None:
    """By reference and by id the right one of many; None for one that never was."""
    payment = await rig.pay(90_000, "EUR")
    await rig.refund_elsewhere(payment, 600)
    requests = [request_for(payment, 600) for _ in range(3)]
    made = [await rig.provider.refund(rig.account, each) for each in requests]
    for request, refund in zip(requests, made, strict=True):
        assert await rig.provider.look_up(rig.account, request, None) == refund
        ident = refund.provider_refund_id
        assert await rig.provider.look_up(rig.account, request, ident) == refund
    assert await rig.provider.look_up(rig.account, request_for(payment, 600), None) is None


@needs(Need.NETWORK, Need.LOOK_UP)
async def failed_look_ups_never_say_none(rig: PaymentRig) -> None:
    """A look-up that fails in any way raises: "no such refund" must be the provider's own word."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    refund = await rig.provider.refund(rig.account, request)
    for fault in (*ACTED, *NEVER_ACTED, Fault.RATE_LIMITED, Fault.HANG_BEFORE):
        for ident in (None, refund.provider_refund_id):
            await rig.misbehave(fault, reading=True)
            async with within(rig.deadline_seconds):
                error = await raised(rig.provider.look_up(rig.account, request, ident))
            assert isinstance(error, OutcomeUnknown | ProviderUnavailable), f"{fault}: {error!r}"
    for account in (rig.unreachable, rig.stranger):
        error = await raised(rig.provider.look_up(account, request, None))
        assert isinstance(error, OutcomeUnknown | ProviderUnavailable), error


async def without_look_up_nothing_is_denied(rig: PaymentRig) -> None:
    """An adapter that cannot look up by reference never answers that there is no such refund."""
    if rig.provider.capabilities.lookup_by_reference:
        return
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    never = await raised(rig.provider.look_up(rig.account, request, None))
    assert isinstance(never, OutcomeUnknown), never
    await rig.provider.refund(rig.account, request)
    error = await raised(rig.provider.look_up(rig.account, request, None))
    assert isinstance(error, OutcomeUnknown), error
    assert await rig.moved(request.reference) == Moved(1, 600)


@needs(Need.NETWORK, Need.LIST)
async def lists_are_whole(rig: PaymentRig) -> None:
    """Every refund of a payment is listed, ours and others', past the first page."""
    payment = await rig.pay(90_000, "EUR")
    await rig.refund_elsewhere(payment, 123)
    requests = [request_for(payment, 1) for _ in range(rig.page_size + 3)]
    for request in requests:
        await rig.provider.refund(rig.account, request)
    listed = await rig.provider.list_refunds(rig.account, payment)
    assert {each.reference for each in listed} == {None, *(each.reference for each in requests)}
    assert sum(each.amount_minor for each in listed) == 123 + len(requests)
    assert await rig.provider.look_up(rig.account, requests[0], None) is not None


async def missing_lists_are_unavailable(rig: PaymentRig) -> None:
    """An adapter without a list says so: an empty one would be taken for "nothing was refunded"."""
    payment = await rig.pay(5_000, "EUR")
    await rig.provider.refund(rig.account, request_for(payment, 600))
    try:
        listed = await rig.provider.list_refunds(rig.account, payment)
    except ProviderUnavailable:
        return
    assert sum(each.amount_minor for each in listed) == 600


@needs(Need.NETWORK)
async def activity_is_whole(rig: PaymentRig) -> None:
    """Who declares a list of the whole account shows every refund and chargeback since then, ours
    by our reference, page by page to an end, in the state that it is in by now."""
    provider = rig.provider
    if provider.capabilities.listing is not Listing.ACCOUNT:
        return
    assert isinstance(provider, ActivityList)
    payments = [await rig.pay(90_000, "EUR") for _ in range(2)]
    requests = [request_for(payment, 7) for payment in payments for _ in range(rig.page_size)]
    made = [await provider.refund(rig.account, request) for request in requests]
    await rig.refund_elsewhere(payments[0], 123)
    dispute = await rig.dispute(payments[1], 400)
    await rig.become(made[0].provider_refund_id, RefundStatus.FAILED)
    facts: list[ProviderRefund | ProviderDispute] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = await provider.list_activity(rig.account, datetime(2000, 1, 1, tzinfo=UTC), cursor)
        facts += page.facts
        cursor = page.cursor
        if cursor is None:
            break
    assert cursor is None, "the list does not end"
    refunds = [each for each in facts if isinstance(each, ProviderRefund)]
    ours = {each.reference: each for each in refunds if each.reference is not None}
    assert {request.reference for request in requests} <= ours.keys()
    assert ours[requests[0].reference].status is RefundStatus.FAILED
    assert 123 in {each.amount_minor for each in refunds if each.reference is None}
    disputes = [each for each in facts if isinstance(each, ProviderDispute)]
    assert dispute in {each.provider_dispute_id for each in disputes}
    future = datetime.now(UTC) + timedelta(days=1)
    assert (await provider.list_activity(rig.account, future, None)).facts == ()


@needs(Need.NETWORK, Need.LIST)
async def lists_are_declared(rig: PaymentRig) -> None:
    """Who can list the refunds of a payment says so, or reconciliation never asks."""
    assert rig.provider.capabilities.listing is not Listing.NOTHING


@needs(Need.NETWORK, Need.LOOK_UP)
async def later_states_are_looked_up(rig: PaymentRig) -> None:
    """A success that turns into a failure days later shows in look-up."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    refund = await rig.provider.refund(rig.account, request)
    await rig.become(refund.provider_refund_id, RefundStatus.FAILED)
    found = await rig.provider.look_up(rig.account, request, refund.provider_refund_id)
    assert found is not None
    assert found.status is RefundStatus.FAILED
    by_reference = await rig.provider.look_up(rig.account, request, None)
    assert by_reference is not None
    assert by_reference.status is RefundStatus.FAILED
    assert (await rig.moved(request.reference)).net_minor == 0
