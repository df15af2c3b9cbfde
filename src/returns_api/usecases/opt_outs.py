"""Opting out of notifications by a signed link that names nobody (RFC 8058).

The link is good as long as its order's person is kept: an old message must be able to stop new
ones. Whoever has it can stop messages and nothing else.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from returns_api.db import opt_outs as rows
from returns_api.db import telling
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.errors import NotFound
from returns_api.domain.notifications import ADDRESS_OF, languages, opt_out_text
from returns_api.domain.people import normalise_email
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context


def link(ctx: Context, shop: UUID, event_id: UUID, channel: str) -> str:
    """An address where a POST stops further messages to whoever this one went to."""
    signature = urlsafe_b64encode(_signature(ctx, shop, event_id, channel)).decode().rstrip("=")
    query = f"shop={ids.encode('shp', shop)}&channel={channel}&signature={signature}"
    return f"{ctx.public_url}/v1/notifications/{ids.encode('evt', event_id)}/opt-out?{query}"


async def view_opt_out(
    ctx: Context, shop: UUID, event_id: UUID, channel: str, signature: str
) -> str:
    """The page that asks whether messages shall stop. Raises ``NotFound`` for a wrong link."""
    _check(ctx, shop, event_id, channel, signature)
    async with ctx.database.transaction(shop) as tx:
        event = await _event(tx, event_id)
    return ctx.composer.page(languages(event["locale"], event["shop_locale"]), done=False)


async def opt_out(ctx: Context, shop: UUID, event_id: UUID, channel: str, signature: str) -> str:
    """Stop messages on this channel to the address of the event's order; the page that says so.

    A second time changes nothing, and so does an order whose person was erased.

    Raises:
        NotFound: a wrong link.
    """
    _check(ctx, shop, event_id, channel, signature)
    async with ctx.database.transaction(shop) as tx:
        event = await _event(tx, event_id)
        address = event[ADDRESS_OF[channel]]
        if address:
            key = ctx.sealer.keyed_hash(normalise_email(address))
            await rows.add(tx, key, channel, ctx.clock())
    return ctx.composer.page(languages(event["locale"], event["shop_locale"]), done=True)


def _check(ctx: Context, shop: UUID, event_id: UUID, channel: str, signature: str) -> None:
    wanted = _signature(ctx, shop, event_id, channel)
    try:
        given = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    except ValueError:
        given = b""
    if not hmac.compare_digest(wanted, given):
        raise NotFound(NO_SUCH_THING)


def _signature(ctx: Context, shop: UUID, event_id: UUID, channel: str) -> bytes:
    return ctx.sealer.keyed_hash(opt_out_text(shop, event_id, channel))


async def _event(tx: Transaction, event_id: UUID) -> Row:
    found = await telling.event(tx, event_id)
    if found is None:
        raise NotFound(NO_SUCH_THING)
    return found
