"""Where a story plays: a shop, its clock, bank and carrier; who acts, and what is left of it.

Owns no step of a story (``story_orders``, ``story_returns``, ``story_money``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from returns_api.db.engine import Row
from returns_api.domain.access import ROLE_SCOPES, Principal, Role
from returns_api.domain.orders import (
    OrderFacts,
)
from returns_api.usecases.context import Context
from returns_api.worker import sweep
from returns_api.worker.jobs import KINDS
from tests.support.bank import Bank
from tests.support.carrier import Carrier
from tests.support.context import Clock

PLATFORM: Final = "shopify"
CARD: Final = "card"
PARCEL: Final = "parcel"
_BOOKKEEPING: Final = frozenset({"seal_ledger", "number_credit_notes"})
BUSINESS: Final = {name: kind for name, kind in KINDS.items() if name not in _BOOKKEEPING}


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the story: its id and the ids of its lines by their names."""

    id: UUID
    name: str
    lines: Mapping[str, UUID]
    intents: tuple[str, ...]


@dataclass(slots=True)
class Scene:
    """A shop with a published policy, a bank and a carrier."""

    ctx: Context
    clock: Clock
    shop: UUID
    bank: Bank
    carrier: Carrier
    principals: dict[Role, Principal] = field(default_factory=dict)
    orders: int = 0
    told: dict[str, OrderFacts] = field(default_factory=dict)

    def who(self, role: Role, order: Order | None = None) -> Principal:
        """The shop's one principal of a role; a buyer is bound to ``order``."""
        if role is Role.BUYER:
            assert order is not None
            scopes = ROLE_SCOPES[role]
            return Principal(self.shop, self.ctx.new_id(), role, scopes, order.id)
        if role not in self.principals:
            made = Principal(self.shop, self.ctx.new_id(), role, ROLE_SCOPES[role])
            self.principals[role] = made
        return self.principals[role]

    @property
    def agent(self) -> Principal:
        return self.who(Role.AGENT)

    @property
    def finance(self) -> Principal:
        return self.who(Role.FINANCE)

    @property
    def dock(self) -> Principal:
        return self.who(Role.WAREHOUSE)

    async def drain(self, **units: float) -> int:
        """Let time pass, and do everything that is due then; returns how many rows were.

        The books are sealed and the credit notes numbered as well, which is no business of a
        story's and not counted.
        """
        self.clock.forward(**units)
        done = await sweep.drain(self.ctx, BUSINESS)
        await sweep.drain(self.ctx)
        return done

    async def rows(self, query: str, *values: object) -> list[Row]:
        """Rows as the service's role sees them."""
        async with self.ctx.database.transaction(self.shop) as tx:
            return await tx.connection.fetch(query, *values)

    async def events(self, of: UUID | None = None) -> list[Row]:
        """Events of one resource, or all of the shop, in order."""
        return await self.rows(
            "SELECT * FROM events WHERE resource_id = coalesce($1, resource_id)"
            " ORDER BY resource_id, sequence",
            of,
        )

    async def happened(self, of: UUID) -> list[str]:
        """Types of the events of one resource."""
        return [row["type"] for row in await self.events(of)]
