"""What look-ups and lists of a payment provider must say, and above all must not say."""

from __future__ import annotations

from returns_api.adapters.conformance import ACTED, NEVER_ACTED, Fault, raised, within
from returns_api.adapters.conformance.payment_rig import Moved, Need, PaymentRig, needs, request_for
from returns_api.ports.errors import OutcomeUnknown, ProviderUnavailable
from returns_api.ports.payments import RefundStatus


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
