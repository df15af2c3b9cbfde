"""Idempotency-Key: the work, its answer and the stored answer are one transaction (S1-S5).

A crash before the commit leaves nothing, so a retry starts clean; after it, the retry finds the
answer. There is no third case. The answer is built inside the transaction: an answer that cannot
be rendered rolls the work back instead of failing after it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar
from uuid import UUID

import asyncpg

from returns_api.crashpoints import crashpoint
from returns_api.db import idempotency
from returns_api.db.engine import Transaction
from returns_api.db.idempotency import Claim
from returns_api.domain.errors import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    ReturnsError,
    Unavailable,
)
from returns_api.usecases.context import Context

T = TypeVar("T")

_TRIES: Final = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished HTTP answer, byte for byte."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Keyed:
    """A claim and how this door renders a refusal; ``refuse`` returns None for what is not kept."""

    claim: Claim
    refuse: Callable[[ReturnsError], Answer | None]


async def once(
    ctx: Context,
    shop: UUID,
    keyed: Keyed,
    work: Callable[[Transaction], Awaitable[T]],
    render: Callable[[T], Answer],
) -> Answer:
    """Run ``work`` at most once for the key and give its answer to every caller.

    Raises:
        IdempotencyKeyReused: the key was used for another request.
        IdempotencyInProgress: another request with this key is running.
    """
    for _ in range(_TRIES):
        try:
            return await _attempt(ctx, shop, keyed, work, render)
        except asyncpg.UniqueViolationError as clash:
            if clash.constraint_name != "pk_idempotency_keys":
                raise
    raise IdempotencyInProgress("Another request with this Idempotency-Key just finished.")


async def _attempt(
    ctx: Context,
    shop: UUID,
    keyed: Keyed,
    work: Callable[[Transaction], Awaitable[T]],
    render: Callable[[T], Answer],
) -> Answer:
    async with ctx.database.transaction(shop, savepoint=True) as tx:
        stored = await _stored(tx, keyed.claim)
        if stored is not None:
            return stored
        crashpoint("A1")
        try:
            answer = render(await work(tx))
        except Unavailable:
            raise
        except ReturnsError as refusal:
            kept = keyed.refuse(refusal)
            if kept is None:
                raise
            answer = kept
            await tx.undo()
        crashpoint("A2")
        await idempotency.store(
            tx,
            keyed.claim,
            status=answer.status,
            content_type=answer.content_type,
            headers=dict(answer.headers),
            body=answer.body,
            created_at=ctx.clock(),
        )
    crashpoint("A3")
    return answer


async def _stored(tx: Transaction, claim: Claim) -> Answer | None:
    row = await idempotency.begin(tx, claim)
    if row["status"] is None:
        if not row["free"]:
            raise IdempotencyInProgress(
                "A request with this Idempotency-Key is still running; ask again shortly.",
                retry_after=1,
            )
        return None
    if bytes(row["fingerprint"]) != claim.fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key was used for a request with another method, path or body."
        )
    answer = Answer(row["status"], row["body"], row["content_type"], row["headers"])
    return replace(answer, replayed=True)
