"""One order, one transfer, and what moved of it here and at the bank. Owns no assertion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from returns_api.domain import ids
from returns_api.usecases.context import Context
from tests.support.gates import Gate
from tests.support.story import Story


async def one_transfer(story: Story, refund_id: UUID) -> Any:
    (move,) = (await story.refund_now(refund_id)).transfers
    return move


async def tries(story: Story) -> list[tuple[str, str]]:
    """Kind and outcome of each try, in order."""
    rows = await story.rows("SELECT kind, outcome FROM transfer_attempts ORDER BY no")
    return [(row["kind"], row["outcome"]) for row in rows]


async def moved(story: Story, transfer_id: UUID) -> tuple[int, int]:
    """How often the bank moved money for the transfer, and how much is moved now."""
    seen = await story.bank.movements(ids.encode("trf", transfer_id))
    return seen["made"], seen["net_minor"]


def gated(story: Story, *closed: str) -> tuple[Gate, Context]:
    gate = Gate(story.ctx.payments["stripe"], *closed)
    return gate, replace(story.ctx, payments={"stripe": gate})


LOST = ("reset_after", "error_after", "garbage", "truncate", "wrong_amount")
