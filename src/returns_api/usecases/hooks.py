"""The door for webhooks: verify over the raw bytes, store once, answer. Nothing is processed here.

An unknown shop, an unknown source, a switched-off connection and a wrong signature are one answer
and one amount of work: the body is always checked against a secret, if need be one that nobody has.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from returns_api.crashpoints import crashpoint
from returns_api.db import connections, inbox
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, emit
from returns_api.domain import ids
from returns_api.domain.errors import BadSignature
from returns_api.ports.carriers import Carrier
from returns_api.ports.payments import PaymentProvider
from returns_api.ports.shops import ShopPlatform
from returns_api.usecases._connections import open_webhook_secrets
from returns_api.usecases.context import Context
from returns_api.usecases.inbox import UNREADABLE

NOBODY: Final = UUID(int=0)
"""A shop that cannot exist: ids of ours carry a version."""
SOURCE_MAX: Final = 64
EVENT_ID_MAX: Final = 255
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DUMMY_SECRETS: Final = ("nobody-signs-with-this",)

Adapter = ShopPlatform | PaymentProvider | Carrier


@dataclass(frozen=True, slots=True)
class _Envelope:
    event_id: str
    topic: str


async def store_hook(
    ctx: Context, shop_text: str, source: str, headers: Mapping[str, str], body: bytes
) -> None:
    """Store an authentic message for processing; a second delivery of the same event is stored not.

    ``headers`` has lower-case names, each header that came exactly once. A body in which no event
    can be read is stored under its own digest: it is authentic, so it is not lost.

    Raises:
        BadSignature: for whatever reason; nothing was written.
    """
    shop = ids.decode("shp", shop_text) or NOBODY
    known = source if _storable(source, SOURCE_MAX) else ""
    async with ctx.database.transaction(shop) as tx:
        connection = await connections.by_source(tx, known)
        adapter = _adapter(ctx, connection)
        secrets: tuple[str, ...] = _DUMMY_SECRETS
        if connection is not None and adapter is not None:
            secrets = open_webhook_secrets(ctx, connection) or _DUMMY_SECRETS
        genuine = _verify(ctx, adapter, headers, body, secrets)
        if connection is None or adapter is None or not genuine or secrets is _DUMMY_SECRETS:
            raise BadSignature("The signature does not match.")
        envelope = _open(ctx, connection, headers, body)
        crashpoint("I1")
        await _store(tx, ctx, known, envelope, body)
    crashpoint("I2")
    ctx.wake()


def _adapter(ctx: Context, connection: Row | None) -> Adapter | None:
    if connection is None:
        return None
    adapters: Mapping[str, Mapping[str, Adapter]] = {
        "shop": ctx.shops,
        "payments": ctx.payments,
        "carrier": ctx.carriers,
    }
    return adapters[connection["kind"]].get(connection["adapter"])


def _verify(
    ctx: Context,
    adapter: Adapter | None,
    headers: Mapping[str, str],
    body: bytes,
    secrets: tuple[str, ...],
) -> bool:
    """Without an adapter any one does the same work."""
    stand_in: Adapter | None = adapter or next(iter(ctx.shops.values()), None)
    return stand_in is not None and stand_in.verify(headers, body, secrets, ctx.clock())


def _open(ctx: Context, connection: Row, headers: Mapping[str, str], body: bytes) -> _Envelope:
    """Which event it is: shops say it in headers, providers and carriers in the body.

    Raises ``BadSignature`` for headers that name no event: they are part of what was sent.
    """
    kind, adapter = connection["kind"], connection["adapter"]
    try:
        if kind == "shop":
            delivery = ctx.shops[adapter].envelope(headers, body)
            return _Envelope(delivery.event_id, delivery.topic)
        reader = ctx.payments[adapter] if kind == "payments" else ctx.carriers[adapter]
        event = reader.parse_event(body)
        if _storable(event.event_id, EVENT_ID_MAX) and _storable(event.topic, EVENT_ID_MAX):
            return _Envelope(event.event_id, event.topic)
    except ValueError as unnamed:
        if kind == "shop":
            raise BadSignature("The signature does not match.") from unnamed
    return _Envelope(f"sha256:{hashlib.sha256(body).hexdigest()}", UNREADABLE)


def _storable(text: str, longest: int) -> bool:
    """PostgreSQL keeps no NUL, UTF-8 no lone surrogate."""
    return 0 < len(text) <= longest and "\x00" not in text and not _SURROGATE.search(text)


async def _store(
    tx: Transaction, ctx: Context, source: str, envelope: _Envelope, body: bytes
) -> None:
    message_id = ctx.new_id()
    new = await inbox.add(
        tx,
        message_id=message_id,
        source=source,
        event_id=envelope.event_id,
        topic=envelope.topic,
        body=body,
        received_at=ctx.clock(),
    )
    if new:
        await emit(tx, [], [Job("process_inbox", message_id)])
