"""Plays the buyers' mail server: a real one on loopback (aiosmtpd) that takes everything.

Each shop of the stories sends from a domain of its own, so what one story told is told apart.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.utils import parseaddr
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """``kinds`` names, by the domain of the sender, what every message told, as it came."""

    def __init__(self) -> None:
        self.url = ""
        self.kinds: dict[str, list[str]] = defaultdict(list)

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        mail = message_from_bytes(envelope.original_content or b"")
        domain = parseaddr(mail["From"])[1].rpartition("@")[2]
        # The service names in each Message-ID which event is told, and as what.
        told = str(mail["Message-ID"]).strip("<> ").partition("@")[0].partition(".")[2]
        self.kinds[domain].append(told)
        return "250 taken"


@asynccontextmanager
async def a_mailbox() -> AsyncIterator[Mailbox]:
    """A server on a free port for the length of the block."""
    mailbox, loop = Mailbox(), asyncio.get_running_loop()

    def protocol() -> Any:
        return SMTP(mailbox, hostname="mailbox", loop=loop)

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    mailbox.url = "smtp://{}:{}".format(*server.sockets[0].getsockname()[:2])
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()
