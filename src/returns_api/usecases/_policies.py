"""A stored policy version made ready to decide, once per process and version."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

from returns_api.db.engine import Row
from returns_api.db.policies import PUBLISHED
from returns_api.domain.errors import Unavailable
from returns_api.domain.policy import Policy, compile_policy, restore_policy
from returns_api.domain.policy.explain import Explainer
from returns_api.usecases.context import Context

COMPILED_MAX: Final = 1_000
"""Versions kept compiled by one process; beyond it the oldest goes."""


def compiled(ctx: Context, row: Row) -> Policy:
    """The version in ``row`` (``id``, ``state``, ``canonical``) compiled; kept once published.

    A draft may be edited, so it is compiled anew. ``row["canonical"]`` may be None for a version
    that was in ``ctx.policies`` when it was read.

    Raises:
        PolicyInvalid: the version was stored by an engine that this program is not.
        Unavailable: the compiled version made room for others between reading and now.
    """
    known = ctx.policies.get(row["id"])
    if known is not None:
        return known
    if row["canonical"] is None:
        raise Unavailable("The policy version has to be read again.")
    policy = _compile(bytes(row["canonical"]))
    if row["state"] in PUBLISHED:
        _make_room(ctx.policies)
        ctx.policies[row["id"]] = policy
    return policy


def explainer(ctx: Context, version_id: UUID, policy: Policy) -> Explainer:
    """What explains the refusals of a published version; made once per process."""
    known = ctx.explainers.get(version_id)
    if known is None:
        _make_room(ctx.explainers)
        known = ctx.explainers[version_id] = Explainer(policy)
    return known


async def compiled_beside(ctx: Context, row: Row) -> Policy:
    """The same for a version of any state and size, without holding up the event loop."""
    known = ctx.policies.get(row["id"])
    if known is not None or row["canonical"] is None or row["state"] in PUBLISHED:
        return compiled(ctx, row)
    return await asyncio.to_thread(_compile, bytes(row["canonical"]))


def _make_room(kept: dict[UUID, Any]) -> None:
    while len(kept) >= COMPILED_MAX:
        del kept[next(iter(kept))]


def _compile(canonical: bytes) -> Policy:
    return compile_policy(restore_policy(canonical))
