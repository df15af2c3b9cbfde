"""What finance has to pay by hand: the refunds of an account behind which there is no provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from returns_api.db import connections, payouts
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.errors import DoesNotFit, NotFound
from returns_api.domain.money import format_minor
from returns_api.domain.statements import COLUMNS, LINES_MAX
from returns_api.ports.payments import Naming
from returns_api.usecases._loading import NO_SUCH_THING
from returns_api.usecases.context import Context

TOLD = ("sum", "due_by", "order", "return", "name", "email")
"""What a person needs to pay, beside the columns of a settlement file."""
NAMES = (*COLUMNS, *TOLD)


async def list_payouts(ctx: Context, shop: UUID, account: str) -> list[dict[str, Any]]:
    """The refunds that wait to be paid by hand as rows of ``NAMES``, oldest first: a settlement
    file (``domain.statements``) once ``status`` and ``at`` say what was paid. At most as many as
    such a file may have.

    Raises:
        NotFound: there is no such active payment account.
        DoesNotFit: its provider pays by itself.
    """
    async with ctx.database.transaction(shop) as tx:
        connection = await connections.find(tx, account)
        if connection is None or not connection["active"] or connection["kind"] != "payments":
            raise NotFound(NO_SUCH_THING)
        provider = ctx.payments.get(connection["adapter"])
        if provider is None or provider.capabilities.naming is not Naming.OURS:
            problem = "its provider pays by itself"
            raise DoesNotFit(
                "Nothing of this account is paid by hand.",
                errors=[{"field": "account", "problem": problem}],
            )
        found: Sequence[Row] = await payouts.pending(tx, account, LINES_MAX)
    return [_row(each) for each in found]


def _row(found: Row) -> dict[str, Any]:
    reference = ids.encode("trf", found["id"])
    due_by = found["due_by"]
    return {
        "kind": "refund",
        "id": found["provider_refund_id"] or reference,
        "payment": ids.encode("pay", found["payment_id"]),
        "reference": reference,
        "amount": found["amount_minor"],
        "currency": found["currency"],
        "status": "pending",
        "at": found["created_at"].isoformat(),
        "sum": format_minor(found["amount_minor"], found["currency"]),
        "due_by": None if due_by is None else due_by.isoformat(),
        **{name: found[name] for name in ("order", "return", "name", "email")},
    }
