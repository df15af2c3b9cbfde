"""E-mail against a real server: what is sent, what an answer means, whom we refuse to talk to; and
the words in every language."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme
from jinja2 import UndefinedError

from returns_api.adapters.notifiers.compose import TextComposer, catalogue
from returns_api.adapters.notifiers.smtp import SmtpMessenger, judge, parse_url
from returns_api.domain.notifications import KINDS
from returns_api.domain.policy.texts import LANGUAGES
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.messaging import Content, Message, MessagingAccount, Sender
from tests.support.mailbox import PASSWORD, USER, Mailbox, a_mailbox, text_of

SENDER = Sender("returns@shop.example", "Field & Loom", "help@shop.example")
CONTENT = Content("Grüße\r\nBcc: x@evil.example", "Hallo Zoë,\n.\nbye", "<p>Hallo Zoë</p>")
FACTS: dict[str, Any] = {
    "name": "Zoë <b>",
    "shop": "Field & Loom",
    "order": "#1001",
    "number": "#1001-R1",
    "until": "2026-12-01",
    "amount": "49,90 EUR",
    "balance": "60,00 EUR",
    "difference": "14,90 EUR",
    "due": "14,90 EUR",
    "question": "Which <size>?",
    "label_url": "https://labels.example/1?a=b&c=d",
    "approved": True,
    "partly": True,
    "tells": "return.approved",
    "opt_out_url": "https://returns.example/out",
    "items": ["1 × Jacket <b>"],
    "contact": "zoe@buyer.example",
    "submitted_at": "2026-12-01 10:00:00+01:00",
    "received_at": "2026-12-01 10:01:00+01:00",
    "withdrawal": "wdr_1",
    "words": "We look into <it>.",
    "promised": "2026-12-02",
    "review_url": "https://shop.example/reviews",
    "if_declined": "14,90 EUR",
}


def message(to: str = "zoe@buyer.example") -> Message:
    return Message(
        id="<evt_1.refund.succeeded@shop.example>",
        date=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
        to=to,
        language="de",
        content=CONTENT,
        opt_out_url="https://returns.example/out?signature=q",
    )


def account(mailbox: Mailbox, scheme: str = "smtp", secret: str = "") -> MessagingAccount:
    return MessagingAccount(f"{scheme}://localhost:{mailbox.port}", secret, USER)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with a_mailbox() as running:
        yield running


async def test_what_arrives_is_one_message_in_two_forms(mailbox: Mailbox) -> None:
    messenger = SmtpMessenger(allow_loopback=True)
    await messenger.send(account(mailbox), SENDER, message())
    (mail,) = mailbox.received
    assert mail["Subject"] == "Grüße Bcc: x@evil.example"
    assert mail["Bcc"] is None
    assert mail["From"] == "Field & Loom <returns@shop.example>"
    assert (mail["To"], mail["Reply-To"]) == ("zoe@buyer.example", "help@shop.example")
    assert mail["Message-ID"] == "<evt_1.refund.succeeded@shop.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<https://returns.example/out?signature=q>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert text_of(mail).split() == ["Hallo", "Zoë,", ".", "bye"]
    assert "<p>Hallo Zoë</p>" in text_of(mail, "html")


@pytest.mark.parametrize("implicit", [True, False])
async def test_passwords_go_over_checked_tls_only(implicit: bool) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    scheme = "smtps" if implicit else "smtp"
    async with a_mailbox(tls=context, implicit=implicit, login=True) as mailbox:
        messenger = SmtpMessenger(allow_loopback=True, tls=trusting)
        await messenger.send(account(mailbox, scheme, PASSWORD), SENDER, message())
        assert (len(mailbox.received), mailbox.logins) == (1, [USER])
        with pytest.raises(ProviderUnavailable, match="smtp_535"):
            await messenger.send(account(mailbox, scheme, "wrong"), SENDER, message())
        logins = len(mailbox.logins)
        stranger = SmtpMessenger(allow_loopback=True)
        with pytest.raises(ProviderUnavailable, match="tls_failed"):
            await stranger.send(account(mailbox, scheme, PASSWORD), SENDER, message())
        assert (len(mailbox.received), len(mailbox.logins)) == (1, logins)


@pytest.mark.parametrize(
    ("code", "about", "final"),
    [
        (550, "recipient", True),
        (552, "message", True),
        (450, "recipient", False),
        (451, "message", False),
        (421, "message", False),
        (535, "account", False),
        (530, "recipient", False),
        (553, "account", False),
        (250, "message", False),
    ],
)
def test_only_what_no_repeat_can_mend_is_final(code: int, about: str, final: bool) -> None:
    assert isinstance(judge(code, about=about), ProviderRejected if final else ProviderUnavailable)


async def test_answers_of_a_server(mailbox: Mailbox) -> None:
    messenger = SmtpMessenger(allow_loopback=True)
    mailbox.at_rcpt = lambda _: "550 5.1.1 no zoe@buyer.example here"
    with pytest.raises(ProviderRejected) as no:
        await messenger.send(account(mailbox), SENDER, message())
    assert no.value.code == "smtp_550"
    assert "zoe" not in str(no.value), "what a server says may name the person"
    mailbox.at_rcpt, mailbox.at_data = lambda _: "250 taken", lambda _: "451 later"
    with pytest.raises(ProviderUnavailable, match="smtp_451"):
        await messenger.send(account(mailbox), SENDER, message())
    mailbox.at_data, mailbox.hang_up = lambda _: "250 taken", True
    with pytest.raises(OutcomeUnknown):
        await messenger.send(account(mailbox), SENDER, message())
    for bad in ("no address", "", "a@b\r\nRCPT TO:<c@d>", "ä@büyer.example"):
        with pytest.raises((ProviderRejected, ProviderUnavailable)):
            await messenger.send(account(mailbox), SENDER, message(bad))


async def test_no_way_into_a_private_network_and_a_total_deadline() -> None:
    async def inside(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "10.0.0.1"]

    messenger = SmtpMessenger(resolve=inside)
    with pytest.raises(ProviderUnavailable, match="blocked_address"):
        await messenger.send(MessagingAccount("smtp://mx.example:587", "", USER), SENDER, message())
    assert messenger.refusal("smtp://mx.example:25") is not None
    assert messenger.refusal("smtps://mx.example") is None
    for text in ("https://mx.example", "smtp://u:p@mx.example", "smtp://mx.example/x", "smtp://"):
        assert parse_url(text) is None
    silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    hasty = SmtpMessenger(allow_loopback=True, deadline_seconds=0.1)
    async with silent:
        place = MessagingAccount(f"smtp://127.0.0.1:{port}", "", USER)
        with pytest.raises(ProviderUnavailable, match="timeout"):
            await hasty.send(place, SENDER, message())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_words_in_every_language(language: str) -> None:
    assert catalogue(language)["kinds"].keys() == KINDS.keys() | {"test"}
    given = {"until": "2026-12-01", "tells": "offer.made", "items": []}
    bare = dict.fromkeys(FACTS) | given
    for kind in catalogue(language)["kinds"]:
        for facts in (FACTS, bare):
            said = TextComposer().compose(kind, language, facts)
            assert "<b>" not in said.html
            assert "<size>" not in said.html
            assert said.subject.strip()
        told = TextComposer().compose(kind, language, FACTS)
        assert "Zoë <b>" in told.text
        assert "https://returns.example/out" in told.text
        assert 'href="https://returns.example/out"' in told.html
    asked = TextComposer().compose("return.info_requested", language, FACTS)
    assert "Which <size>?" in asked.text
    assert TextComposer().page(language, done=False) != TextComposer().page(language, done=True)


def test_a_sentence_sees_the_facts_and_nothing_else() -> None:
    with pytest.raises(UndefinedError):
        TextComposer().compose("refund.succeeded", "en", {})
    with pytest.raises(KeyError):
        TextComposer().compose("refund.succeeded", "xx", FACTS)
