"""Versions of the shop's policy: drafted, edited, checked, published from a date, retired.

Owns the order of these steps, who may skip none of them, and the history. A draft may be edited;
what is published was checked as it stands, under the law of the day, and never changes again.
Refuses to own what a finding is (``domain.policy.analysis``) and how a policy reads
(``publications``).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from returns_api.db import policies as rows
from returns_api.db import policy_history as history_rows
from returns_api.db import shops
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.errors import Conflict, NotFound
from returns_api.domain.events import By
from returns_api.domain.policies import plan_begin, plan_publish
from returns_api.domain.policy import LoadedPolicy, Policy, compile_policy, load_policy
from returns_api.domain.policy.analysis import Report, analyse
from returns_api.usecases._policies import compiled
from returns_api.usecases._policy_versions import (
    NOBODY_HAS_IT,
    as_seen,
    done,
    found,
    not_now,
    require,
    view,
)
from returns_api.usecases.context import Context

SOURCE_MAX: Final = 200_000
"""Characters of a policy's text; two thousand rules fit."""


async def check_source(ctx: Context, source: str) -> tuple[LoadedPolicy, Report]:
    """What the analysis says about a text; nothing is stored.

    Raises:
        PolicyInvalid: the text cannot be read as a policy; every fault with its line.
        Unavailable: too many checks are waiting.
    """
    loaded = await asyncio.to_thread(_read, source)
    return loaded, await ctx.beside.run(partial(analyse, loaded))


async def draft_policy(ctx: Context, shop: UUID, by: By, source: str) -> Row:
    """Read ``source`` (YAML or JSON) and keep it as the shop's next version.

    Raises:
        PolicyInvalid: the text cannot be read as a policy; every fault with its line.
    """
    loaded = await asyncio.to_thread(_read, source)
    version_id = ctx.new_id()
    async with ctx.database.transaction(shop) as tx:
        await shops.lock(tx)
        number = await rows.next_number(tx)
        await rows.add(
            tx,
            id=version_id,
            number=number,
            source=source,
            findings=[],
            created_at=ctx.clock(),
            name=loaded.document.name,
            **_stored(loaded),
        )
        return await done(tx, ctx, by, version_id, "drafted")


async def edit_policy(
    ctx: Context, shop: UUID, by: By, version_id: UUID, seen: int, source: str
) -> Row:
    """Put another text into a draft; what was found in the old one is forgotten.

    Raises:
        NotFound, PolicyInvalid.
        PreconditionFailed: the draft is not the ``seen`` one any more.
        ActionNotAllowed: it was published: whoever wants another text makes another draft.
    """
    loaded = await asyncio.to_thread(_read, source)
    async with ctx.database.transaction(shop) as tx:
        row = as_seen(await rows.lock(tx, version_id), seen)
        require(row, "edit", by)
        await rows.edit(
            tx, version_id, seen, source=source, name=loaded.document.name, **_stored(loaded)
        )
        return await done(tx, ctx, by, version_id, "edited")


async def check_policy(ctx: Context, shop: UUID, by: By, version_id: UUID) -> Row:
    """Analyse a draft under the law of today and keep the findings with it.

    Raises:
        NotFound, Unavailable.
        ActionNotAllowed: it is published.
        Conflict: somebody edited it meanwhile.
    """
    async with ctx.database.transaction(shop) as tx:
        row = await view(tx, version_id)
    require(row, "check", by)
    loaded, report = await check_source(ctx, row["source"])
    async with ctx.database.transaction(shop) as tx:
        kept = await rows.set_checked(
            tx,
            version_id,
            row["version"],
            now=ctx.clock(),
            findings=[finding.as_json() for finding in report.findings],
            **_stored(loaded),
        )
        if not kept:
            raise Conflict("The draft was changed while it was being checked.")
        return await done(tx, ctx, by, version_id, "checked")


async def view_policy(ctx: Context, shop: UUID, version_id: UUID) -> Row:
    """One version with its text and findings. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        return await view(tx, version_id)


async def list_policies(ctx: Context, shop: UUID, before: UUID, limit: int) -> list[Row]:
    """Versions, newest first, with their findings counted."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.page(tx, before=before, limit=limit)


async def policy_history(
    ctx: Context, shop: UUID, version_id: UUID | None, before: UUID, limit: int
) -> list[Row]:
    """Who did what to which version, newest first. Raises ``NotFound`` for an unknown version."""
    async with ctx.database.transaction(shop) as tx:
        if version_id is not None and await rows.by_id(tx, version_id) is None:
            raise NotFound(NOBODY_HAS_IT)
        return await history_rows.page(tx, version_id, before=before, limit=limit)


async def publish_policy(
    ctx: Context,
    shop: UUID,
    by: By,
    version_id: UUID,
    *,
    effective_from: datetime | None,
    acknowledge: str | None,
    seen: int | None = None,
) -> Row:
    """Let a draft judge every order that is placed from ``effective_from`` (now, if None) on.

    It is checked first, unless it was and neither its text nor the law changed since. Returns that
    were opened before keep the version that they were opened under.

    Raises:
        NotFound: there is no such version.
        ActionNotAllowed: it is published already.
        PolicyInvalid: it has findings that forbid publishing.
        Conflict: it has warnings, and nobody acknowledged them or could have read them; or somebody
            edited it meanwhile.
        DoesNotFit: ``effective_from`` is in the past: those orders have been judged.
        PreconditionFailed: it is not the ``seen`` one any more.
    """
    plan_begin(effective_from, ctx.clock())
    checked, shown = await _checked(ctx, shop, by, version_id, seen)
    nods = plan_publish(checked["findings"], acknowledge, shown)
    async with ctx.database.transaction(shop) as tx:
        row = found(await rows.lock(tx, version_id))
        if row["version"] != checked["version"]:
            require(row, "publish", by)
            raise Conflict("The draft was changed while it was being published.")
        now = ctx.clock()  # the check took its time, and orders were judged meanwhile
        begin = plan_begin(effective_from, now)
        await rows.publish(
            tx,
            version_id,
            effective_from=begin,
            now=now,
            published_by=None if by.credential_id is None else ids.encode("key", by.credential_id),
            acknowledged=acknowledge,
        )
        return await done(tx, ctx, by, version_id, "published", note=acknowledge, findings=nods)


async def retire_policy(
    ctx: Context, shop: UUID, by: By, version_id: UUID, *, note: str | None, seen: int | None = None
) -> Row:
    """Let a version judge no order that is placed from now on; the one before it does again.

    Orders that it judged keep it, and so do open returns.

    Raises:
        NotFound, PreconditionFailed.
        ActionNotAllowed: it is not published, or the shop would be left without a policy.
    """
    async with ctx.database.transaction(shop) as tx:
        await shops.lock(tx)
        row = found(await rows.lock(tx, version_id))
        if seen is not None:
            as_seen(row, seen)
        require(row, "retire", by)
        now = ctx.clock()
        scheduled = row["effective_from"] > now
        if not await rows.remaining(tx, version_id, now, scheduled=scheduled):
            raise not_now(row, by, "Publish another version first: a shop always has a policy.")
        await rows.retire(tx, version_id, now)
        return await done(tx, ctx, by, version_id, "retired", note=note)


async def id_in_force(ctx: Context, shop: UUID) -> UUID | None:
    """The version that judges an order placed now, None before the first publishing."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.id_in_force(tx, ctx.clock())


async def policy_in_force(ctx: Context, shop: UUID) -> tuple[Row, Policy]:
    """The version that judges an order placed now. Raises ``NotFound`` when there is none."""
    async with ctx.database.transaction(shop) as tx:
        row = await rows.in_force(tx, ctx.clock(), ctx.policies.keys())
    if row is None:
        raise NotFound("This shop has not published a return policy yet.")
    return row, compiled(ctx, row)


def _read(source: str) -> LoadedPolicy:
    """Read and compile: a text that cannot be compiled must not become a version."""
    loaded = load_policy(source)
    compile_policy(loaded)
    return loaded


def _stored(loaded: LoadedPolicy) -> dict[str, Any]:
    return {"canonical": loaded.canonical, "digest": loaded.digest}


async def _checked(
    ctx: Context, shop: UUID, by: By, version_id: UUID, seen: int | None
) -> tuple[Row, list[Any] | None]:
    """The version with findings that hold today, and the ones that they took the place of."""
    row = await view_policy(ctx, shop, version_id)
    if seen is not None:
        as_seen(row, seen)
    require(row, "publish", by)
    if row["state"] != "checked":
        return await check_policy(ctx, shop, by, version_id), None
    loaded = await asyncio.to_thread(_read, row["source"])
    if loaded.digest == row["digest"]:  # the digest names the law too
        return row, None
    return await check_policy(ctx, shop, by, version_id), row["findings"]
