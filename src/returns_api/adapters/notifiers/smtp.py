"""E-mail by SMTP submission (RFC 6409), over aiosmtplib.

Owns the message as bytes, what an SMTP answer means, and that a shop's server is a stranger on the
internet: its name is resolved once, every address of it must be public, and the connection goes to
a checked one under the original name. Always under TLS with the certificate checked: from the first
byte (``smtps://``, RFC 8314) or by STARTTLS (``smtp://``). Refuses to own the words and retries.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiosmtplib
from aiosmtplib import SMTP

from returns_api.adapters.addresses import is_loopback_address, is_public_address
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.messaging import Message, MessagingAccount, Sender

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from returns_api.adapters.http import HttpClient

DEADLINE_SECONDS: Final = 20.0
"""For one message from the first look-up on; a worker's lease is longer."""
PORTS: Final = frozenset({465, 587, 2465, 2525, 2587})
"""Submission, and what providers offer beside it; never 25, which is for servers."""
DEFAULT_PORTS: Final = {"smtps": 465, "smtp": 587}
SETUP_CODES: Final = frozenset({530, 534, 535, 538})
"""Refused for the account's sake, whatever the message (RFC 4954, RFC 3207)."""
_URL: Final = re.compile(r"(smtps?)://([a-z0-9._-]{1,253})(:[0-9]{1,5})?/?", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_CLOSING: Final = (aiosmtplib.SMTPException, OSError)

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Server:
    """Where to send: ``implicit`` is TLS from the first byte."""

    host: str
    port: int
    implicit: bool


@cache
def trust() -> ssl.SSLContext:
    """Whom this system believes: read once in a process, since reading takes 20 ms."""
    return ssl.create_default_context()


class SmtpMessenger:
    """``ports.messaging.Messenger`` for e-mail. ``allow_loopback`` is for development only: it lets
    a server on this machine be used, on any port, and without TLS where it offers none."""

    channel = "email"

    def __init__(
        self,
        _http: HttpClient | None = None,
        *,
        allow_loopback: bool = False,
        deadline_seconds: float = DEADLINE_SECONDS,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._deadline = deadline_seconds
        self._resolve = resolve or _resolve
        self._tls = tls or trust()

    def refusal(self, base_url: str) -> str | None:
        """Why this address may not be used; whether it is a stranger's is seen at each send."""
        server = parse_url(base_url)
        if server is None:
            return "it is not smtps://host:port or smtp://host:port"
        if server.port not in PORTS and not self._allow_loopback:
            return f"its port is not one of {', '.join(map(str, sorted(PORTS)))}"
        return None

    def sender_refusal(self, address: str) -> str | None:
        """Why this cannot be a sender: it is no e-mail address."""
        return None if "@" in address else "it is no e-mail address"

    async def send(self, account: MessagingAccount, sender: Sender, message: Message) -> None:
        """One message over a connection of its own. Raises as the port says."""
        data = build_mail(sender, message)
        stage = Stage()
        try:
            async with asyncio.timeout(self._deadline):
                await self._send(account, sender.address, message.to, data, stage)
        except TimeoutError as late:
            raise stage.lost("timeout") from late
        except aiosmtplib.SMTPRecipientRefused as refused:
            raise judge(refused.code, about="recipient") from refused
        except aiosmtplib.SMTPDataError as refused:
            raise judge(refused.code, about="message") from refused
        except aiosmtplib.SMTPResponseException as refused:
            raise judge(refused.code, about="account") from refused
        except UnicodeError as odd:
            raise ProviderRejected("not_ascii", "no server takes this address") from odd
        except (aiosmtplib.SMTPException, OSError) as broken:
            raise stage.lost(_word(broken)) from broken

    async def _send(
        self, account: MessagingAccount, sender: str, to: str, data: bytes, stage: Stage
    ) -> None:
        async with self._connected(account) as client:
            await client.mail(sender)
            await client.rcpt(to)
            stage.sent = True
            await client.data(data)

    @asynccontextmanager
    async def _connected(self, account: MessagingAccount) -> AsyncIterator[SMTP]:
        """A connection that is encrypted and logged in; closed politely, if that is still heard."""
        server = parse_url(account.base_url)
        if server is None:
            raise ProviderUnavailable("bad_address")
        address = await self._checked(server)
        sock = await _connect(address, server.port)
        client = SMTP(
            hostname=server.host,
            sock=sock,
            use_tls=server.implicit,
            start_tls=False,
            tls_context=self._tls,
            local_hostname="returns-api.invalid",
            timeout=None,
        )
        try:
            await client.connect()
            if not server.implicit:
                await self._encrypt(client, server, address)
            if account.secret:
                await client.login(account.account, account.secret)
            yield client
            with suppress(*_CLOSING):
                await client.quit()
        finally:
            client.close()  # and with it the socket, which is the connection's since it was given

    async def _encrypt(self, client: SMTP, server: Server, address: str) -> None:
        await client.ehlo()
        here = self._allow_loopback and is_loopback_address(address)
        if here and not client.supports_extension("starttls"):
            return
        await client.starttls(server_hostname=server.host, tls_context=self._tls)

    async def _checked(self, server: Server) -> str:
        """One address of the server, all of which are public."""
        if self.refusal(f"smtp://{server.host}:{server.port}") is not None:
            raise ProviderUnavailable("bad_address")
        found = await self._resolve(server.host, server.port)
        here = self._allow_loopback and all(map(is_loopback_address, found))
        if not found or not (here or all(map(is_public_address, found))):
            raise ProviderUnavailable("blocked_address")
        return found[0]


@dataclass(slots=True)
class Stage:
    """How far a try came: once the message was sent, silence says nothing about it."""

    sent: bool = False

    def lost(self, word: str) -> Exception:
        return OutcomeUnknown(word) if self.sent else ProviderUnavailable(word)


def parse_url(text: str) -> Server | None:
    """Scheme, host and port; None for anything else, such as a password in the address."""
    if not _URL.fullmatch(text):
        return None
    parts = urlsplit(text.lower())
    try:
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except ValueError:
        return None
    return Server(parts.hostname or "", port, parts.scheme == "smtps")


def judge(code: int, *, about: str) -> Exception:
    """What a refusal means (RFC 5321, 4.2.1): 5yz about this recipient or message is for good; 4yz,
    and whatever is about the account and can be mended, is not."""
    if 500 <= code < 600 and about != "account" and code not in SETUP_CODES:
        return ProviderRejected(f"smtp_{code}", f"the {about} was refused")
    return ProviderUnavailable(f"smtp_{code}")


def build_mail(sender: Sender, message: Message) -> bytes:
    """The message in ASCII: text and HTML beside each other. Raises ``ProviderRejected``."""
    try:
        return _mail(sender, message).as_bytes()
    except (ValueError, IndexError, MessageError) as bad:
        raise ProviderRejected("bad_address", "it cannot stand in a header") from bad


def _mail(sender: Sender, message: Message) -> EmailMessage:
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = Address(_plain(sender.name), addr_spec=sender.address)
    mail["To"] = Address(addr_spec=message.to)
    if sender.reply_to is not None:
        mail["Reply-To"] = Address(addr_spec=sender.reply_to)
    mail["Subject"] = _plain(message.content.subject)
    mail["Date"] = message.date
    mail["Message-ID"] = message.id
    mail["Content-Language"] = message.language
    mail["Auto-Submitted"] = "auto-generated"
    if message.opt_out_url is not None:
        mail["List-Unsubscribe"] = f"<{message.opt_out_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.content.text, cte="quoted-printable")
    mail.add_alternative(message.content.html, subtype="html", cte="quoted-printable")
    return mail


def _plain(text: str) -> str:
    """Without what would begin another header."""
    return _CONTROL.sub(" ", text).strip()


def _word(broken: Exception) -> str:
    """A stable code; what the server said may name the recipient."""
    if isinstance(broken, ssl.SSLError) or isinstance(broken.__cause__, ssl.SSLError):
        return "tls_failed"
    if isinstance(broken, aiosmtplib.SMTPNotSupported):
        return "not_supported"
    if isinstance(broken, socket.gaierror):
        return "dns_failed"
    return "connection_lost" if isinstance(broken, OSError) else "broken_answer"


async def _connect(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _resolve(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found: Any = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
