"""Push by OneSignal: to the devices on which a shop's customer is logged in.

Owns the form of one notification and what an answer means; the app has to log its users in under
the platform's customer id (OneSignal's ``external_id``). A second try is recognised there by its
``idempotency_key``. Refuses to own the words and retries. Source: OneSignal's REST API, create
notification.
"""

from __future__ import annotations

import re
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import orjson

from returns_api.adapters.http import Call, HttpClient, Reply
from returns_api.adapters.notifiers.vendors import refuse_account, unreadable, vendor_refusal
from returns_api.ports.errors import ProviderRejected, ProviderUnavailable
from returns_api.ports.messaging import Message, MessagingAccount, Sender

HOSTS: Final = re.compile(r"api\.onesignal\.com")
TEXT_MAX: Final = 1_000
"""Characters of the words; a push holds about 4 kB in all."""


class OneSignalMessenger:
    """``ports.messaging.Messenger`` for push. The account is the app's id, the secret its API key.
    ``allow_loopback`` is for development only."""

    channel = "push"

    def __init__(self, http: HttpClient, *, allow_loopback: bool = False) -> None:
        self._http = http
        self._allow_loopback = allow_loopback

    def refusal(self, base_url: str) -> str | None:
        """Why this address may not be used: it is not OneSignal's."""
        return vendor_refusal(base_url, HOSTS, allow_loopback=self._allow_loopback)

    def sender_refusal(self, address: str) -> str | None:
        """None: a push comes from the app, whatever the sender is called."""
        return None

    async def send(self, account: MessagingAccount, sender: Sender, message: Message) -> None:
        """One notification to all devices of the customer. Raises as the port says."""
        if self.refusal(account.base_url) is not None:
            raise ProviderUnavailable("bad_address")
        accept(await self._http.send(build_send(account, message)))


def build_send(account: MessagingAccount, message: Message) -> Call:
    """POST of a notification; what is no language of ours is English, which they ask for always."""
    content = message.content
    text = " ".join(content.lines)[:TEXT_MAX] or content.subject
    languages = {"en", message.language}
    body = {
        "app_id": account.account,
        "target_channel": "push",
        "include_aliases": {"external_id": [message.to]},
        "headings": dict.fromkeys(languages, content.subject),
        "contents": dict.fromkeys(languages, text),
        "idempotency_key": str(uuid5(NAMESPACE_URL, message.id)),
    }
    headers = {"authorization": f"Key {account.secret}", "content-type": "application/json"}
    return Call(
        "POST", f"{account.base_url.rstrip('/')}/notifications", headers, orjson.dumps(body)
    )


def accept(reply: Reply) -> None:
    """Returns when OneSignal took the notification over. Raises as the port says.

    Their 200 can mean that nobody was reached: an empty id, or the alias among the errors.
    """
    refuse_account(reply.status, "onesignal")
    answer = reply.json_object()
    if reply.status == 400 and "errors" in answer:
        raise ProviderRejected("onesignal_400", "the notification was refused")
    if reply.status != 200:
        raise unreadable("onesignal", reply.status)
    errors = answer.get("errors")
    if answer.get("id") == "" or (isinstance(errors, dict) and "invalid_aliases" in errors):
        raise ProviderRejected("no_device", "the customer is on no device")
    if not isinstance(answer.get("id"), str):
        raise unreadable("onesignal", reply.status)
