"""Telling buyers as pure rules: what is told when, to whom, in which words' language, and again.

Owns the kinds of notifications, which events they tell, who may switch them off, the meaning of a
try, and when a deadline is reminded of. Refuses to own the words (``adapters.notifiers``), sending
(``ports.messaging``) and rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.invitations import ASKED, TOO_LATE, WAIT
from returns_api.domain.lifecycle.machine import Actor
from returns_api.domain.lifecycle.notifications import NOTIFICATION
from returns_api.domain.policy.texts import language_of
from returns_api.domain.webhooks import MAX_TRIES, wait_after

__all__ = ["MAX_TRIES"]

_S: Final = Actor.SYSTEM


class Channel(StrEnum):
    """How a buyer is reached; each needs another address of the person."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


ADDRESS_OF: Final[Mapping[str, str]] = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone",
    Channel.PUSH: "customer_id",
}
"""What of an order's person is the address on a channel."""


@dataclass(frozen=True, slots=True)
class Kind:
    """``events`` are told by it, those that begin a deadline for the buyer in ``reminds``.

    ``always``: the law wants it told, so neither side can switch it off. ``calm``: it is never sent
    while a case of the order is open.
    """

    name: str
    events: frozenset[str]
    reminds: bool = False
    always: bool = False
    calm: bool = False


_REMINDED: Final = (
    "return.opened",
    "return.approved",
    "return.info_requested",
    "offer.made",
    "exchange.offered",
    "exchange.out_of_stock",
    "repair.quoted",
    "repair.unrepairable",
)
_TOLD: Final = (
    *_REMINDED,
    "return.rejected",
    "return.received",
    "return.inspected",
    "shipment.label_ready",
    "refund.requested",
    "refund.succeeded",
    "refund.failed",
    "store_credit.issued",
    "exchange.payment_due",
    "exchange.shipped",
    "complaint.opened",
    "complaint.progress",
    "complaint.info_requested",
    "complaint.resolved",
    "complaint.closed",
    "repair.payment_due",
    "repair.shipped",
    "cancellation.confirmed",
    "cancellation.declined",
    "cancellation.coming_back",
    "address_change.applied",
    "address_change.declined",
)
REMINDER: Final = "deadline.approaching"
WITHDRAWN: Final = "withdrawal.confirmed"
"""The acknowledgement of a withdrawal goes to the address that the statement names."""
KINDS: Final[Mapping[str, Kind]] = {
    **{name: Kind(name, frozenset({name})) for name in _TOLD},
    WITHDRAWN: Kind(WITHDRAWN, frozenset({WITHDRAWN}), always=True),
    **{name: Kind(name, frozenset({name}), calm=True) for name in sorted(ASKED)},
    REMINDER: Kind(REMINDER, frozenset(_REMINDED), reminds=True),
}
"""Every kind by its name: that of its event, and one that tells of no event of its own."""

PER_EVENT_MAX: Final = 2 * len(Channel)
"""Rows of one event: what it tells and a reminder, on each channel."""
LEADS: Final = (timedelta(days=3), timedelta(days=1))
"""How long before a deadline its reminder comes: the first that leaves a day from its beginning."""
AT_LEAST: Final = timedelta(days=1)

UNTOLD: Final = (
    "no_address",
    "opted_out",
    "switched_off",
    "not_connected",
    "not_for_the_buyer",
    "over",
    "erased",
)
"""Why a notification ends without being sent."""


def topics(off: Collection[str]) -> list[str]:
    """The events for which a row is written, when the kinds ``off`` are switched off."""
    wanted = [kind for kind in KINDS.values() if kind.always or kind.name not in off]
    return sorted(frozenset[str]().union(*(kind.events for kind in wanted)))


def is_wanted(kind: str, off: Collection[str]) -> bool:
    """Whether the shop wants this kind to be sent."""
    return kind not in off or KINDS[kind].always


def concerns_buyer(data: Mapping[str, Any]) -> bool:
    """By an event's data: False for what the buyer did or may not see, such as their own offer or
    one that is not yet approved."""
    return not data.get("internal") and data.get("party") != "buyer"


def languages(buyer: str | None, shop: str) -> str:
    """The language to write in: the buyer's, else the shop's, else English (``policy.texts``)."""
    return language_of(buyer or shop)


def reminder_at(due_at: datetime, now: datetime) -> datetime | None:
    """When to remind of a deadline; None for one that is too near for that."""
    for lead in LEADS:
        if due_at - lead - now >= AT_LEAST:
            return due_at - lead
    return None


def is_near(due_at: datetime, now: datetime) -> bool:
    """Whether the time of the first reminder has come; a paused clock puts a deadline off."""
    return due_at - LEADS[0] <= now


def calm_again(written_at: datetime, now: datetime) -> Outcome:
    """A case of the order is open: look again later, or let it be when that went on too long."""
    return untold("over") if now > written_at + TOO_LATE else put_off(now + WAIT)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to write about a try: ``reason`` is a stable code, None for what was sent."""

    state: str
    due_at: datetime | None = None
    reason: str | None = None


def accepted() -> Outcome:
    return Outcome(NOTIFICATION.step("sending", "accept", _S))


def refused(code: str) -> Outcome:
    """It was refused for good."""
    return Outcome(NOTIFICATION.step("sending", "give_up", _S), reason=code)


def untold(why: str) -> Outcome:
    """It ends without being sent, for one of ``UNTOLD``."""
    return Outcome(NOTIFICATION.step("sending", "suppress", _S), reason=why)


def put_off(until: datetime) -> Outcome:
    """It comes later; that is no failed try."""
    return Outcome(NOTIFICATION.step("sending", "put_back", _S), due_at=until)


def try_again(code: str, *, tries: int, seed: str, now: datetime) -> Outcome:
    """Later, on the schedule of webhooks (76 h in all; RFC 5321, 4.5.4.1 asks for some days)."""
    wait = wait_after(tries, seed)
    if wait is None:
        return refused(code)
    return Outcome(NOTIFICATION.step("sending", "put_back", _S), due_at=now + wait, reason=code)


def message_id(event_id: UUID, kind: str, sender: str) -> str:
    """The Message-ID: the same for every try, so that a receiver can tell a second copy."""
    domain = sender.rpartition("@")[2]
    return f"<{ids.encode('evt', event_id)}.{kind}@{domain}>"


def opt_out_text(shop: UUID, event_id: UUID, channel: str) -> str:
    """What the signature of an opt-out link covers; the link names nobody."""
    return f"opt out {shop} {event_id} {channel}"


def date_header(at: datetime) -> datetime:
    """The Date of a message: when it happened, whole seconds UTC, the same for every try."""
    return at.astimezone(UTC).replace(microsecond=0)
