"""Telling people by e-mail, SMS or push: an account, a message, and the words of it.

An adapter is for one ``channel``. It never retries: it says what happened by returning, or by one
of the three failures of ``ports.errors``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class MessagingAccount:
    """Where and as whom to send."""

    base_url: str
    secret: str = field(repr=False)
    account: str


@dataclass(frozen=True, slots=True)
class Sender:
    """What the recipient sees: an address of the channel, a name, where answers go."""

    address: str
    name: str
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """The words. ``html`` says the same as ``text``, for channels that can show it; ``lines`` are
    its sentences alone, without greeting and frame, for channels with little room."""

    subject: str
    text: str
    html: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person. ``id`` and ``date`` are the same for every try of it."""

    id: str
    date: datetime
    to: str = field(repr=False)
    language: str
    content: Content = field(repr=False)
    opt_out_url: str | None = field(repr=False)
    """Where a POST stops further ones (RFC 8058); None where the law wants it sent."""
    tries: int = 1
    """This one included: after the first, a message may have been taken without our hearing it."""


class Messenger(Protocol):
    """An adapter: ``channel`` is ``email``, ``sms`` or ``push``."""

    channel: str

    async def send(self, account: MessagingAccount, sender: Sender, message: Message) -> None:
        """Returns when the other side took it over.

        Raises:
            ProviderRejected: this message will never be taken (no such mailbox).
            ProviderUnavailable: it was certainly not taken, and may be later.
            OutcomeUnknown: it may have been taken; a second copy has the same ``id``. An adapter
                whose other side cannot tell a second copy looks before it sends one (``tries``).
        """
        ...

    def sender_refusal(self, address: str) -> str | None:
        """Why this cannot be the sender on this channel, as a clause for a message, or None."""
        ...

    def refusal(self, base_url: str) -> str | None:
        """Why this address may not be used, as a clause for a message, or None."""
        ...


class Composer(Protocol):
    """Finds the words. Pure: the same facts give the same words."""

    def compose(self, kind: str, language: str, facts: Mapping[str, Any]) -> Content:
        """The words of one kind of notification in one language of ``policy.texts``."""
        ...

    def page(self, language: str, *, done: bool) -> str:
        """The page on which a person opts out, or has done so, as HTML."""
        ...
