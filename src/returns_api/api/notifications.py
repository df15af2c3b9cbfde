"""Telling buyers over HTTP: how a shop does it, what was told, and the way out for a buyer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from returns_api.api.connections import SourcePath, known_source
from returns_api.api.deps import Allowed, Caller, ContextDep, Page, etag, paged
from returns_api.api.filters import OfOrder, asked_id
from returns_api.api.pages import before
from returns_api.api.preconditions import IfMatch, version_if_named
from returns_api.api.responses import BODY, EDIT, documented, refusals
from returns_api.api.schemas.base import example_id, path_id
from returns_api.api.schemas.notifications import (
    NotificationOut,
    NotificationSettingsIn,
    NotificationSettingsListOut,
    NotificationSettingsOut,
    NotificationsOut,
    NotificationState,
    NotificationTestIn,
    NotificationTestOut,
    SenderOut,
)
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Scope
from returns_api.domain.notifications import KINDS, PER_EVENT_MAX, Channel
from returns_api.ports.messaging import Sender
from returns_api.usecases import notification_settings as settings
from returns_api.usecases import opt_outs
from returns_api.usecases.notification_settings import NotificationValues

router = APIRouter(prefix="/v1", tags=["notifications"])

Manager = Annotated[Caller, Depends(Allowed(Scope.SHOP_MANAGE))]
Reviewer = Annotated[Caller, Depends(Allowed(Scope.RETURNS_REVIEW))]
Pages = Annotated[Page, Depends(paged("evt"))]
EventPath = Annotated[str, Path(examples=[example_id("evt")], max_length=100)]
ShopQuery = Annotated[str, Query(examples=[example_id("shp")], max_length=100)]
ChannelQuery = Annotated[Channel, Query(description="What to stop.")]
Signature = Annotated[
    str, Query(max_length=100, examples=["q1w2"], description="Binds the link to all of it.")
]
_PAGE: Final = "text/html"
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}
_SHOWN: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A page for a person, in the buyer's language.",
        "content": {_PAGE: {"schema": {"type": "string"}, "example": "<!doctype html>…"}},
    }
}


@router.get(
    "/admin/notification-settings",
    operation_id="listNotificationSettings",
    summary="How buyers are told",
    description="One entry for each channel that was set up. Without one, nobody is told anything.",
    responses=refusals(),
)
async def list_settings(ctx: ContextDep, caller: Manager) -> NotificationSettingsListOut:
    rows = await settings.list_settings(ctx, caller.principal.shop)
    return NotificationSettingsListOut(items=[_settings(row) for row in rows])


@router.put(
    "/admin/notification-settings/{source}",
    operation_id="putNotificationSettings",
    summary="Tell buyers by a connection",
    description=(
        "`source` is a connection of kind `messaging`; its adapter says on which channel. From then"
        " on, every transition of the kinds listed is told once. A channel has one connection:"
        " putting another one takes its place. `If-Match` names the `version` that you read."
    ),
    responses={
        201: {"model": NotificationSettingsOut, "description": "The channel is new."},
        **refusals(*BODY, *EDIT, 404, 409),
    },
)
async def put_settings(
    source: SourcePath,
    body: NotificationSettingsIn,
    ctx: ContextDep,
    caller: Manager,
    response: Response,
    if_match: IfMatch = None,
) -> NotificationSettingsOut:
    sender = body.sender
    values = NotificationValues(
        sender=Sender(sender.address, sender.name, sender.reply_to),
        active=body.active,
        switched_off=tuple(dict.fromkeys(body.switched_off)),
    )
    row, created = await settings.put_settings(
        ctx,
        caller.principal.shop,
        caller.by,
        known_source(source),
        values,
        version_if_named(if_match),
    )
    response.status_code = 201 if created else 200
    response.headers["ETag"] = etag(row["version"])
    return _settings(row)


@router.post(
    "/admin/notification-settings/{source}/test",
    operation_id="testNotifications",
    summary="Send yourself a message",
    description=(
        "Now and once, by the stored settings of the connection, also while they are not active."
        " Five a minute."
    ),
    responses=refusals(*BODY, 404, 409, 429),
)
async def send_test(
    source: SourcePath, body: NotificationTestIn, ctx: ContextDep, caller: Manager
) -> NotificationTestOut:
    outcome = await settings.send_test(ctx, caller.principal.shop, known_source(source), body.to)
    return NotificationTestOut(sent=outcome.state == "sent", reason=outcome.reason)


@router.get(
    "/admin/notifications",
    operation_id="listNotifications",
    summary="What buyers were told",
    description=(
        "Newest event first; of one order, or in one state. A page ends with all of its last event,"
        " so it may have a few more than `limit`. What was sent is never sent again; what"
        " could not be sent is tried for three days."
    ),
    responses=refusals(),
)
async def list_notifications(
    ctx: ContextDep,
    caller: Reviewer,
    page: Pages,
    state: Annotated[NotificationState | None, Query(description="Which ones.")] = None,
    order: OfOrder = None,
) -> NotificationsOut:
    found = await settings.list_notifications(
        ctx,
        caller.principal.shop,
        before=before(page, "evt"),
        limit=page.limit + PER_EVENT_MAX,
        state=None if state is None else state.value,
        order_id=asked_id("ord", order),
    )
    shown, next_cursor = _cut(found, page.limit)
    return NotificationsOut(items=[_notification(row) for row in shown], next_cursor=next_cursor)


@router.get(
    "/notifications/{event}/opt-out",
    operation_id="showOptOut",
    summary="Ask whether messages shall stop",
    description=(
        "The link at the end of each message, whole; it needs no key and changes nothing. Anything"
        " else is `404`."
    ),
    response_class=Response,
    responses={**_SHOWN, **documented(404, 422, 503)},
)
async def show_opt_out(
    event: EventPath,
    ctx: ContextDep,
    shop: ShopQuery,
    channel: ChannelQuery,
    signature: Signature,
) -> Response:
    page = await opt_outs.view_opt_out(
        ctx, path_id("shp", shop), path_id("evt", event), channel.value, signature
    )
    return Response(page, media_type=_PAGE, headers=_HEADERS)


@router.post(
    "/notifications/{event}/opt-out",
    operation_id="optOut",
    summary="Stop messages",
    description=(
        "One click (RFC 8058), by the same link: nothing more on this channel to whoever the"
        " message went to, except what the law wants told. Whatever body is sent is not looked at."
    ),
    response_class=Response,
    responses={**_SHOWN, **documented(404, 422, 503)},
)
async def opt_out(
    event: EventPath,
    ctx: ContextDep,
    shop: ShopQuery,
    channel: ChannelQuery,
    signature: Signature,
) -> Response:
    page = await opt_outs.opt_out(
        ctx, path_id("shp", shop), path_id("evt", event), channel.value, signature
    )
    return Response(page, media_type=_PAGE, headers=_HEADERS)


def _cut(found: Sequence[Row], limit: int) -> tuple[Sequence[Row], str | None]:
    """The first ``limit``, the rest of their last event, and the cursor of what comes after."""
    end = min(limit, len(found))
    while 0 < end < len(found) and found[end]["event_id"] == found[end - 1]["event_id"]:
        end += 1
    more = end < len(found)
    return found[:end], ids.encode("evt", found[end - 1]["event_id"]) if more else None


def _settings(row: Row) -> NotificationSettingsOut:
    return NotificationSettingsOut(
        channel=Channel(row["channel"]),
        connection=row["source"],
        sender=SenderOut(**row["sender"]),
        active=row["active"],
        switched_off=row["switched_off"],
        kinds=sorted(KINDS),
        version=row["version"],
        updated_at=row["updated_at"],
    )


def _notification(row: Row) -> NotificationOut:
    return NotificationOut(
        event=row["event_id"],
        kind=row["kind"],
        channel=Channel(row["channel"]),
        state=NotificationState(row["state"]),
        reason=row["reason"],
        order=row["order_id"],
        return_=row["return_id"],
        language=row["language"],
        attempts=row["attempt"],
        next_try_at=row["due_at"],
        happened_at=row["happened_at"],
        ended_at=row["ended_at"],
    )
