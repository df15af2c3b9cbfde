"""API keys of a shop: made and shown once, listed without their secret, revoked.

Nobody gives away more than they have: a key's scopes are scopes of the key that makes it, and only
an admin key makes an admin key.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from returns_api.db import credentials as rows
from returns_api.db import shops as shop_rows
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import ROLE_SCOPES, Principal, Role, Scope
from returns_api.domain.errors import Forbidden, NotFound
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.usecases._announce import announce
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import Issued, issue

KEY_ROLES: Final = (Role.PUBLISHABLE, Role.AGENT, Role.WAREHOUSE, Role.FINANCE, Role.ADMIN)
"""Roles of keys; a buyer has a session instead."""


async def create_key(
    ctx: Context,
    principal: Principal,
    by: By,
    *,
    role: Role,
    label: str,
    scopes: frozenset[Scope] | None,
    expires_in: timedelta | None,
) -> Issued:
    """Make a key; without ``scopes`` it has all that its role and its maker have in common.

    Raises:
        Forbidden: an admin key made by another role, or scopes that the maker lacks.
        Invalid: a scope that the role does not have.
    """
    if role is Role.ADMIN and principal.role is not Role.ADMIN:
        raise Forbidden("Only an admin key makes admin keys.", role=principal.role.value)
    wanted = ROLE_SCOPES[role] & principal.scopes if scopes is None else scopes
    if lacking := wanted - principal.scopes:
        raise Forbidden(
            f"Your key lacks the scope '{min(lacking)}' that the new one would have.",
            lacking=sorted(lacking),
        )
    async with ctx.database.transaction(principal.shop) as tx:
        made = await issue(tx, ctx, role=role, label=label, scopes=wanted, expires_in=expires_in)
        await announce(tx, ctx, [_event(ctx, made.id, "created", 1, by, made.role)])
    return made


async def create_platform_key(ctx: Context, shop: UUID, label: str) -> Issued:
    """Make an arbiter's key, as the operator of the installation. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        if not await shop_rows.exists(tx):
            raise NotFound("There is no such shop.")
        made = await issue(tx, ctx, role=Role.PLATFORM, label=label)
        await announce(tx, ctx, [_event(ctx, made.id, "created", 1, SYSTEM, made.role)])
    return made


async def list_keys(ctx: Context, shop: UUID, before: UUID, limit: int) -> list[Row]:
    """API keys, newest first, revoked and expired ones too; buyers' tokens are not among them."""
    async with ctx.database.transaction(shop) as tx:
        return list(await rows.page(tx, before=before, limit=limit))


async def view_key(ctx: Context, shop: UUID, key_id: UUID) -> Row:
    """Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        return _found(await rows.one(tx, key_id))


async def revoke_key(ctx: Context, shop: UUID, by: By, key_id: UUID) -> None:
    """Stop a key everywhere within ``context.CACHE_SECONDS``; a second time changes nothing.

    Raises:
        NotFound: there is no such key.
    """
    async with ctx.database.transaction(shop) as tx:
        row = _found(await rows.one(tx, key_id))
        if await rows.revoke(tx, key_id, ctx.clock()):
            event = _event(ctx, key_id, "revoked", 2, by, Role(row["role"]))
            await announce(tx, ctx, [event])


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound("There is no such thing here, or it is not yours to see.")
    return row


def _event(ctx: Context, key_id: UUID, what: str, sequence: int, by: By, role: Role) -> Event:
    return Event(
        id=ctx.new_id(),
        type=f"key.{what}",
        resource_type="credential",
        resource_id=key_id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        data={"key": ids.encode("key", key_id), "role": role.value},
    )
