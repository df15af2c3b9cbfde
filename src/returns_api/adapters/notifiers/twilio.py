"""SMS by Twilio (Messages resource of API 2010-04-01).

Owns the form of one message, what Twilio's refusals mean, and that nobody gets one twice: Twilio
has no idempotency keys, so before a second try it is asked for what it sent to that number already.
Refuses to own the words and retries. Source: Twilio's own description (twilio/twilio-oai).
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final
from urllib.parse import quote, urlencode

from returns_api.adapters import fields
from returns_api.adapters.http import Call, HttpClient, Reply
from returns_api.adapters.notifiers.vendors import refuse_account, unreadable, vendor_refusal
from returns_api.ports.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from returns_api.ports.messaging import Message, MessagingAccount, Sender

BODY_MAX: Final = 1_600
"""Characters of one message; Twilio refuses more (21617)."""
PAGE_SIZE: Final = 100
"""Messages to one number that are looked through, newest first."""
HOSTS: Final = re.compile(r"api(\.[a-z0-9-]+\.[a-z0-9-]+)?\.twilio\.com")
PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
"""E.164."""
SENDER: Final = re.compile(r"\+[1-9][0-9]{6,14}|MG[0-9a-f]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
"""A number, a messaging service, or a name where the country allows one."""
SETUP_CODES: Final = frozenset({20003, 20404, 21212, 21603, 21606, 21611, 21660, 21703, 30001})
"""About our sender or our queue: whoever manages the shop or a moment can mend them."""
_LOOSE: Final = re.compile(r"[\s().\-/]")


class TwilioMessenger:
    """``ports.messaging.Messenger`` for SMS. The account is the account's SID, the secret its auth
    token. ``allow_loopback`` is for development only."""

    channel = "sms"

    def __init__(self, http: HttpClient, *, allow_loopback: bool = False) -> None:
        self._http = http
        self._allow_loopback = allow_loopback

    def refusal(self, base_url: str) -> str | None:
        """Why this address may not be used: it is not Twilio's."""
        return vendor_refusal(base_url, HOSTS, allow_loopback=self._allow_loopback)

    def sender_refusal(self, address: str) -> str | None:
        """Why this cannot send SMS: no number, messaging service or name."""
        return None if SENDER.fullmatch(address) else "it is no number, MG… or name of 11 letters"

    async def send(self, account: MessagingAccount, sender: Sender, message: Message) -> None:
        """One message, unless an earlier try brought it. Raises as the port says."""
        if self.refusal(account.base_url) is not None:
            raise ProviderUnavailable("bad_address")
        to = number_of(message.to)
        text = body_of(sender, message)
        if message.tries > 1 and await self._was_sent(account, to, text):
            return
        accept(await self._http.send(build_send(account, sender, to, text)))

    async def _was_sent(self, account: MessagingAccount, to: str, text: str) -> bool:
        """Raises ``OutcomeUnknown`` where that cannot be told: rather none than two."""
        try:
            reply = await self._http.send(build_list(account, to))
            if reply.status != 200:
                raise unreadable("twilio", reply.status)
            sent = fields.objects(reply.json_object(), "messages")
        except (ProviderUnavailable, ValueError) as unclear:
            raise OutcomeUnknown("could not look before sending again") from unclear
        return any(each.get("body") == text for each in sent)


def number_of(phone: str) -> str:
    """The number as Twilio wants it. Raises ``ProviderRejected`` for one without a country."""
    number = _LOOSE.sub("", phone)
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if not PHONE.fullmatch(number):
        raise ProviderRejected("not_a_number", "it has no country code, or is no phone number")
    return number


def body_of(sender: Sender, message: Message) -> str:
    """The words of one SMS. The link to opt out names the event, so that no two are alike."""
    content = message.content
    text = " ".join([f"{sender.name}: {content.subject}.", *content.lines])
    link = "" if message.opt_out_url is None else f"\n{message.opt_out_url}"
    return text[: BODY_MAX - len(link)] + link


def build_send(account: MessagingAccount, sender: Sender, to: str, text: str) -> Call:
    """POST of a message."""
    service = sender.address.startswith("MG") and len(sender.address) == 34
    form = {
        "To": to,
        "MessagingServiceSid" if service else "From": sender.address,
        "Body": text,
    }
    headers = {**_headers(account), "content-type": "application/x-www-form-urlencoded"}
    return Call("POST", _url(account), headers, urlencode(form).encode("ascii"))


def build_list(account: MessagingAccount, to: str) -> Call:
    """GET of the newest messages to a number."""
    query = urlencode({"To": to, "PageSize": PAGE_SIZE})
    return Call("GET", f"{_url(account)}?{query}", _headers(account))


def accept(reply: Reply) -> None:
    """Returns when Twilio took the message over. Raises as the port says."""
    refuse_account(reply.status, "twilio")
    answer = reply.json_object()
    if reply.status == 201 and isinstance(answer.get("sid"), str):
        return
    code = answer.get("code")
    if reply.status != 400 or not isinstance(code, int):
        raise unreadable("twilio", reply.status)
    if code in SETUP_CODES:
        raise ProviderUnavailable(f"twilio_{code}")
    raise ProviderRejected(f"twilio_{code}", "the message was refused")


def _url(account: MessagingAccount) -> str:
    base = account.base_url.rstrip("/")
    return f"{base}/2010-04-01/Accounts/{quote(account.account, safe='')}/Messages.json"


def _headers(account: MessagingAccount) -> dict[str, str]:
    credentials = b64encode(f"{account.account}:{account.secret}".encode()).decode("ascii")
    return {"authorization": f"Basic {credentials}", "accept": "application/json"}
