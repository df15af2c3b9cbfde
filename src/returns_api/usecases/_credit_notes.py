"""Issuing the credit note of a refund in the transaction that brought its money to rest.

The note's number is drawn when everything else is done: the counter is the last lock, so that two
transactions that move many payments never wait for one another, and it is held for a moment only.
"""

from __future__ import annotations

from collections.abc import Sequence

from returns_api.db import credit_notes as rows
from returns_api.db.engine import Row, Transaction
from returns_api.domain import ids
from returns_api.domain.credit_notes import plan_note
from returns_api.usecases.context import Context


def note_at_commit(
    tx: Transaction, ctx: Context, refund: Row, state: str, moves: Sequence[tuple[str, int]]
) -> None:
    """Issue what is missing just before the commit. ``refund`` is locked and as it was before;
    of several calls for one refund, the last one knows best."""
    arrived = sum(amount for transfer, amount in moves if transfer == "succeeded")
    if arrived == refund["noted_minor"]:
        tx.at_commit.pop(("credit_note", refund["id"]), None)
        return

    async def issue() -> None:
        parts = refund["parts"]
        lined = any("line" in part for part in parts)
        titles = await rows.titles(tx, refund["order_id"]) if lined else {}
        amount, noted = refund["amount_minor"], refund["noted_minor"]
        note = plan_note(state, arrived, noted, amount, parts, titles)
        if note is not None:
            body = {"refund": ids.encode("ref", refund["id"]), "lines": list(note.lines)}
            await rows.issue(
                tx,
                id=ctx.new_id(),
                refund_id=refund["id"],
                order_id=refund["order_id"],
                kind=note.kind,
                amount_minor=note.amount_minor,
                currency=refund["currency"],
                issued_at=ctx.clock(),
                noted_minor=arrived,
                body=body,
            )

    tx.at_commit["credit_note", refund["id"]] = issue
