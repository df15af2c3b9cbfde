"""Versions of the shop's policy: drafted, checked, published from a date, read.

A draft is as fixed as a published version: whoever wants another text makes another draft. So what
was checked is what is published.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from returns_api.db import policies as rows
from returns_api.db import shops
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.errors import (
    ActionNotAllowed,
    Conflict,
    Invalid,
    NotFound,
    PolicyInvalid,
)
from returns_api.domain.events import By, Event
from returns_api.domain.policy import LoadedPolicy, Policy, compile_policy, load_policy
from returns_api.usecases._announce import announce
from returns_api.usecases._policies import compiled
from returns_api.usecases.context import Context

SOURCE_MAX: Final = 200_000
"""Characters of a policy's text; two thousand rules fit."""


async def draft_policy(ctx: Context, shop: UUID, by: By, source: str) -> Row:
    """Check ``source`` (YAML or JSON) and keep it as the shop's next version.

    Raises:
        PolicyInvalid: the text cannot be read as a policy; every fault with its line.
    """
    loaded = await asyncio.to_thread(_checked, source)
    version_id, now = ctx.new_id(), ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        await shops.lock(tx)
        number = await rows.next_number(tx)
        await rows.add(
            tx,
            id=version_id,
            number=number,
            name=loaded.document.name,
            source=source,
            canonical=loaded.canonical,
            digest=loaded.digest,
            findings=[],
            created_at=now,
        )
        await announce(tx, ctx, [_event(ctx, version_id, number, "created", 1, by)])
        return await _view(tx, version_id)


async def view_policy(ctx: Context, shop: UUID, version_id: UUID) -> Row:
    """One version with its text and findings. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        return await _view(tx, version_id)


async def list_policies(ctx: Context, shop: UUID, before: UUID, limit: int) -> list[Row]:
    """Versions, newest first."""
    async with ctx.database.transaction(shop) as tx:
        return await rows.page(tx, before=before, limit=limit)


async def publish_policy(
    ctx: Context,
    shop: UUID,
    by: By,
    version_id: UUID,
    *,
    effective_from: datetime | None,
    acknowledge: str | None,
) -> Row:
    """Let a draft judge every order that is placed from ``effective_from`` (now, if None) on.

    Returns that were opened before keep the version that they were opened under.

    Raises:
        NotFound: there is no such version.
        ActionNotAllowed: it is published already.
        PolicyInvalid: it has findings that forbid publishing.
        Conflict: it has warnings, and nobody acknowledged them.
        Invalid: ``effective_from`` is in the past: those orders have been judged.
    """
    now = ctx.clock()
    if effective_from is not None and effective_from < now:
        raise Invalid(
            "A policy cannot apply to orders of the past.",
            errors=[{"field": "effective_from", "problem": "in the past"}],
        )
    async with ctx.database.transaction(shop) as tx:
        row = _found(await rows.lock(tx, version_id))
        _check_publishable(row, acknowledge)
        await rows.publish(
            tx,
            version_id,
            effective_from=effective_from or now,
            now=now,
            published_by=None if by.credential_id is None else ids.encode("key", by.credential_id),
            acknowledged=acknowledge,
        )
        sequence = row["version"] + 1
        await announce(tx, ctx, [_event(ctx, version_id, row["number"], "published", sequence, by)])
        return await _view(tx, version_id)


async def policy_in_force(ctx: Context, shop: UUID) -> tuple[Row, Policy]:
    """The version that judges an order placed now. Raises ``NotFound`` when there is none."""
    async with ctx.database.transaction(shop) as tx:
        row = await rows.in_force(tx, ctx.clock(), ctx.policies.keys())
    if row is None:
        raise NotFound("This shop has not published a return policy yet.")
    return row, compiled(ctx, row)


def _checked(source: str) -> LoadedPolicy:
    """Read and compile: a text that cannot be compiled must not become a version."""
    loaded = load_policy(source)
    compile_policy(loaded)
    return loaded


def _check_publishable(row: Row, acknowledge: str | None) -> None:
    if row["state"] != "draft":
        raise ActionNotAllowed(
            f"Version {row['number']} is {row['state']}.", state=row["state"], allowed=[]
        )
    errors = _of(row, "error")
    if errors:
        raise PolicyInvalid("The findings forbid publishing this version.", findings=errors)
    warnings = _of(row, "warning")
    if warnings and not acknowledge:
        raise Conflict(
            "There are warnings: read them, then say in 'acknowledge' why it is right.",
            findings=warnings,
        )


def _of(row: Row, severity: str) -> list[Any]:
    return [finding for finding in row["findings"] if finding["severity"] == severity]


async def _view(tx: Transaction, version_id: UUID) -> Row:
    return _found(await rows.view(tx, version_id))


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound("There is no such thing here, or it is not yours to see.")
    return row


def _event(ctx: Context, version_id: UUID, number: int, what: str, sequence: int, by: By) -> Event:
    return Event(
        id=ctx.new_id(),
        type=f"policy_version.{what}",
        resource_type="policy_version",
        resource_id=version_id,
        sequence=sequence,
        at=ctx.clock(),
        by=by,
        data={"policy_version": ids.encode("pv", version_id), "number": number},
    )
