"""What webhooks of a payment provider must tell, and which of them must not pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from returns_api.adapters.conformance import raised
from returns_api.adapters.conformance.payment_rig import (
    NOW,
    Need,
    PaymentRig,
    facts_told,
    needs,
    parse,
    request_for,
    told_of,
)
from returns_api.ports.payments import ProviderDispute, ProviderRefund, RefundStatus


@needs(Need.NETWORK, Need.LATER_WEBHOOKS)
async def later_states_are_told(rig: PaymentRig) -> None:
    """A success that turns into a failure days later comes as a webhook."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    refund = await rig.provider.refund(rig.account, request)
    await rig.become(refund.provider_refund_id, RefundStatus.FAILED)
    told = await told_of(rig, request)
    assert RefundStatus.FAILED in {each.status for each in told}
    assert {each.provider_refund_id for each in told} == {refund.provider_refund_id}


@needs(Need.NETWORK, Need.WEBHOOKS)
async def webhooks_carry_facts(rig: PaymentRig) -> None:
    """Refunds, ours and others', arrive as the same facts that a read gives."""
    payment = await rig.pay(5_000, "EUR")
    request = request_for(payment, 600)
    refund = await rig.provider.refund(rig.account, request)
    await rig.refund_elsewhere(payment, 250)
    expected = refund
    if not rig.provider.capabilities.synchronous:
        expected = replace(refund, status=RefundStatus.SUCCEEDED)
    assert await told_of(rig, request) == [expected]
    facts = await facts_told(rig)
    elsewhere = [each for each in facts if isinstance(each, ProviderRefund) and not each.reference]
    assert 250 in {each.amount_minor for each in elsewhere}


@needs(Need.NETWORK, Need.WEBHOOKS, Need.DISPUTES)
async def chargebacks_are_told(rig: PaymentRig) -> None:
    """A chargeback is a fact while the money is gone, and another when it was given back."""
    payment = await rig.pay(5_000, "EUR")
    dispute = await rig.dispute(payment, 4_000)
    expected = ProviderDispute(dispute, payment, 4_000, "EUR", open=True)
    assert expected in await _undated(rig)
    await rig.give_back(dispute)
    assert replace(expected, open=False) in await _undated(rig)


async def _undated(rig: PaymentRig) -> list[ProviderRefund | ProviderDispute]:
    """The facts told, without their times: not every provider dates a chargeback."""
    return [replace(each, created_at=None) for each in await facts_told(rig)]


@needs(Need.WEBHOOKS)
async def only_genuine_webhooks_pass(rig: PaymentRig) -> None:
    """Right secret among several passes; another, an empty or none does not, nor other headers."""
    now, (right, wrong) = NOW, rig.secrets
    good = rig.sign(right, now)
    verify = rig.provider.verify
    assert verify(good.headers, good.body, [wrong, right], now)
    assert not verify(good.headers, good.body, [wrong, ""], now)
    assert not verify(good.headers, good.body, [], now)
    empty = rig.sign("", now)
    assert not verify(empty.headers, empty.body, [""], now), "an empty secret signs nothing"
    for name, value in good.headers.items():
        for forged in (
            "",
            value[: len(value) // 2],
            value + "é",
            value + "0" * 100_000,
            "\x00",
            "t=,v1=",
        ):
            assert not verify({**good.headers, name: forged}, good.body, [right], now), forged[:20]
        without = {key: held for key, held in good.headers.items() if key != name}
        assert not verify(without, good.body, [right], now), name


@needs(Need.WEBHOOKS)
async def tampered_webhooks_tell_nothing_else(rig: PaymentRig) -> None:
    """A changed byte is refused, or changes nothing of what the webhook tells.

    Where the signature covers the body, every changed byte is refused.
    """
    signed = rig.sign(rig.secrets[0], NOW)
    covers_all = Need.SIGNED_BODY not in rig.lacks
    told = None if covers_all else rig.provider.parse_event(signed.body)
    for position in range(len(signed.body)):
        body = bytearray(signed.body)
        body[position] ^= 1
        if rig.provider.verify(signed.headers, bytes(body), [rig.secrets[0]], NOW):
            assert not covers_all, position
            assert rig.provider.parse_event(bytes(body)) == told, position


@needs(Need.WEBHOOKS)
async def stale_webhooks_do_not_pass(rig: PaymentRig) -> None:
    """Where the signature names a time, more than five minutes off on either side is refused."""
    secret = rig.secrets[0]
    good = rig.sign(secret, NOW)
    if rig.provider.verify(good.headers, good.body, [secret], NOW + timedelta(days=900)):
        return  # it names none
    for seconds, passes in ((299, True), (-299, True), (302, False), (-302, False)):
        at = NOW + timedelta(seconds=seconds)
        assert rig.provider.verify(good.headers, good.body, [secret], at) is passes, seconds


async def without_webhooks_nothing_passes(rig: PaymentRig) -> None:
    """Unsigned messages never pass, whoever sends them."""
    for body in (b"", b"{}", b'{"id":"evt_1"}'):
        assert not rig.provider.verify({}, body, list(rig.secrets), NOW)
        assert not rig.provider.verify({}, body, [], NOW)


async def nonsense_is_no_event(rig: PaymentRig) -> None:
    """Bodies that are no event raise ``ValueError`` and nothing else."""
    deep = b"[" * 100_000
    bodies = (b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"id":1}', b'{"id":NaN}', deep)
    for body in bodies:
        error = await raised(parse(rig, body))
        assert isinstance(error, ValueError), f"{body[:20]!r}: {error!r}"
