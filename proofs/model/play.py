"""All that can happen to a few orders: a step by its name, and the end of a sequence.

A step that finds nothing to act on is *idle*; one that the service refuses with a reason is
*refused*; any other exception is a bug. Refuses to own the invariants (``scene``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from proofs.model.money_steps import MoneySteps
from proofs.model.shop_steps import ShopSteps
from proofs.model.world_steps import WorldSteps

from returns_api.domain.errors import ReturnsError

DONE, IDLE, REFUSED = "done", "idle", "refused"
ROUNDS: Final = 3
"""In which everything comes to its end once the trouble is over."""


@dataclass(slots=True)
class Play(ShopSteps, MoneySteps, WorldSteps):
    """Every step is a method of one of the three."""

    async def do(self, name: str, values: dict[str, Any]) -> str:
        """Run one step; what the service refuses is an outcome."""
        try:
            done = await getattr(self, name)(**values)
        except ReturnsError:
            return REFUSED
        return IDLE if done is False else DONE

    async def settle(self) -> None:
        """No more trouble: the bank decides, every webhook arrives, time passes."""
        for _ in range(ROUNDS):
            await self.story.drain(days=2)
            for order in self.orders:
                for fact in await self.story.provider_list(order):
                    if fact.status in {"pending", "requires_action"}:
                        await self.story.bank.settle(fact.provider_refund_id, "succeeded")
                self.mail += await self.story.provider_list(order)
            for letter in self.mail:
                await self.story.tell(letter)
