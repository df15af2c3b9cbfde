"""The job behind every message to a buyer: claim, look, find the words, send, record.

The claim counts the try before it runs; the outcome is written only where the same try still holds
the row. What is said, and to whom, is looked up when it is sent: a buyer who was erased meanwhile,
who opted out, or whose return went on is not told. A try whose outcome nobody knows is made again
under the same Message-ID.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from returns_api.db import cases, notification_settings, opt_outs, telling
from returns_api.db import messages as message_rows
from returns_api.db import notifications as rows
from returns_api.db import withdrawals as withdrawal_rows
from returns_api.db.engine import Row, Transaction
from returns_api.db.outbox import Job, due_in
from returns_api.domain import ids
from returns_api.domain.calendars import local_date
from returns_api.domain.notifications import (
    ADDRESS_OF,
    KINDS,
    REMINDER,
    WITHDRAWN,
    Channel,
    Outcome,
    calm_again,
    concerns_buyer,
    date_header,
    is_near,
    is_wanted,
    languages,
    message_id,
    put_off,
    reminder_at,
    untold,
)
from returns_api.domain.people import normalise_email
from returns_api.domain.policy.texts import amount
from returns_api.domain.withdrawals import words_of
from returns_api.ports.messaging import Message
from returns_api.usecases._announce import announce
from returns_api.usecases._messaging import Outgoing, send
from returns_api.usecases.context import Context
from returns_api.usecases.opt_outs import link

_AMOUNTS: Final = ("amount", "balance", "difference", "due", "if_declined")


@dataclass(frozen=True, slots=True)
class Held:
    """A claimed notification with what it is to say, or how it ends unsent."""

    row: Row
    language: str | None
    outgoing: Outgoing | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What all notifications of one event share."""

    shop: UUID
    event: Row
    channels: Mapping[str, Row]
    due_at: datetime | None
    now: datetime
    withdrawal: Row | None = None
    """What the event is of, where it acknowledges one."""
    said: str | None = None
    """The words of the message that the event names; None once they were erased."""

    @property
    def language(self) -> str:
        if self.withdrawal is not None:
            return str(self.withdrawal["language"])
        return languages(self.event["locale"], self.event["shop_locale"])


async def send_notification(ctx: Context, shop: UUID, event_id: UUID) -> None:
    """Tell the buyer of an event on every channel where it is due; nothing happens when none is."""
    async with ctx.database.transaction(shop) as tx:
        held = await _hold(tx, ctx, event_id)
    done = await asyncio.gather(
        *(_tell(ctx, shop, each) for each in held if each.outgoing is not None),
        return_exceptions=True,
    )
    for failure in done:
        if isinstance(failure, BaseException):
            raise failure


async def due_notifications(ctx: Context, limit: int) -> list[tuple[UUID, UUID]]:
    """Shop and event of notifications whose time has come: the repair of a lost wake-up."""
    found = await ctx.database.sweep(rows.DUE, now=ctx.clock(), limit=limit)
    return [(row["shop_id"], row["event_id"]) for row in found]


async def _hold(tx: Transaction, ctx: Context, event_id: UUID) -> list[Held]:
    """Claim what is due and decide about each; what is not to be sent ends here."""
    now = ctx.clock()
    claimed = await rows.claim(tx, event_id, now, now + ctx.lease)
    event = await telling.event(tx, event_id) if claimed else None
    if event is None:
        return []
    due_at = await telling.buyers_deadline(tx, event)
    channels = await notification_settings.sending(tx)
    withdrawal = None
    if event["type"] == WITHDRAWN:
        withdrawal = await withdrawal_rows.one(tx, event["resource_id"])
    said = await _said(tx, event)
    scene = Scene(tx.shop, event, channels, due_at, now, withdrawal, said)
    held = [await _judge(tx, ctx, scene, row) for row in claimed]
    for each in held:
        if each.outcome is not None:
            await _write(tx, ctx, each, each.outcome)
    return held


async def _said(tx: Transaction, event: Row) -> str | None:
    """What was said with a complaint's act, where the event names it."""
    name = event["data"].get("message") if event["resource_type"] == "complaint" else None
    message = None if name is None else ids.decode("msg", name)
    return None if message is None else await message_rows.words(tx, message)


async def _judge(tx: Transaction, ctx: Context, scene: Scene, row: Row) -> Held:
    """What is to be sent, or why nothing is."""
    kind, channel = row["kind"], scene.channels.get(row["channel"])
    outcome = _unwanted(scene, row, channel)
    if channel is None or outcome is not None:
        return Held(row, None, outcome=outcome or untold("not_connected"))
    if kind != REMINDER:
        await _remind_later(tx, ctx, scene, row)
    if not is_wanted(kind, channel["switched_off"]):
        return Held(row, None, outcome=untold("switched_off"))
    address = _address(scene, row["channel"])
    if not address:
        return Held(row, None, outcome=untold("no_address"))
    key = ctx.sealer.keyed_hash(normalise_email(address))
    if not KINDS[kind].always and await opt_outs.is_out(tx, key, row["channel"]):
        return Held(row, None, outcome=untold("opted_out"))
    if KINDS[kind].calm and await cases.is_open(tx, row["order_id"]):
        return Held(row, None, outcome=calm_again(scene.event["at"], scene.now))
    message = _message(ctx, scene, row, channel, address)
    return Held(row, scene.language, Outgoing(channel, message, row["attempt"]))


def _address(scene: Scene, channel: str) -> str | None:
    """The person's address on the channel; of a withdrawal, the one that its statement names."""
    if scene.withdrawal is not None:
        return scene.withdrawal["contact"] if channel == Channel.EMAIL else None
    found: str | None = scene.event[ADDRESS_OF[channel]]
    return found


def _unwanted(scene: Scene, row: Row, channel: Row | None) -> Outcome | None:
    """What ends or puts off a notification whatever the buyer wants."""
    if scene.event["erased_at"] is not None:
        return untold("erased")
    if not concerns_buyer(scene.event["data"]):
        return untold("not_for_the_buyer")
    if channel is None:
        return untold("not_connected")
    return _not_yet(scene) if row["kind"] == REMINDER else None


def _not_yet(scene: Scene) -> Outcome | None:
    """A reminder ends with what it reminds of, and waits with it."""
    if scene.due_at is None or scene.due_at <= scene.now:
        return untold("over")
    later = None if is_near(scene.due_at, scene.now) else reminder_at(scene.due_at, scene.now)
    return None if later is None else put_off(later)


async def _remind_later(tx: Transaction, ctx: Context, scene: Scene, row: Row) -> None:
    """Where the event began a deadline of the buyer's, a reminder before it ends."""
    begins = row["kind"] in KINDS[REMINDER].events and scene.due_at is not None
    at = reminder_at(scene.due_at, scene.now) if begins and scene.due_at is not None else None
    if at is None or not is_wanted(REMINDER, scene.channels[row["channel"]]["switched_off"]):
        return
    kept = {name: row[name] for name in ("event_id", "channel", "order_id", "return_id")}
    await rows.add(tx, **kept, kind=REMINDER, due_at=at)


def _message(ctx: Context, scene: Scene, row: Row, channel: Row, address: str) -> Message:
    event, kind = scene.event, row["kind"]
    always = KINDS[kind].always
    url = None if always else link(ctx, scene.shop, event["id"], row["channel"])
    facts = _facts(scene, url)
    return Message(
        id=message_id(event["id"], kind, channel["sender"]["address"]),
        date=date_header(row["created_at"]),
        to=address,
        language=scene.language,
        content=ctx.composer.compose(kind, scene.language, facts),
        opt_out_url=url,
        tries=row["attempt"],
    )


def _facts(scene: Scene, opt_out_url: str | None) -> dict[str, Any]:
    """What the words may say; None where there is nothing of the kind."""
    event, data = scene.event, scene.event["data"]
    zone = ZoneInfo(event["timezone"])
    money = {
        name: amount(data[name], data["currency"], scene.language) if name in data else None
        for name in _AMOUNTS
    }
    return {
        **money,
        "name": event["name"],
        "shop": event["shop_name"],
        "order": event["order_number"],
        "number": event["return_number"],
        "until": None if scene.due_at is None else local_date(scene.due_at, zone).isoformat(),
        "question": event["info_request"],
        "label_url": event["label_url"],
        "approved": data.get("state") == "approved",
        "partly": event["partly"],
        "tells": event["type"],
        "words": scene.said,
        "promised": _day(data.get("promised_by"), zone),
        "review_url": event["after_sales"].get("review_url"),
        "opt_out_url": opt_out_url,
        **_of_withdrawal(scene.withdrawal, zone),
    }


def _day(moment: str | None, zone: ZoneInfo) -> str | None:
    """The last day that ends at the moment, as a date."""
    if moment is None:
        return None
    return local_date(datetime.fromisoformat(moment) - timedelta(seconds=1), zone).isoformat()


def _of_withdrawal(row: Row | None, zone: ZoneInfo) -> dict[str, Any]:
    return {} if row is None else words_of(row["body"], dict(row), zone)


async def _tell(ctx: Context, shop: UUID, held: Held) -> None:
    assert held.outgoing is not None
    outcome = await send(ctx, held.outgoing)
    async with ctx.database.transaction(shop) as tx:
        await _write(tx, ctx, held, outcome)


async def _write(tx: Transaction, ctx: Context, held: Held, outcome: Outcome) -> None:
    """Write the outcome, unless another try holds the row; wake the next try."""
    now = ctx.clock()
    kept = await rows.finish(
        tx,
        held.row,
        uncounted=outcome.due_at is not None and outcome.reason is None,
        state=outcome.state,
        due_at=outcome.due_at,
        reason=outcome.reason,
        language=held.language,
        ended_at=now if outcome.due_at is None else None,
    )
    if kept and outcome.due_at is not None:
        wait = due_in(now, outcome.due_at)
        await announce(tx, ctx, [], [Job("send_notification", held.row["event_id"], wait)])
