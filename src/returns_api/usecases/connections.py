"""Connecting a shop platform, a payment provider, a carrier or a mail server: written, read,
switched off.

Owns which adapter may stand behind which kind, and that secrets go in and never come out. The slug
(``source``) is for ever: orders, payments and messages are stored under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.db import connections as rows
from returns_api.db import shops
from returns_api.db.engine import Row, Transaction
from returns_api.domain.errors import (
    Conflict,
    DoesNotFit,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from returns_api.domain.events import By, Event
from returns_api.usecases._announce import announce
from returns_api.usecases._connections import seal_webhook_secrets
from returns_api.usecases.context import Context

CONNECTIONS_MAX: Final = 50
NEED_NO_SECRET: Final = ("shop", "messaging")
"""A platform only tells us, and a server may know us by our address."""
FIRST_SWEEP: Final = timedelta(minutes=15)
"""When a payment account that was written is compared with our books."""


@dataclass(frozen=True, slots=True)
class ConnectionValues:
    """What a caller writes. A secret that is None stays as it is; a new account needs one."""

    kind: str
    adapter: str
    account: str
    base_url: str
    gateways: tuple[str, ...]
    secret: str | None = field(repr=False)
    webhook_secrets: tuple[str, ...] | None = field(repr=False)


async def put_connection(
    ctx: Context, shop: UUID, by: By, source: str, new: ConnectionValues, version: int | None
) -> tuple[Row, bool]:
    """Create or replace the connection ``source``; the second value tells whether it is new.

    ``version`` is the one that the caller read, None when they sent none.

    Raises:
        Invalid: an address that may not be used.
        DoesNotFit: an adapter that is not installed, or no secret for a new account.
        PreconditionRequired, PreconditionFailed: it exists and was not read, or changed since.
        Conflict: another kind or adapter stands behind the slug, a gateway is taken, or too many.
    """
    _check(ctx, new)
    async with ctx.database.transaction(shop) as tx:
        await shops.lock(tx)
        current = await rows.find(tx, source)
        await _check_gateways(tx, source, new)
        if current is None:
            saved = await _add(ctx, tx, source, new, version)
        else:
            saved = await _replace(ctx, tx, current, new, version)
        what = "created" if current is None else "updated"
        await announce(tx, ctx, [_event(ctx, saved, what, by)])
    return saved, current is None


async def view_connection(ctx: Context, shop: UUID, source: str) -> Row:
    """One connection, deactivated or not. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        row = await rows.find(tx, source)
    return _found(row)


async def list_connections(ctx: Context, shop: UUID) -> list[Row]:
    """All connections by slug."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.everything(tx)


async def deactivate_connection(ctx: Context, shop: UUID, by: By, source: str) -> None:
    """Stop using the account; its messages are refused from now on. Raises ``NotFound``.

    The row stays, since orders and refunds point to it. A second time changes nothing.
    """
    async with ctx.database.transaction(shop) as tx:
        row = _found(await rows.find(tx, source))
        gone = await rows.deactivate(tx, row["id"])
        if gone is not None:
            await announce(tx, ctx, [_event(ctx, gone, "deactivated", by)])


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound("There is no such thing here, or it is not yours to see.")
    return row


def _check(ctx: Context, new: ConnectionValues) -> None:
    adapters = _adapters(ctx, new.kind)
    if new.adapter not in adapters:
        raise DoesNotFit(
            f"There is no adapter '{new.adapter}' of kind '{new.kind}'.",
            errors=[{"field": "adapter", "allowed": sorted(adapters)}],
        )
    sends = new.kind == "messaging"
    judge = ctx.messengers[new.adapter] if sends else ctx.webhooks
    refusal = judge.refusal(new.base_url)
    if refusal is not None:
        detail = f"base_url cannot be used: {refusal}."
        raise Invalid(detail, errors=[{"field": "base_url", "problem": refusal}])
    if new.gateways and new.kind != "payments":
        raise Invalid(
            "Only a payment account stands behind gateways.",
            errors=[{"field": "gateways", "problem": "kind is not 'payments'"}],
        )


def _adapters(ctx: Context, kind: str) -> Mapping[str, Any]:
    return {
        "shop": ctx.shops,
        "payments": ctx.payments,
        "carrier": ctx.carriers,
        "messaging": ctx.messengers,
    }[kind]


async def _check_gateways(tx: Transaction, source: str, new: ConnectionValues) -> None:
    taken = await rows.taken_gateway(tx, source, list(new.gateways))
    if taken is not None:
        raise Conflict(f"The connection '{taken}' has one of these gateways.", connection=taken)


async def _add(
    ctx: Context, tx: Transaction, source: str, new: ConnectionValues, version: int | None
) -> Row:
    if version is not None:
        raise PreconditionFailed("There is no such connection yet.")
    if not new.secret and new.kind not in NEED_NO_SECRET:
        raise DoesNotFit(
            "A new connection needs a secret.", errors=[{"field": "secret", "problem": "missing"}]
        )
    if len(await rows.everything(tx)) >= CONNECTIONS_MAX:
        raise Conflict(f"A shop has at most {CONNECTIONS_MAX} connections.")
    return await rows.add(
        tx,
        id=ctx.new_id(),
        source=source,
        kind=new.kind,
        created_at=ctx.clock(),
        **_values(ctx, new, None),
    )


async def _replace(
    ctx: Context, tx: Transaction, current: Row, new: ConnectionValues, version: int | None
) -> Row:
    if version is None:
        raise PreconditionRequired("It exists: send If-Match with the ETag that you read.")
    if (current["kind"], current["adapter"]) != (new.kind, new.adapter):
        raise Conflict(
            "Kind and adapter of a connection never change; connect under another name.",
            kind=current["kind"],
            adapter=current["adapter"],
        )
    saved = await rows.replace(tx, current["id"], version, **_values(ctx, new, current))
    if saved is None:
        raise PreconditionFailed("The connection changed since you read it.")
    return saved


def _values(ctx: Context, new: ConnectionValues, current: Row | None) -> dict[str, Any]:
    """The columns to write; a secret that was not sent keeps its sealed bytes."""
    if new.secret is None and current is not None:
        secret = current["secret_sealed"]
    else:
        secret = ctx.sealer.seal(new.secret or "")
    if new.webhook_secrets is None and current is not None:
        signing = current["webhook_secrets_sealed"]
    else:
        signing = seal_webhook_secrets(ctx, new.webhook_secrets or ())
    return {
        "adapter": new.adapter,
        "account": new.account,
        "base_url": new.base_url.rstrip("/"),
        "secret_sealed": secret,
        "webhook_secrets_sealed": signing,
        "gateways": list(new.gateways),
        "reconcile_at": ctx.clock() + FIRST_SWEEP if new.kind == "payments" else None,
    }


def _event(ctx: Context, row: Row, what: str, by: By) -> Event:
    return Event(
        id=ctx.new_id(),
        type=f"connection.{what}",
        resource_type="connection",
        resource_id=row["id"],
        sequence=row["version"],
        at=ctx.clock(),
        by=by,
        data={
            "source": row["source"],
            "kind": row["kind"],
            "adapter": row["adapter"],
            "active": row["active"],
        },
    )
