"""Webhooks out as pure rules: what is sent, when it is tried again, when an address is given up.

Owns the message (Standard Webhooks 1.0, https://www.standardwebhooks.com), the schedule of tries
and the meaning of an answer. Refuses to own signing, sending and rows (``usecases.deliveries``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from returns_api.domain import ids

MESSAGE_MAX_BYTES: Final = 20_000
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between the ten tries: 75 h 35 min 5 s in all, before jitter (Standard Webhooks, "Retries")."""

MAX_TRIES: Final = len(WAITS) + 1
JITTER_PERCENT: Final = 10
MAX_RETRY_AFTER: Final = timedelta(hours=24)
FAILING_TOO_LONG: Final = timedelta(days=5)
REPLAY_WINDOW: Final = timedelta(days=30)

EVERYTHING: Final = "*"
TOPIC: Final = re.compile(r"\*|[a-z][a-z_]{0,39}\.(\*|[a-z][a-z_]{0,39})")
"""``*``, a family such as ``refund.*``, or one type such as ``refund.succeeded``."""

PREFIXES: Final[Mapping[str, str]] = {
    "advance": "adv",
    "audit": "aud",
    "connection": "con",
    "credential": "key",
    "gift_receipt": "gft",
    "inspection": "ins",
    "listing": "lst",
    "message": "msg",
    "note": "nt",
    "notification_settings": "nst",
    "order": "ord",
    "policy_version": "pv",
    "quote": "qt",
    "receipt": "rec",
    "recovery": "rcv",
    "refund": "ref",
    "return": "ret",
    "return_line": "rl",
    "shipment": "shm",
    "shop": "shp",
    "store_credit": "sc",
    "transfer": "trf",
    "webhook_endpoint": "whe",
    "withdrawal": "wdr",
}
"""The public prefix of every kind of thing that events tell about."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one try. ``status`` is None when nobody answered; ``error`` is a stable code."""

    status: int | None
    retry_after_seconds: float | None = None
    error: str | None = None

    @property
    def taken(self) -> bool:
        """Only 2xx counts. A redirect is a failure: following it would leave the checked host."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to write. ``disable`` is the reason to give up the whole endpoint, if there is one."""

    state: str
    due_at: datetime | None
    failing_since: datetime | None
    disable: str | None = None


def resource_id(resource_type: str, value: UUID) -> str:
    """The public id of the thing that an event is about."""
    return ids.encode(PREFIXES.get(resource_type, resource_type), value)


def parse_resource(text: str) -> UUID | None:
    """The id behind a public one of any kind of thing that events tell about; None for others."""
    prefix = text.partition("_")[0]
    return ids.decode(prefix, text) if prefix in PREFIXES.values() else None


def message(shop: UUID, event: Mapping[str, Any]) -> bytes:
    """The bytes that are signed and sent: the same for every try, since events never change.

    Data that would make them larger than 20 kB is left out and says so; the receiver reads the
    resource instead.
    """
    body = _body(shop, event, dict(event["data"]))
    return body if len(body) <= MESSAGE_MAX_BYTES else _body(shop, event, {"omitted": True})


def _body(shop: UUID, event: Mapping[str, Any], data: Mapping[str, Any]) -> bytes:
    envelope = {
        "type": event["type"],
        "id": ids.encode("evt", event["id"]),
        "at": event["at"].astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "shop": ids.encode("shp", shop),
        "resource": resource_id(event["resource_type"], event["resource_id"]),
        "sequence": event["sequence"],
        "data": data,
    }
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()


def wait_after(tries: int, seed: str) -> timedelta | None:
    """How long to wait after that many failed tries; None when there is no further one.

    The jitter is ± 10 %, drawn from ``seed`` and the number of the try, so that a crash between
    two tries changes nothing.
    """
    if tries >= MAX_TRIES:
        return None
    drawn = int.from_bytes(sha256(f"{seed}/{tries}".encode()).digest()[:4])
    permille = 1000 - 10 * JITTER_PERCENT + drawn % (20 * JITTER_PERCENT + 1)
    return WAITS[tries - 1] * permille // 1000


def judge(
    heard: Heard, *, tries: int, seed: str, failing_since: datetime | None, now: datetime
) -> Verdict:
    """What one try means for its delivery and its endpoint.

    ``tries`` counts this one. An endpoint is given up at 410, or when nothing got through for five
    days; a single failure cannot reach that, since its delivery is tried over 76 h first.
    """
    if heard.taken:
        return Verdict("succeeded", None, None)
    since = failing_since or now
    if heard.status == 410:
        return Verdict("dead", None, since, "gone")
    if now - since >= FAILING_TOO_LONG:
        return Verdict("dead", None, since, "failing")
    wait = wait_after(tries, seed)
    if wait is None:
        return Verdict("dead", None, since)
    asked = min(timedelta(seconds=heard.retry_after_seconds or 0), MAX_RETRY_AFTER)
    return Verdict("queued", now + max(wait, asked), since)
