"""What the model remembers of a sequence, and how a drawn number chooses one of several things.

Every choice is a number that the caller drew, taken modulo what there is, so that a sequence means
the same whenever it is played. Refuses to own steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from tests.support.story import Story
from tests.support.story_scene import Order

from returns_api.domain.access import Principal
from returns_api.domain.orders import OrderFacts
from returns_api.domain.returns import ReturnRecord
from returns_api.ports.payments import ProviderDispute, ProviderRefund
from returns_api.usecases._refund_views import RefundView

LIMITS: Final = {"agent_per_order": 1_000, "finance_per_order": 30_000, "return_above": 40_000}
"""What one person may refund alone, in minor units: some refunds of a sequence wait for another."""

T = TypeVar("T")


def pick(found: Sequence[T], number: int) -> T | None:
    """One of them; None of nothing."""
    return found[number % len(found)] if found else None


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked under a key, the first answer, and when it was given."""

    asked: bytes
    answer: bytes
    at: datetime


@dataclass(slots=True)
class Memory:
    """A story and what happened in it."""

    story: Story
    orders: list[Order] = field(default_factory=list)
    told: dict[str, OrderFacts] = field(default_factory=dict)
    returns: list[ReturnRecord] = field(default_factory=list)
    refunds: list[UUID] = field(default_factory=list)
    asked_by: dict[UUID, UUID] = field(default_factory=dict)
    mail: list[ProviderRefund | ProviderDispute] = field(default_factory=list)
    disputes: list[ProviderDispute] = field(default_factory=list)
    answers: dict[str, Answered] = field(default_factory=dict)
    """By key, as long as the promise says that they are kept."""
    references: set[str] = field(default_factory=set)
    untold: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the bank's ledger said of our references before it decided otherwise by itself: until we
    are told, our books may still say the same."""

    async def begin(self) -> None:
        """Limits first."""
        await self.story.limit(**LIMITS)

    async def left(self, order: Order) -> int:
        """What the order's payments still hold for refunds."""
        return sum(each.refundable for each in (await self.story.payments(order)).values())

    def note(self, view: RefundView, person: Principal) -> None:
        self.refunds.append(view.refund["id"])
        self.asked_by[view.refund["id"]] = person.credential_id
