"""What every payment adapter must do, above all when the provider does not answer properly."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from returns_api.adapters.conformance import ACTED, NEVER_ACTED, Check, Fault, raised, within
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    PaymentAccount,
    PaymentProvider,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

MAX_LOOKS = 500


@dataclass(frozen=True, slots=True)
class Moved:
    """The provider's own books on one reference: movements made, and minor units still out."""

    made: int
    net_minor: int


class PaymentRig(Protocol):
    """An adapter and the provider behind it. Amounts in minor units."""

    @property
    def provider(self) -> PaymentProvider: ...

    account: PaymentAccount
    stranger: PaymentAccount
    """Same place, credentials that are not valid."""
    unreachable: PaymentAccount
    """A place where nothing listens."""
    deadline_seconds: float
    page_size: int

    async def pay(self, amount: int, currency: str) -> str:
        """Capture a payment; returns the provider's id of it."""
        ...

    async def misbehave(self, fault: Fault, *, reading: bool = False) -> None:
        """Do this with the next refund, or with the next read."""
        ...

    async def be_strict(self) -> None:
        """From now on refuse to refund more than was paid."""
        ...

    async def moved(self, reference: str) -> Moved:
        """Read the provider's books."""
        ...

    async def refund_elsewhere(self, payment: str, amount: int) -> None:
        """Refund in the provider's own pages, without our reference."""
        ...

    async def become(self, provider_refund_id: str, status: RefundStatus) -> None:
        """Let a refund change, as it would days later."""
        ...

    async def dispute(self, payment: str, amount: int) -> str:
        """Open a chargeback; returns its id."""
        ...

    async def give_back(self, dispute: str) -> None:
        """Decide a chargeback for the merchant."""
        ...

    async def webhooks(self) -> Sequence[bytes]:
        """Bodies of the webhooks that were sent since the rig was made, all of them genuine."""
        ...

    def sign(self, secret: str, body: bytes, at: datetime) -> Mapping[str, str]:
        """The provider's signature headers, names in lower case."""
        ...


def request_for(payment: str, amount: int, currency: str = "EUR") -> RefundRequest:
    """A refund that nobody asked for before."""
    reference = f"trf_{secrets.token_hex(10)}"
    return RefundRequest(reference, reference, payment, amount, currency)


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


async def units_survive_the_wire(rig: PaymentRig) -> None:
    """Currencies with 0, 2 and 3 digits come back as the minor units they went out as."""
    for currency, amount in (("JPY", 512), ("EUR", 1), ("KWD", 5_120)):
        request = request_for(await rig.pay(50_000, currency), amount, currency)
        refund = await rig.provider.refund(rig.account, request)
        assert (refund.amount_minor, refund.currency) == (amount, currency)


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


async def same_key_other_amount_moves_nothing_more(rig: PaymentRig) -> None:
    """Our key with other content moves nothing and is not called rejected: the first may live."""
    request = request_for(await rig.pay(5_000, "EUR"), 700)
    await rig.provider.refund(rig.account, request)
    error = await raised(rig.provider.refund(rig.account, replace(request, amount_minor=900)))
    assert isinstance(error, OutcomeUnknown), error
    assert await rig.moved(request.reference) == Moved(1, 700)


async def bad_answers_are_unknown(rig: PaymentRig) -> None:
    """No answer, half an answer or a false answer is unknown in time, and look-up tells."""
    for fault in ACTED:
        request = request_for(await rig.pay(5_000, "EUR"), 600)
        await rig.misbehave(fault)
        async with within(rig.deadline_seconds):
            error = await raised(rig.provider.refund(rig.account, request))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        assert await rig.moved(request.reference) == Moved(1, 600), fault
        found = await rig.provider.look_up(rig.account, request, None)
        assert found is not None, fault
        assert found.amount_minor == 600


async def lost_requests_are_unknown_then_absent(rig: PaymentRig) -> None:
    """A request that was lost on the way is unknown at first, and look-up says it never was."""
    for fault in NEVER_ACTED:
        request = request_for(await rig.pay(5_000, "EUR"), 600)
        await rig.misbehave(fault)
        error = await raised(rig.provider.refund(rig.account, request))
        assert isinstance(error, OutcomeUnknown), f"{fault}: {error!r}"
        assert await rig.provider.look_up(rig.account, request, None) is None
        assert await rig.moved(request.reference) == Moved(0, 0)


async def sending_again_after_unknown_moves_once(rig: PaymentRig) -> None:
    """Whatever became of the first try, the same key again ends with exactly one movement."""
    for fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.HANG_AFTER):
        request = request_for(await rig.pay(5_000, "EUR"), 600)
        await rig.misbehave(fault)
        assert await raised(rig.provider.refund(rig.account, request)) is not None
        await _until_sent(rig, request)
        assert await rig.moved(request.reference) == Moved(1, 600), fault


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


async def unreachable_providers_are_unavailable(rig: PaymentRig) -> None:
    """When nothing was sent, nothing is unknown: refused connections and refused credentials."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    for account in (rig.unreachable, rig.stranger):
        error = await raised(rig.provider.refund(account, request))
        assert isinstance(error, ProviderUnavailable), error
    assert await rig.moved(request.reference) == Moved(0, 0)


async def refusals_are_rejections(rig: PaymentRig) -> None:
    """More than was paid, and a payment that is not there, are rejected with a code."""
    await rig.be_strict()
    payment = await rig.pay(1_000, "EUR")
    for request in (request_for(payment, 1_001), request_for(f"{payment}none", 10)):
        error = await raised(rig.provider.refund(rig.account, request))
        assert isinstance(error, ProviderRejected), error
        assert error.code
        assert await rig.moved(request.reference) == Moved(0, 0)


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


async def later_states_are_seen(rig: PaymentRig) -> None:
    """A success that turns into a failure days later shows in look-up and in a webhook."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    refund = await rig.provider.refund(rig.account, request)
    await rig.become(refund.provider_refund_id, RefundStatus.FAILED)
    found = await rig.provider.look_up(rig.account, request, refund.provider_refund_id)
    assert found is not None
    assert found.status is RefundStatus.FAILED
    assert RefundStatus.FAILED in {each.status for each in await _told(rig, request)}
    assert (await rig.moved(request.reference)).net_minor == 0


async def cancelled_calls_leave_the_client_usable(rig: PaymentRig) -> None:
    """Cancelling a call in flight stops it at once and spoils nothing for the next."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    await rig.misbehave(Fault.HANG_AFTER)
    task = asyncio.create_task(rig.provider.refund(rig.account, request))
    await _until_moved(rig, request)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=1)
    assert done
    assert task.cancelled()
    assert await rig.provider.look_up(rig.account, request, None) is not None


async def webhooks_carry_facts(rig: PaymentRig) -> None:
    """Refunds, ours and others', and chargebacks arrive as the same facts that a read gives."""
    payment = await rig.pay(5_000, "EUR")
    request = request_for(payment, 600)
    refund = await rig.provider.refund(rig.account, request)
    await rig.refund_elsewhere(payment, 250)
    dispute = await rig.dispute(payment, 4_000)
    assert await _told(rig, request) == [refund]
    facts = await _facts(rig)
    elsewhere = [each for each in facts if isinstance(each, ProviderRefund) and not each.reference]
    assert 250 in {each.amount_minor for each in elsewhere}
    expected = ProviderDispute(dispute, payment, 4_000, "EUR", open=True)
    assert expected in facts
    await rig.give_back(dispute)
    assert replace(expected, open=False) in await _facts(rig)


async def only_genuine_webhooks_pass(rig: PaymentRig) -> None:
    """Right secret among several passes; any other byte, secret, time or header does not."""
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    body = b'{"id":"evt_1","n":1}'
    good = rig.sign("right", body, now)
    verify = rig.provider.verify
    assert verify(good, body, ["old", "right"], now)
    assert verify(rig.sign("right", b"", now), b"", ["right"], now)
    for position in range(len(body)):
        flipped = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        assert not verify(good, flipped, ["right"], now)
    assert not verify(good, body, ["wrong", ""], now)
    assert not verify(good, body, [], now)
    assert not verify(rig.sign("", body, now), body, [""], now), "an empty secret signs nothing"
    assert not verify({}, body, ["right"], now)
    for name, value in good.items():
        for forged in ("", value[:20], value + "é", value + "0" * 100_000, "\x00", "t=,v1="):
            assert not verify({**good, name: forged}, body, ["right"], now), forged[:20]


async def stale_webhooks_do_not_pass(rig: PaymentRig) -> None:
    """Where the signature names a time, more than five minutes off on either side is refused."""
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    body = b"{}"
    signed = rig.sign("right", body, now)
    if signed == rig.sign("right", body, now + timedelta(seconds=10)):
        return
    for seconds, passes in ((299, True), (-299, True), (302, False), (-302, False)):
        at = now + timedelta(seconds=seconds)
        assert rig.provider.verify(signed, body, ["right"], at) is passes, seconds


async def nonsense_is_no_event(rig: PaymentRig) -> None:
    """Bodies that are no event raise ``ValueError`` and nothing else."""
    deep = b"[" * 100_000
    bodies = (b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"id":1}', b'{"id":NaN}', deep)
    for body in bodies:
        error = await raised(_parse(rig, body))
        assert isinstance(error, ValueError), f"{body[:20]!r}: {error!r}"


CHECKS: tuple[Check[PaymentRig], ...] = (
    moves_money_once,
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
    lists_are_whole,
    later_states_are_seen,
    cancelled_calls_leave_the_client_usable,
    webhooks_carry_facts,
    only_genuine_webhooks_pass,
    stale_webhooks_do_not_pass,
    nonsense_is_no_event,
)


async def _until_sent(rig: PaymentRig, request: RefundRequest) -> ProviderRefund:
    """Resend while the first try still holds the key there, at most a deadline long."""
    async with asyncio.timeout(10 * rig.deadline_seconds):
        while True:
            try:
                return await rig.provider.refund(rig.account, request)
            except ProviderUnavailable:
                await asyncio.sleep(0.05)


async def _until_moved(rig: PaymentRig, request: RefundRequest) -> None:
    for _ in range(MAX_LOOKS):
        if (await rig.moved(request.reference)).made:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the provider never acted")


async def _facts(rig: PaymentRig) -> list[ProviderRefund | ProviderDispute]:
    parsed = [rig.provider.parse_event(body) for body in await rig.webhooks()]
    return [fact for event in parsed for fact in event.facts]


async def _told(rig: PaymentRig, request: RefundRequest) -> list[ProviderRefund]:
    """What webhooks said of one refund of ours."""
    return [
        each
        for each in await _facts(rig)
        if isinstance(each, ProviderRefund) and each.reference == request.reference
    ]


async def _parse(rig: PaymentRig, body: bytes) -> object:
    return rig.provider.parse_event(body)
