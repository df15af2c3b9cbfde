"""Steps that nobody here decides: what the provider does and says, time, and dying workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any, Final

from proofs.model.memory import Memory, pick
from tests.support.gates import Gate
from tests.support.story_scene import CARD

from returns_api.domain.errors import ReturnsError
from returns_api.domain.events import By
from returns_api.usecases import reconciliations, transfers
from returns_api.usecases._refund_views import RefundView

FAULTS: Final = (
    "reset_before",
    "reset_after",
    "error_before",
    "error_after",
    "truncate",
    "garbage",
    "rate_limited",
    "key_in_use",
    "wrong_amount",
    "redirect",
    "pending",
    "pending_fails",
)


class Died(Exception):
    """Stands for the end of a worker process."""


@dataclass(slots=True)
class WorldSteps(Memory):
    """The bank, its webhooks, the clock and the workers."""

    # Money elsewhere, and what the provider says

    async def refunded_elsewhere(self, which: int, amount: int) -> bool:
        order = pick(self.orders, which)
        if order is not None:
            await self.story.bank.dashboard_refund(order.intents[0], 1 + amount)
        return order is not None

    async def charged_back(self, which: int, amount: int) -> bool:
        order = pick(self.orders, which)
        if order is None:
            return False
        name = await self.story.bank.dispute(order.intents[0], 1 + amount)
        fact = self.story.dispute_of(order.intents[0], 1 + amount, name=name)
        self.disputes.append(fact)
        self.mail.append(fact)
        return True

    async def dispute_closed(self, which: int, won: bool) -> bool:
        fact = pick(self.disputes, which)
        if fact is None:
            return False
        self.disputes.remove(fact)
        await self.story.bank.close_dispute(fact.provider_dispute_id, won=won)
        self.mail += [replace(fact, open=False)] if won else []
        return True

    async def provider_decides(self, which: int, refund: int, status: str) -> bool:
        """What was pending arrives or fails; what had arrived fails late."""
        order = pick(self.orders, which)
        found = pick(await self.story.provider_list(order), refund) if order else None
        if found is not None:
            if found.reference is not None and found.reference not in self.untold:
                said = await self.story.bank.movements(found.reference)
                self.untold[found.reference] = said
            await self.story.bank.settle(found.provider_refund_id, status)
        return found is not None

    async def webhooks_written(self, which: int) -> bool:
        """The provider's words of this moment; they come whenever they come."""
        order = pick(self.orders, which)
        if order is not None:
            self.mail += await self.story.provider_list(order)
        return order is not None

    async def webhook_arrives(self, which: int, times: int) -> bool:
        """Early, late, again or never."""
        fact = pick(self.mail, which)
        for _ in range(times if fact is not None else 0):
            await self.story.tell(fact)
        return fact is not None

    async def reconciled(self) -> bool:
        by = By("finance", self.story.finance.credential_id)
        await reconciliations.start_reconciliation(self.story.ctx, self.story.shop, by, CARD, None)
        return True

    # Time, workers, trouble

    async def bank_fails(self, fault: int) -> bool:
        await self.story.bank.script(FAULTS[fault % len(FAULTS)])
        return True

    async def worked(self, seconds: int) -> bool:
        return bool(await self.story.drain(seconds=seconds))

    async def worker_died(self, which: int, after: bool) -> bool:
        """Before its call, or when the bank had done it and nobody had written that down."""
        ctx = self.story.ctx
        due = [key for _, key in await transfers.due_transfers(ctx, 50)]
        transfer = pick(sorted(due), which)
        if transfer is None:
            return False
        gate = Gate(ctx.payments["stripe"])
        inner = gate.inner

        async def dies(*args: Any) -> Any:
            if after:
                await inner.refund(*args)
            raise Died

        gate.instead["refund"] = dies
        try:
            other = replace(ctx, payments={**ctx.payments, "stripe": gate})
            await transfers.send_transfer(other, self.story.shop, transfer)
        except Died:
            return True
        return False

    async def burst(self, which: int, amounts: list[int], seconds: int) -> bool:
        """Several at once: refunds of one order, the worker, and webhooks."""
        order = pick(self.orders, which)
        if order is None:
            return False
        left = await self.left(order)
        asked = [1 + amount % max(left, 1) for amount in amounts]
        work: list[Awaitable[Any]] = [self.story.refund(order, each) for each in asked]
        work += [self.story.drain(seconds=seconds)]
        work += [self.story.tell(fact) for fact in self.mail[-2:]]
        made = await asyncio.gather(*work, return_exceptions=True)
        for each in made:
            if isinstance(each, BaseException) and not isinstance(each, ReturnsError):
                raise each
            if isinstance(each, RefundView):
                self.note(each, self.story.finance)
        taken = sum(e.refund["amount_minor"] for e in made if isinstance(e, RefundView))
        assert taken <= left, f"{taken} was accepted at once, {left} was left"
        return True
