"""A real SMTP server on loopback (aiosmtpd) that keeps what it was sent and answers as told."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER: Final = "returns@shop.example"
PASSWORD: Final = "pw of the tests"
TAKEN: Final = "250 taken"


def _always(_: str) -> str:
    return TAKEN


@dataclass  # without slots: the library reads every member, and Python 3.11.2 cannot read theirs
class Mailbox:
    """``at_rcpt`` and ``at_data`` answer by the recipient; ``hang_up`` leaves without an answer
    once the message is there."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    at_rcpt: Callable[[str], str] = _always
    at_data: Callable[[str], str] = _always
    hang_up: bool = False
    logins: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def kinds(self) -> list[str]:
        """What was told, by the part of each Message-ID that names it."""
        return [
            str(mail["Message-ID"]).partition("@")[0].partition(".")[2] for mail in self.received
        ]

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.at_rcpt(address)
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.at_data(envelope.rcpt_tos[0])
        if answer == TAKEN:
            self.received.append(
                message_from_bytes(envelope.original_content or b"", policy=default)
            )
        if self.hang_up and server.transport:
            server.transport.close()
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The words of a received message, as ``plain`` or ``html``."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


@asynccontextmanager
async def a_mailbox(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, login: bool = False
) -> AsyncIterator[Mailbox]:
    """A server for the length of the block, plain unless ``tls``."""
    mailbox, loop = Mailbox(), asyncio.get_running_loop()
    options: dict[str, Any] = {"auth_require_tls": False, "hostname": "mailbox", "loop": loop}
    if tls is not None and not implicit:
        options |= {"tls_context": tls, "require_starttls": True}
    if login:
        options |= {"authenticator": mailbox.authenticate, "auth_required": True}

    def protocol() -> SMTP:
        with warnings.catch_warnings():  # it cannot see that all of it is under TLS
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
            return SMTP(mailbox, **options)

    secured = tls if implicit else None
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=secured)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()
