"""A stored policy version made ready to decide, once per process and version."""

from __future__ import annotations

from typing import Final

from returns_api.db.engine import Row
from returns_api.domain.errors import Unavailable
from returns_api.domain.policy import Policy, compile_policy, restore_policy
from returns_api.usecases.context import Context

COMPILED_MAX: Final = 1_000
"""Versions kept compiled by one process; beyond it the oldest goes."""


def compiled(ctx: Context, row: Row) -> Policy:
    """The version in ``row`` (``id``, ``canonical``) compiled; a version never changes.

    ``row["canonical"]`` may be None for a version that was in ``ctx.policies`` when it was read.

    Raises:
        PolicyInvalid: the version was stored by an engine that this program is not.
        Unavailable: the compiled version made room for others between reading and now.
    """
    known = ctx.policies.get(row["id"])
    if known is not None:
        return known
    if row["canonical"] is None:
        raise Unavailable("The policy version has to be read again.")
    policy = compile_policy(restore_policy(bytes(row["canonical"])))
    while len(ctx.policies) >= COMPILED_MAX:
        del ctx.policies[next(iter(ctx.policies))]
    ctx.policies[row["id"]] = policy
    return policy
