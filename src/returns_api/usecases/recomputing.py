"""Decisions made again from what was stored: the same bytes, or the difference is named.

Owns the proof that a decision follows from its facts and its policy version and from nothing else:
not from later versions, not from the law or the clock of today.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from returns_api.db import decisions as rows
from returns_api.db import policies as policy_rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.errors import Invalid, NotFound, PolicyInvalid
from returns_api.domain.policy import Facts, Policy, canonical_json, decision_to_json
from returns_api.usecases._policies import compiled
from returns_api.usecases._policy_versions import NOBODY_HAS_IT, found
from returns_api.usecases.context import Context

PAGE: Final = 500
SHOWN_MAX: Final = 20
"""Differing decisions that a count over a history names."""

_FIRST: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A stored decision beside the one that its facts and its version give now.

    ``identical``: the canonical bytes are equal, and so are the digests, the one that was stored
    with them included.
    """

    decision_id: UUID
    version_id: UUID
    at: datetime
    stored_digest: str
    digest: str
    identical: bool
    size: int
    body: Mapping[str, Any]


@dataclass(slots=True)
class History:
    """Counts over the decisions of a shop."""

    total: int = 0
    done: int = 0
    identical: int = 0
    different: list[UUID] = field(default_factory=list)
    """The first ``SHOWN_MAX`` that differ."""

    def count(self, one: Recomputed | None, decision_id: UUID) -> None:
        self.done += 1
        if one is not None and one.identical:
            self.identical += 1
        elif len(self.different) < SHOWN_MAX:
            self.different.append(decision_id)


async def recompute_return(ctx: Context, shop: UUID, return_id: UUID) -> Recomputed:
    """The decision of one return, made again. Raises ``NotFound``."""
    async with ctx.database.transaction(shop) as tx:
        row = await rows.of_return(tx, return_id)
        if row is None:
            raise NotFound(NOBODY_HAS_IT)
        policy = await _policy(tx, ctx, row["policy_version_id"])
    return recompute(policy, row)


async def recompute_history(
    ctx: Context,
    shop: UUID,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Callable[[History], None] = lambda _: None,
) -> History:
    """Every decision of the shop made again, page by page; memory does not grow with them."""
    end = until or ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        counted = History(await rows.count(tx, since, end))
    after = _FIRST
    while True:
        async with ctx.database.transaction(shop) as tx:
            page = await rows.page(tx, after=after, since=since, until=end, limit=PAGE)
            wanted = {row["policy_version_id"] for row in page}
            policies = {version: await _known(tx, ctx, version) for version in wanted}
        if not page:
            return counted
        after = page[-1]["id"]
        await asyncio.to_thread(_count, counted, page, policies)
        progress(counted)


def recompute(policy: Policy, row: Row) -> Recomputed:
    """One stored decision made again by ``policy``, the version that it names. Pure."""
    body = {
        line: decision_to_json(policy.decide(Facts.from_json(facts)))
        for line, facts in row["facts"].items()
    }
    made = canonical_json(body)
    digest = digest_of(made)
    return Recomputed(
        row["id"],
        row["policy_version_id"],
        row["at"],
        row["digest"],
        digest,
        digest == row["digest"] and made == canonical_json(row["body"]),
        len(made),
        body,
    )


def digest_of(canonical: bytes) -> str:
    """The digest as decisions store it."""
    return f"sha256:{sha256(canonical).hexdigest()}"


def _count(counted: History, page: list[Row], policies: Mapping[UUID, Policy | None]) -> None:
    for row in page:
        policy = policies[row["policy_version_id"]]
        try:
            one = None if policy is None else recompute(policy, row)
        except Invalid:  # facts that this program cannot read are a difference
            one = None
        counted.count(one, row["id"])


async def _policy(tx: Transaction, ctx: Context, version_id: UUID) -> Policy:
    return compiled(ctx, found(await policy_rows.by_id(tx, version_id, ctx.policies.keys())))


async def _known(tx: Transaction, ctx: Context, version_id: UUID) -> Policy | None:
    """None for a version of an engine that this program is not."""
    try:
        return await _policy(tx, ctx, version_id)
    except PolicyInvalid:
        return None
