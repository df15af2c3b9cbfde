"""How a shop tells its buyers: by which connection, as whom, and what not; and what was told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.db import connections as connection_rows
from returns_api.db import notification_settings as rows
from returns_api.db import notifications, rate_limits, shops
from returns_api.db.engine import Row, Transaction
from returns_api.db.rate_limits import Bucket
from returns_api.domain.errors import (
    Conflict,
    DoesNotFit,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from returns_api.domain.events import By, Event
from returns_api.domain.notifications import KINDS, Outcome, topics
from returns_api.domain.policy.texts import language_of
from returns_api.ports.messaging import Message, Messenger, Sender
from returns_api.usecases._announce import announce
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases._messaging import Outgoing, send
from returns_api.usecases.context import Context

TESTS_PER_MINUTE: Final = 5
"""Messages to any address; a shop's key is no open relay."""
TEST_KIND: Final = "test"


@dataclass(frozen=True, slots=True)
class NotificationValues:
    """What a caller writes: ``switched_off`` are names of kinds."""

    sender: Sender
    active: bool
    switched_off: tuple[str, ...]


async def list_settings(ctx: Context, shop: UUID) -> list[Row]:
    """All channels that were ever set up."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.everything(tx)


async def put_settings(
    ctx: Context, shop: UUID, by: By, source: str, new: NotificationValues, version: int | None
) -> tuple[Row, bool]:
    """Tell buyers by the connection ``source``; the second value tells whether it is new.

    A channel has one connection: writing another one's settings puts it in the place of the first.

    Raises:
        NotFound: there is no such connection.
        Conflict: it is not one for messages, or it was deactivated.
        DoesNotFit: a kind that does not exist, or a sender that the channel does not know.
        PreconditionRequired, PreconditionFailed: the channel's settings exist and were not read,
            or changed since.
    """
    _check(new.switched_off)
    async with ctx.database.transaction(shop) as tx:
        await shops.lock(tx)
        messenger = await _messenger_of(tx, ctx, source)
        _check_sender(messenger, new.sender.address)
        current = await rows.lock(tx, messenger.channel)
        _check_version(current, version)
        values = {
            "source": source,
            "sender": asdict(new.sender),
            "active": new.active,
            "switched_off": list(new.switched_off),
            "topics": topics(new.switched_off),
            "updated_at": ctx.clock(),
        }
        if current is None:
            saved = await rows.add(tx, id=ctx.new_id(), channel=messenger.channel, **values)
        else:
            saved = await rows.save(tx, id=current["id"], **values)
        await announce(tx, ctx, [_event(ctx, saved, by)])
    return saved, current is None


async def send_test(ctx: Context, shop: UUID, source: str, to: str) -> Outcome:
    """One message to ``to`` by the stored settings of the connection, now and once.

    Raises:
        NotFound, Conflict: as ``put_settings``; no settings use the connection.
        RateLimited: too many tests.
    """
    async with ctx.database.transaction(shop) as tx:
        bucket = Bucket(ctx.sealer.keyed_hash(f"notification tests {shop}"), TESTS_PER_MINUTE)
        await rate_limits.hit(tx, [bucket], ctx.clock())
    async with ctx.database.transaction(shop) as tx:
        await _messenger_of(tx, ctx, source)
        settings = await rows.by_source(tx, source)
        row = await shops.one(tx)
    if settings is None:
        raise Conflict("No settings use this connection yet; write them first.", source=source)
    language = language_of(row["locale"])
    message = Message(
        id=f"<{ctx.new_id()}.test@{settings['sender']['address'].rpartition('@')[2]}>",
        date=ctx.clock(),
        to=to,
        language=language,
        content=ctx.composer.compose(TEST_KIND, language, {"shop": row["name"], **_NOTHING}),
        opt_out_url=None,
    )
    return await send(ctx, Outgoing(settings, message, 1))


_NOTHING: Final[dict[str, Any]] = dict.fromkeys(("name", "order", "number", "opt_out_url"))


async def list_notifications(
    ctx: Context,
    shop: UUID,
    *,
    before: UUID,
    limit: int,
    state: str | None,
    order_id: UUID | None,
) -> list[Row]:
    """What buyers were told or will be, newest event first; of one order, if said."""
    async with ctx.database.transaction(shop) as tx:
        return await notifications.page(
            tx, before=before, limit=limit, state=state, order_id=order_id
        )


def _check(switched_off: Collection[str]) -> None:
    for kind in switched_off:
        if kind not in KINDS or KINDS[kind].always:
            may = sorted(name for name, known in KINDS.items() if not known.always)
            raise DoesNotFit(
                f"'{kind}' is no kind that can be switched off.",
                errors=[{"field": "switched_off", "allowed": may}],
            )


def _check_sender(messenger: Messenger, address: str) -> None:
    problem = messenger.sender_refusal(address)
    if problem is not None:
        raise DoesNotFit(
            f"This cannot send on the channel {messenger.channel}: {problem}.",
            errors=[{"field": "sender.address", "problem": problem}],
        )


async def _messenger_of(tx: Transaction, ctx: Context, source: str) -> Messenger:
    connection = await connection_rows.find(tx, source)
    if connection is None:
        raise NotFound(NO_SUCH_THING)
    messenger = ctx.messengers.get(connection["adapter"])
    if connection["kind"] != "messaging" or not connection["active"] or messenger is None:
        raise Conflict("This connection sends no messages.", source=source)
    return messenger


def _check_version(current: Row | None, version: int | None) -> None:
    if current is None and version is not None:
        raise PreconditionFailed("There are no such settings yet.")
    if current is not None and version is None:
        raise PreconditionRequired("They exist: send If-Match with the ETag that you read.")
    if current is not None and version != current["version"]:
        raise PreconditionFailed("The settings changed since you read them.")


def _event(ctx: Context, saved: Row, by: By) -> Event:
    return Event(
        id=ctx.new_id(),
        type="notification_settings.changed",
        resource_type="notification_settings",
        resource_id=saved["id"],
        sequence=saved["version"],
        at=ctx.clock(),
        by=by,
        data={
            "channel": saved["channel"],
            "source": saved["source"],
            "active": saved["active"],
            "switched_off": saved["switched_off"],
        },
    )
