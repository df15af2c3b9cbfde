"""What every payment adapter must do, above all when the provider does not answer properly.

One module, hence its length: each check is short and its docstring is the promise. Which checks
apply follows from what the adapter declares and from what its provider lacks (``checks_for``).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from returns_api.adapters.conformance import ACTED, NEVER_ACTED, Check, Fault, raised, within
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.payments import (
    Capabilities,
    PaymentAccount,
    PaymentProvider,
    ProviderDispute,
    ProviderRefund,
    RefundRequest,
    RefundStatus,
)

MAX_LOOKS = 500
_NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Need(StrEnum):
    """What a check takes for granted. The first two follow from the adapter's capabilities."""

    KEYS = "keys"
    LOOK_UP = "look_up"
    NETWORK = "network"
    """There is a provider at all. Without: refunds that people pay."""
    LIST = "list"
    WEBHOOKS = "webhooks"
    LATER_WEBHOOKS = "later_webhooks"
    """It announces that a refund failed days later."""
    DISPUTES = "disputes"
    """It announces chargebacks, naming the payment."""
    SIGNED_BODY = "signed_body"
    """The signature covers the body and the adapter's secret; else chosen fields only."""


PaymentCheck = Check["PaymentRig"]
_NEEDS: dict[PaymentCheck, frozenset[Need]] = {}


def _needs(*needs: Need) -> Callable[[PaymentCheck], PaymentCheck]:
    def mark(check: PaymentCheck) -> PaymentCheck:
        _NEEDS[check] = frozenset(needs)
        return check

    return mark


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
    return tuple(check for check in CHECKS if not missing & _NEEDS.get(check, frozenset()))


@dataclass(frozen=True, slots=True)
class Signed:
    """A webhook as it arrives: headers with lower-case names, and the body."""

    headers: Mapping[str, str]
    body: bytes


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
    secrets: tuple[str, str]
    """A webhook secret, and another one of the same form."""
    lacks: frozenset[Need]
    """What the provider does not offer; the same as was given to ``checks_for``."""

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

    def sign(self, secret: str, at: datetime) -> Signed:
        """A genuine webhook of the provider at ``at``, whatever it tells.

        Only the headers that its signature takes part in.
        """
        ...


def request_for(payment: str, amount: int, currency: str = "EUR") -> RefundRequest:
    """A refund that nobody asked for before."""
    reference = f"trf_{secrets.token_hex(10)}"
    return RefundRequest(reference, reference, payment, amount, currency)


@_needs(Need.NETWORK)
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


@_needs(Need.NETWORK, Need.KEYS)
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


@_needs(Need.NETWORK, Need.KEYS)
async def same_key_other_amount_moves_nothing_more(rig: PaymentRig) -> None:
    """Our key with other content moves nothing and is not called rejected: the first may live."""
    request = request_for(await rig.pay(5_000, "EUR"), 700)
    await rig.provider.refund(rig.account, request)
    error = await raised(rig.provider.refund(rig.account, replace(request, amount_minor=900)))
    assert isinstance(error, OutcomeUnknown), error
    assert await rig.moved(request.reference) == Moved(1, 700)


@_needs(Need.NETWORK)
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
        found = await _settled(rig, request)
        assert found is not None, fault
        assert found.amount_minor == 600
        assert await rig.moved(request.reference) == Moved(1, 600), fault


@_needs(Need.NETWORK)
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


@_needs(Need.NETWORK, Need.KEYS)
async def sending_again_after_unknown_moves_once(rig: PaymentRig) -> None:
    """Whatever became of the first try, the same key again ends with exactly one movement."""
    for fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.HANG_AFTER):
        request = request_for(await rig.pay(5_000, "EUR"), 600)
        await rig.misbehave(fault)
        assert await raised(rig.provider.refund(rig.account, request)) is not None
        await _until_sent(rig, request)
        assert await rig.moved(request.reference) == Moved(1, 600), fault


@_needs(Need.NETWORK, Need.KEYS)
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


@_needs(Need.NETWORK)
async def unreachable_providers_are_unavailable(rig: PaymentRig) -> None:
    """When nothing was sent, nothing is unknown: refused connections and refused credentials."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    for account in (rig.unreachable, rig.stranger):
        error = await raised(rig.provider.refund(account, request))
        assert isinstance(error, ProviderUnavailable), error
    assert await rig.moved(request.reference) == Moved(0, 0)


@_needs(Need.NETWORK)
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
            assert [each.status for each in await _told(rig, request)] == [RefundStatus.FAILED]
        else:
            assert isinstance(error, ProviderRejected), error
            assert error.code
        assert await rig.moved(request.reference) == Moved(0, 0)


@_needs(Need.NETWORK, Need.LOOK_UP)
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


@_needs(Need.NETWORK, Need.LOOK_UP)
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


@_needs(Need.NETWORK, Need.LIST)
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


@_needs(Need.NETWORK, Need.LOOK_UP)
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


@_needs(Need.NETWORK, Need.LATER_WEBHOOKS)
async def later_states_are_told(rig: PaymentRig) -> None:
    """A success that turns into a failure days later comes as a webhook."""
    request = request_for(await rig.pay(5_000, "EUR"), 600)
    refund = await rig.provider.refund(rig.account, request)
    await rig.become(refund.provider_refund_id, RefundStatus.FAILED)
    told = await _told(rig, request)
    assert RefundStatus.FAILED in {each.status for each in told}
    assert {each.provider_refund_id for each in told} == {refund.provider_refund_id}


@_needs(Need.NETWORK)
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
    assert await _settled(rig, request) is not None
    assert (await rig.moved(request.reference)).made == 1


@_needs(Need.NETWORK, Need.WEBHOOKS)
async def webhooks_carry_facts(rig: PaymentRig) -> None:
    """Refunds, ours and others', arrive as the same facts that a read gives."""
    payment = await rig.pay(5_000, "EUR")
    request = request_for(payment, 600)
    refund = await rig.provider.refund(rig.account, request)
    await rig.refund_elsewhere(payment, 250)
    expected = refund
    if not rig.provider.capabilities.synchronous:
        expected = replace(refund, status=RefundStatus.SUCCEEDED)
    assert await _told(rig, request) == [expected]
    facts = await _facts(rig)
    elsewhere = [each for each in facts if isinstance(each, ProviderRefund) and not each.reference]
    assert 250 in {each.amount_minor for each in elsewhere}


@_needs(Need.NETWORK, Need.WEBHOOKS, Need.DISPUTES)
async def chargebacks_are_told(rig: PaymentRig) -> None:
    """A chargeback is a fact while the money is gone, and another when it was given back."""
    payment = await rig.pay(5_000, "EUR")
    dispute = await rig.dispute(payment, 4_000)
    expected = ProviderDispute(dispute, payment, 4_000, "EUR", open=True)
    assert expected in await _facts(rig)
    await rig.give_back(dispute)
    assert replace(expected, open=False) in await _facts(rig)


@_needs(Need.WEBHOOKS)
async def only_genuine_webhooks_pass(rig: PaymentRig) -> None:
    """Right secret among several passes; another, an empty or none does not, nor other headers."""
    now, (right, wrong) = _NOW, rig.secrets
    good = rig.sign(right, now)
    verify = rig.provider.verify
    assert verify(good.headers, good.body, [wrong, right], now)
    assert not verify(good.headers, good.body, [wrong, ""], now)
    assert not verify(good.headers, good.body, [], now)
    empty = rig.sign("", now)
    assert not verify(empty.headers, empty.body, [""], now), "an empty secret signs nothing"
    for name, value in good.headers.items():
        for forged in ("", value[: len(value) // 2], value + "é", value + "0" * 100_000, "\x00", "t=,v1="):
            assert not verify({**good.headers, name: forged}, good.body, [right], now), forged[:20]
        without = {key: held for key, held in good.headers.items() if key != name}
        assert not verify(without, good.body, [right], now), name


@_needs(Need.WEBHOOKS)
async def tampered_webhooks_tell_nothing_else(rig: PaymentRig) -> None:
    """A changed byte is refused, or changes nothing of what the webhook tells.

    Where the signature covers the body, every changed byte is refused.
    """
    signed = rig.sign(rig.secrets[0], _NOW)
    covers_all = Need.SIGNED_BODY not in rig.lacks
    told = None if covers_all else rig.provider.parse_event(signed.body)
    for position in range(len(signed.body)):
        body = bytearray(signed.body)
        body[position] ^= 1
        if rig.provider.verify(signed.headers, bytes(body), [rig.secrets[0]], _NOW):
            assert not covers_all, position
            assert rig.provider.parse_event(bytes(body)) == told, position


@_needs(Need.WEBHOOKS)
async def stale_webhooks_do_not_pass(rig: PaymentRig) -> None:
    """Where the signature names a time, more than five minutes off on either side is refused."""
    secret = rig.secrets[0]
    good = rig.sign(secret, _NOW)
    if rig.provider.verify(good.headers, good.body, [secret], _NOW + timedelta(days=900)):
        return  # it names none
    for seconds, passes in ((299, True), (-299, True), (302, False), (-302, False)):
        at = _NOW + timedelta(seconds=seconds)
        assert rig.provider.verify(good.headers, good.body, [secret], at) is passes, seconds


async def without_webhooks_nothing_passes(rig: PaymentRig) -> None:
    """Unsigned messages never pass, whoever sends them."""
    for body in (b"", b"{}", b'{"id":"evt_1"}'):
        assert not rig.provider.verify({}, body, list(rig.secrets), _NOW)
        assert not rig.provider.verify({}, body, [], _NOW)


async def nonsense_is_no_event(rig: PaymentRig) -> None:
    """Bodies that are no event raise ``ValueError`` and nothing else."""
    deep = b"[" * 100_000
    bodies = (b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"id":1}', b'{"id":NaN}', deep)
    for body in bodies:
        error = await raised(_parse(rig, body))
        assert isinstance(error, ValueError), f"{body[:20]!r}: {error!r}"


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


async def _settled(rig: PaymentRig, request: RefundRequest) -> ProviderRefund | None:
    """What became of an unknown refund, the way the adapter's capabilities allow."""
    if rig.provider.capabilities.lookup_by_reference:
        return await rig.provider.look_up(rig.account, request, None)
    return await _until_sent(rig, request)


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
