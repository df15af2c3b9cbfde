"""SMS and push over their vendors' HTTP: what is sent, what an answer means, never a second one."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from returns_api.adapters.http import HttpClient
from returns_api.adapters.notifiers.onesignal import OneSignalMessenger
from returns_api.adapters.notifiers.twilio import BODY_MAX, TwilioMessenger, body_of, number_of
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.messaging import Content, Message, MessagingAccount, Sender
from tests.support.receiver import Received, Receiver, Reply, receiving

SID = "AC" + "0" * 32
SENDER = Sender("+15005550006", "Field & Loom")
CONTENT = Content("Die Erstattung ist da", "…", "…", ("Wir haben 49,90 € erstattet.",))
SAID = "Field & Loom: Die Erstattung ist da. Wir haben 49,90 € erstattet."
LINK = "https://returns.example/out?signature=q"


def message(to: str = "+49 30-1234567", tries: int = 1) -> Message:
    return Message(
        id="<evt_1.refund.succeeded@shop.example>",
        date=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
        to=to,
        language="de",
        content=CONTENT,
        opt_out_url=LINK,
        tries=tries,
    )


def answering(status: int, body: dict[str, Any]) -> Callable[[Received], Reply]:
    return lambda _: Reply(status, body=json.dumps(body).encode())


@pytest.fixture
async def vendor() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(deadline_seconds=10)
    yield client
    await client.aclose()


async def text(http: HttpClient, vendor: Receiver, **more: Any) -> None:
    account = MessagingAccount(vendor.base_url, "token", SID)
    await TwilioMessenger(http, allow_loopback=True).send(account, SENDER, message(**more))


async def push(http: HttpClient, vendor: Receiver) -> None:
    account = MessagingAccount(vendor.base_url, "os_key", "app-1")
    await OneSignalMessenger(http, allow_loopback=True).send(account, SENDER, message("c-1"))


async def test_an_sms_is_one_form_with_everything_in_it(http: HttpClient, vendor: Receiver) -> None:
    vendor.answer = answering(201, {"sid": "SM1", "status": "queued"})
    await text(http, vendor)
    (asked,) = vendor.received
    assert asked.path == f"/2010-04-01/Accounts/{SID}/Messages.json"
    credentials = b64encode(f"{SID}:token".encode()).decode()
    assert asked.headers["authorization"] == f"Basic {credentials}"
    assert dict(parse_qsl(asked.body.decode(), strict_parsing=True)) == {
        "To": "+49301234567",
        "From": "+15005550006",
        "Body": f"{SAID}\n{LINK}",
    }


async def test_a_messaging_service_is_named_as_one(http: HttpClient, vendor: Receiver) -> None:
    vendor.answer = answering(201, {"sid": "SM1"})
    account, service = MessagingAccount(vendor.base_url, "token", SID), "MG" + "a" * 32
    messenger = TwilioMessenger(http, allow_loopback=True)
    await messenger.send(account, Sender(service, "Shop"), message())
    form = parse_qs(vendor.received[0].body.decode())
    assert (form["MessagingServiceSid"], "From" in form) == ([service], False)


async def test_a_second_try_asks_first_and_sends_no_copy(
    http: HttpClient, vendor: Receiver
) -> None:
    sent: list[dict[str, str]] = []

    def twilio(asked: Received) -> Reply:
        if asked.body:
            sent.append({"body": parse_qs(asked.body.decode())["Body"][0]})
            return Reply(hang_up=True)  # taken, and never heard of
        assert parse_qs(urlsplit(asked.path).query)["To"] == ["+49301234567"]
        return Reply(200, body=json.dumps({"messages": sent}).encode())

    vendor.answer = twilio
    with pytest.raises(OutcomeUnknown):
        await text(http, vendor)
    await text(http, vendor, tries=2)
    assert len(sent) == 1


async def test_what_never_left_is_sent_at_the_second_try(
    http: HttpClient, vendor: Receiver
) -> None:
    vendor.answer = lambda asked: (
        Reply(201, body=b'{"sid": "SM1"}')
        if asked.body
        else Reply(200, body=b'{"messages": [{"body": "another"}]}')
    )
    await text(http, vendor, tries=2)
    assert [bool(each.body) for each in vendor.received] == [False, True]


@pytest.mark.parametrize("status", [401, 429, 500, 200])
async def test_where_twilio_does_not_say_what_it_sent_nothing_is_sent(
    http: HttpClient, vendor: Receiver, status: int
) -> None:
    vendor.answer = answering(status, {"messages": "none"})
    with pytest.raises(OutcomeUnknown):
        await text(http, vendor, tries=3)
    assert [each.body for each in vendor.received] == [b""]


@pytest.mark.parametrize(
    ("status", "body", "meant", "says"),
    [
        (400, {"code": 21211}, ProviderRejected, "twilio_21211"),
        (400, {"code": 21610}, ProviderRejected, "twilio_21610"),
        (400, {"code": 21606}, ProviderUnavailable, "twilio_21606"),
        (400, {"code": 21611}, ProviderUnavailable, "twilio_21611"),
        (401, {"code": 20003}, ProviderUnavailable, "twilio_401"),
        (404, {"code": 20404}, ProviderUnavailable, "twilio_404"),
        (429, {"code": 20429}, ProviderUnavailable, ""),
        (500, {}, OutcomeUnknown, ""),
        (400, {"message": "a proxy"}, OutcomeUnknown, ""),
        (201, {}, OutcomeUnknown, ""),
        (200, {"sid": "SM1"}, OutcomeUnknown, ""),
    ],
)
async def test_what_twilio_answers_means(
    http: HttpClient,
    vendor: Receiver,
    status: int,
    body: dict[str, Any],
    meant: type[Exception],
    says: str,
) -> None:
    vendor.answer = answering(status, body)
    with pytest.raises(meant, match=says or None):
        await text(http, vendor)


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        ("+49 30 123-45.67", "+49301234567"),
        ("0049 (30) 1234567", "+49301234567"),
        ("030 1234567", None),
        ("+0 30 1234567", None),
        ("+49 30 x", None),
        ("", None),
    ],
)
def test_a_number_needs_its_country(phone: str, number: str | None) -> None:
    if number is not None:
        assert number_of(phone) == number
        return
    with pytest.raises(ProviderRejected, match="not_a_number"):
        number_of(phone)


def test_an_sms_is_never_too_long_and_keeps_its_link() -> None:
    told = message()
    long = Content("s", "", "", ("x" * 5_000,))
    body = body_of(SENDER, Message(told.id, told.date, told.to, "de", long, LINK))
    assert len(body) == BODY_MAX
    assert body.endswith(f"\n{LINK}")


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("+15005550006", True),
        ("MG" + "0" * 32, True),
        ("FieldLoom", True),
        ("Field and Loom Ltd", False),
        ("12345", False),
        ("returns@shop.example", False),
    ],
)
def test_who_can_send_an_sms(http: HttpClient, address: str, fits: bool) -> None:
    assert (TwilioMessenger(http).sender_refusal(address) is None) == fits


async def test_a_push_goes_to_the_devices_of_one_customer(
    http: HttpClient, vendor: Receiver
) -> None:
    vendor.answer = answering(200, {"id": "n-1", "external_id": None})
    await push(http, vendor)
    await push(http, vendor)
    first, second = (json.loads(each.body) for each in vendor.received)
    assert first == second  # the same key: they know the second one again
    key = first.pop("idempotency_key")
    assert len(key) == 36
    assert first == {
        "app_id": "app-1",
        "target_channel": "push",
        "include_aliases": {"external_id": ["c-1"]},
        "headings": dict.fromkeys(("en", "de"), "Die Erstattung ist da"),
        "contents": dict.fromkeys(("en", "de"), "Wir haben 49,90 € erstattet."),
    }
    assert vendor.received[0].path == "/notifications"
    assert vendor.received[0].headers["authorization"] == "Key os_key"


@pytest.mark.parametrize(
    ("status", "body", "meant", "says"),
    [
        (200, {"id": "", "errors": ["All included players are not subscribed"]},
         ProviderRejected, "no_device"),
        (200, {"id": "n", "errors": {"invalid_aliases": {"external_id": ["c-1"]}}},
         ProviderRejected, "no_device"),
        (400, {"errors": ["Message too long"]}, ProviderRejected, "onesignal_400"),
        (403, {"errors": ["Access denied"]}, ProviderUnavailable, "onesignal_403"),
        (429, {}, ProviderUnavailable, ""),
        (503, {}, OutcomeUnknown, ""),
        (400, {"message": "a proxy"}, OutcomeUnknown, ""),
        (200, {"errors": []}, OutcomeUnknown, ""),
        (202, {"id": "n"}, OutcomeUnknown, ""),
    ],
)  # fmt: skip
async def test_what_onesignal_answers_means(
    http: HttpClient,
    vendor: Receiver,
    status: int,
    body: dict[str, Any],
    meant: type[Exception],
    says: str,
) -> None:
    vendor.answer = answering(status, body)
    with pytest.raises(meant, match=says or None):
        await push(http, vendor)


@pytest.mark.parametrize("messenger", [TwilioMessenger, OneSignalMessenger])
@pytest.mark.parametrize(
    "base_url",
    [
        "https://evil.example",
        "http://api.twilio.com",
        "https://api.twilio.com.evil.example",
        "https://evil@api.twilio.com",
        "https://api.twilio.com:8443",
        "https://api.twilio.com:x",
        "https://api.twilio.com/path",
        "http://127.0.0.1:1",
        "http://10.0.0.1",
        "https://api.onesignal.com?x=1",
    ],
)
async def test_nobody_but_the_vendor_is_called(
    http: HttpClient, messenger: Any, base_url: str
) -> None:
    made = messenger(http)
    assert made.refusal(base_url) is not None
    with pytest.raises(ProviderUnavailable, match="bad_address"):
        await made.send(MessagingAccount(base_url, "token", SID), SENDER, message())


def test_the_vendors_own_addresses_are_known(http: HttpClient) -> None:
    assert TwilioMessenger(http).refusal("https://api.twilio.com/") is None
    assert TwilioMessenger(http).refusal("https://api.dublin.ie1.twilio.com") is None
    assert OneSignalMessenger(http).refusal("https://api.onesignal.com") is None
