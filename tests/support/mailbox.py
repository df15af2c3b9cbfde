"""A real SMTP server on loopback (aiosmtpd) that keeps what it was sent and answers as told."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER: Final = "returns@shop.example"
PASSWORD: Final = "pw of the tests"
TAKEN: Final = "250 taken"


def _always(_: str) -> str:
    return TAKEN


@dataclass(slots=True)
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
            mail = message_from_bytes(envelope.original_content or b"", policy=default)
            self.received.append(mail)  # type: ignore[arg-type]  # the default policy makes these
        if self.hang_up:
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


@contextmanager
def a_mailbox(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, login: bool = False
) -> Iterator[Mailbox]:
    """A server for the length of the block, plain unless ``tls``."""
    mailbox = Mailbox()
    options: dict[str, Any] = {"auth_require_tls": False, "enable_SMTPUTF8": False}
    if tls is not None and implicit:
        options["ssl_context"] = tls
    elif tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}
    if login:
        options |= {"authenticator": mailbox.authenticate, "auth_required": True}
    controller = Controller(mailbox, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        assert controller.server is not None
        mailbox.port = controller.server.sockets[0].getsockname()[1]
        yield mailbox
    finally:
        controller.stop()
