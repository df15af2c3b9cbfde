"""Shapes of telling buyers: how a shop does it, what was told, a test."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    EventId,
    In,
    Moment,
    OrderId,
    Out,
    ReturnId,
    ShortText,
    example,
    example_id,
)
from returns_api.domain.notifications import KINDS, Channel
from returns_api.domain.people import EMAIL_MAX

_ATOM: Final = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}"
_LABEL: Final = "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
ADDRESS: Final = rf"^{_ATOM}(\.{_ATOM}){{0,3}}@{_LABEL}(\.{_LABEL}){{1,5}}$"
"""A plain address (RFC 5321, dot-string); what no server would take is refused at once."""
MailAddress = Annotated[str, StringConstraints(max_length=EMAIL_MAX, pattern=ADDRESS)]
SENDER: Final = rf"({ADDRESS})|(^\+[1-9][0-9]{{6,14}}$)|(^[A-Za-z0-9 ]{{1,40}}$)"
"""Of e-mail an address; of SMS a number, or what the vendor calls a sender."""
SenderAddress = Annotated[str, StringConstraints(max_length=EMAIL_MAX, pattern=SENDER)]
RECIPIENT: Final = rf"({ADDRESS})|(^\+?[0-9][0-9 ().-]{{5,24}}$)|(^[A-Za-z0-9_:-]{{1,100}}$)"
"""Of e-mail an address, of SMS a number, of push the platform's id of a customer."""
Recipient = Annotated[str, StringConstraints(max_length=EMAIL_MAX, pattern=RECIPIENT)]
KindName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}\.[a-z_]{1,40}$")]

_SENDER: Final = {
    "address": "returns@fieldandloom.example",
    "name": "Field & Loom",
    "reply_to": "help@fieldandloom.example",
}
_SETTINGS: Final[dict[str, Any]] = {
    "sender": _SENDER,
    "active": True,
    "switched_off": ["return.inspected"],
}


class NotificationState(StrEnum):
    """``suppressed`` were not to be sent; ``failed`` were refused, or never got through."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"


class SenderIn(In):
    """What the buyer sees as the sender, and where answers go."""

    address: SenderAddress = Field(
        description="An e-mail address, whose domain has to allow the server to send for it; of "
        "SMS a number, the id of a messaging service or a name of up to 11 letters; of push any "
        "word."
    )
    name: ShortText
    reply_to: MailAddress | None = None


class NotificationSettingsIn(In):
    """How a channel is used. What is left out is on."""

    model_config = example(_SETTINGS)

    sender: SenderIn
    active: bool = Field(True, strict=True)
    switched_off: Annotated[list[KindName], Field(max_length=len(KINDS))] = Field(
        default_factory=list, description="Kinds that are not sent."
    )


class SenderOut(Out):
    address: str
    name: str
    reply_to: str | None


class NotificationSettingsOut(Out):
    """How the shop tells its buyers on one channel."""

    model_config = example(
        {
            "channel": "email",
            "connection": "mail",
            **_SETTINGS,
            "kinds": sorted(KINDS),
            "version": 1,
            "updated_at": "2026-11-21T09:12:44Z",
        }
    )

    channel: Channel
    connection: str
    sender: SenderOut
    active: bool
    switched_off: list[str]
    kinds: list[str] = Field(description="Every kind that there is.")
    version: int
    updated_at: Moment


class NotificationSettingsListOut(Out):
    """All channels."""

    items: list[NotificationSettingsOut]


class NotificationTestIn(In):
    """To whom."""

    model_config = example({"to": "me@fieldandloom.example"})

    to: Recipient = Field(
        description="Of e-mail an address, of SMS a number, of push a customer's id."
    )


class NotificationTestOut(Out):
    """What came of it: ``reason`` is null when the server took it."""

    model_config = example({"sent": False, "reason": "smtp_535"})

    sent: bool
    reason: str | None = Field(
        description="A stable code: `smtp_`, `twilio_` or `onesignal_` and the answer, "
        "`connection_lost`, `timeout` …"
    )


class NotificationOut(Out):
    """One message about one thing that happened, on one channel. No address and no words."""

    model_config = example(
        {
            "event": example_id("evt"),
            "kind": "refund.succeeded",
            "channel": "email",
            "state": "sent",
            "reason": None,
            "order": example_id("ord"),
            "return": example_id("ret"),
            "language": "de",
            "attempts": 1,
            "next_try_at": None,
            "happened_at": "2026-11-21T09:12:44Z",
            "ended_at": "2026-11-21T09:12:46Z",
        }
    )

    event: EventId
    kind: str
    channel: Channel
    state: NotificationState
    reason: str | None = Field(description="Why it was not sent, or not yet: a stable code.")
    order: OrderId
    return_: ReturnId | None = Field(alias="return")
    language: str | None
    attempts: int
    next_try_at: Moment | None
    happened_at: Moment
    ended_at: Moment | None


class NotificationsOut(Out):
    """A page of notifications, newest event first."""

    items: list[NotificationOut]
    next_cursor: str | None
