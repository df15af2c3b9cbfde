"""Buyer sessions: a short-lived token for one order, for a guest who knows it or on a shop's word.

Owns the guest look-up. Every wrong guess gets one answer and costs one hash and one comparison, so
that neither tells whether an order exists; and guesses are counted.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.db import buyers as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain.access import Principal, Role
from returns_api.domain.errors import Forbidden, NotFound
from returns_api.domain.people import normalise_email, normalise_order_number
from returns_api.usecases._lookups import count_lookup
from returns_api.usecases.context import Context
from returns_api.usecases.credentials import issue

SESSION: Final = timedelta(hours=1)

_NOBODY: Final = b"\x00" * 32
"""Compared with where there is no order, and no order's hash: hashes are never all zero."""


@dataclass(frozen=True, slots=True)
class Session:
    """A buyer's token, shown once, and what it is bound to."""

    token: str
    order_id: UUID
    expires_at: datetime


async def open_guest_session(
    ctx: Context, principal: Principal, *, number: str, email: str, host: str | None
) -> Session:
    """A session for whoever knows an order's number and its e-mail address.

    ``host`` is the address of the socket's other end.

    Raises:
        RateLimited: too many look-ups of this order, by this caller, or in this shop.
        NotFound: there is no such order, or it has another address; nobody learns which.
    """
    number_key = normalise_order_number(number)
    await count_lookup(ctx, principal.shop, host, number_key)
    wanted = ctx.sealer.keyed_hash(normalise_email(email))
    async with ctx.database.transaction(principal.shop) as tx:
        order_id = _match(await rows.candidates(tx, number_key), wanted)
        if order_id is None:
            raise NotFound("No order has this number and this e-mail address.")
        return await _session(ctx, tx, order_id)


async def open_known_session(ctx: Context, principal: Principal, order_id: UUID) -> Session:
    """A session on the word of a shop that knows its customer.

    Raises:
        Forbidden: a publishable key, which anybody has, cannot vouch for anybody.
        NotFound: there is no such order.
    """
    if principal.role is Role.PUBLISHABLE:
        raise Forbidden(
            "A publishable key opens sessions by order number and e-mail address only.",
            role=principal.role.value,
        )
    async with ctx.database.transaction(principal.shop) as tx:
        if not await rows.order_exists(tx, order_id):
            raise NotFound("There is no such thing here, or it is not yours to see.")
        return await _session(ctx, tx, order_id)


def _match(candidates: Sequence[Row], wanted: bytes) -> UUID | None:
    """The first order whose hash is ``wanted``; every candidate is compared, and at least one."""
    found: UUID | None = None
    hmac.compare_digest(_NOBODY, wanted)
    for row in candidates:
        same = hmac.compare_digest(bytes(row["email_key"] or _NOBODY), wanted)
        if same and found is None:
            found = row["id"]
    return found


async def _session(ctx: Context, tx: Transaction, order_id: UUID) -> Session:
    made = await issue(
        tx, ctx, role=Role.BUYER, label="buyer session", order_id=order_id, expires_in=SESSION
    )
    assert made.expires_at is not None
    return Session(made.token, order_id, made.expires_at)
