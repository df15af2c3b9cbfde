"""A shop's own settings, and the making of a shop with its first key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from returns_api.db import shops as rows
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.access import Role
from returns_api.domain.errors import PreconditionFailed
from returns_api.domain.events import SYSTEM, By, Event
from returns_api.domain.shops import ShopSettings, check
from returns_api.usecases._announce import announce
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import Issued, issue

FIRST_KEY: Final = "first admin key"


@dataclass(frozen=True, slots=True)
class NewShop:
    """A shop and the one key that can make all others."""

    id: UUID
    key: Issued


async def create_shop(ctx: Context, settings: ShopSettings) -> NewShop:
    """Make a shop and its first admin key, which is shown this once.

    Raises:
        Invalid: a setting that cannot be right.
    """
    check(settings)
    shop, now = ctx.new_id(), ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        await rows.add(tx, created_at=now, **asdict(settings))
        key = await issue(tx, ctx, role=Role.ADMIN, label=FIRST_KEY)
        await announce(tx, ctx, [_event(ctx, shop, "created", 1, SYSTEM)])
    return NewShop(shop, key)


async def view_shop(ctx: Context, shop: UUID) -> Row:
    """The settings and their version."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.one(tx)


async def change_shop(
    ctx: Context, shop: UUID, by: By, version: int, changes: Mapping[str, Any]
) -> Row:
    """Write the settings named in ``changes``; the others stay.

    Raises:
        PreconditionFailed: the settings are not those of ``version`` any more.
        Invalid: a setting that cannot be right.
    """
    async with ctx.database.transaction(shop) as tx:
        now = await rows.lock(tx)
        settings = ShopSettings(
            **{name: changes.get(name, now[name]) for name in ShopSettings.__dataclass_fields__}
        )
        check(settings)
        saved = await rows.save(tx, version, **asdict(settings))
        if saved is None:
            raise PreconditionFailed("The settings changed since you read them.")
        event = _event(ctx, shop, "updated", saved["version"], by, changed=sorted(changes))
        await announce(tx, ctx, [event])
    return saved


def _event(ctx: Context, shop: UUID, what: str, sequence: int, by: By, **data: Any) -> Event:
    return Event(
        id=ctx.new_id(),
        type=f"shop.{what}",
        resource_type="shop",
        resource_id=shop,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        data={"shop": ids.encode("shp", shop), **data},
    )
