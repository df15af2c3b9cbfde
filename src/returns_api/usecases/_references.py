"""References that count once, for ever: a second use is refused.

A key of the database holds it, so of two uses at the same moment one is refused as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import asyncpg

from returns_api.db import payment_references
from returns_api.db.engine import Transaction
from returns_api.domain import ids
from returns_api.domain.errors import DuplicateReference
from returns_api.usecases.context import Context

_PREFIX: Final = {"exchange": "exc", "repair": "rep", "recovery": "rcv"}
"""By what a buyer's payment was told for: how its id is written."""


async def take_payment(
    tx: Transaction, ctx: Context, reference: str, kind: str, used_by: UUID
) -> None:
    """Let a payment of a buyer count for an exchange, a repair or a step of a recovery, and for
    nothing else in the shop; before anything is written that this payment is the reason for.

    Raises:
        DuplicateReference: it was told before; says what it paid.
    """
    if await payment_references.take(tx, reference, kind, used_by, ctx.clock()):
        return
    found = await payment_references.use(tx, reference)
    paid = {found["kind"]: ids.encode(_PREFIX[found["kind"]], found["id"])}
    raise DuplicateReference("A payment with this reference was told before.", **paid)


@contextmanager
def counted_once(constraint: str, detail: str) -> Iterator[None]:
    """Raises ``DuplicateReference`` where what is written inside breaks ``constraint``."""
    try:
        yield
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name != constraint:
            raise
        raise DuplicateReference(detail) from taken
