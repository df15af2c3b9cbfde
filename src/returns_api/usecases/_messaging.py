"""Sending one message over a shop's channel, and what came of it as a plain outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from returns_api.db.engine import Row
from returns_api.domain.notifications import Outcome, accepted, refused, try_again
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.messaging import Message, MessagingAccount, Messenger, Sender
from returns_api.usecases.context import Context

UNREADABLE: Final = "secret_unreadable"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is ready, on which way, as its how manieth try."""

    channel: Row
    message: Message
    tries: int


def sender_of(channel: Row) -> Sender:
    return Sender(**channel["sender"])


async def send(ctx: Context, outgoing: Outgoing) -> Outcome:
    """Send once; no transaction is open meanwhile. Whatever went wrong is an outcome."""
    messenger: Messenger | None = ctx.messengers.get(outgoing.channel["adapter"])
    if messenger is None:
        return _again(outgoing, "not_installed", ctx.clock())
    try:
        account = open_messaging_account(ctx, outgoing.channel)
    except ValueError:  # sealed with a key that was lost: whoever manages the shop writes it again
        return _again(outgoing, UNREADABLE, ctx.clock())
    try:
        await messenger.send(account, sender_of(outgoing.channel), outgoing.message)
    except ProviderRejected as no:
        return refused(no.code)
    except ProviderUnavailable as away:
        return _again(outgoing, str(away), ctx.clock())
    except OutcomeUnknown:
        return _again(outgoing, UNKNOWN, ctx.clock())
    return accepted()


def open_messaging_account(ctx: Context, row: Row) -> MessagingAccount:
    """From a connection of kind ``messaging``. Raises ``ValueError`` when its key was lost."""
    secret = ctx.sealer.open(row["secret_sealed"])
    return MessagingAccount(row["base_url"], secret, row["account"])


def _again(outgoing: Outgoing, code: str, now: datetime) -> Outcome:
    return try_again(code, tries=outgoing.tries, seed=outgoing.message.id, now=now)
