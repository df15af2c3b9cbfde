"""Steps of the shop: orders and their platform, buyers, returns and the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from proofs.model.memory import Memory, pick
from tests.support.story_orders import BUYER, freight, goods

from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.orders import OrderSeen, PersonErased
from returns_api.domain.return_plans import plan_cancel
from returns_api.domain.returns import ReturnRecord
from returns_api.usecases.returns import approving, rejecting

ORDERS_MAX: Final = 3
GRADES: Final = ("sealed", "used_worn", "incomplete", "damaged_buyer", "empty_box")
REASONS: Final = ("changed_mind", "size_too_small", "defective")


@dataclass(slots=True)
class ShopSteps(Memory):
    """What people and the platform do with orders and goods."""

    # The shop and its platform

    async def order_in(
        self, prices: list[int], quantity: int, shipping: int, tenders: int, sent: bool
    ) -> bool:
        if len(self.orders) >= ORDERS_MAX:
            return False
        lines = [goods(f"g{n}", price, quantity) for n, price in enumerate(prices)]
        lines += [freight(shipping)] if shipping else []
        total = sum(line.unit_price_minor * line.quantity for line in lines)
        cut = [total // tenders] * (tenders - 1)
        paid = [*cut, total - sum(cut)]
        delivered = timedelta(days=3) if sent else None
        order = await self.story.order(*lines, paid=paid, delivered=delivered)
        self.orders.append(order)
        self.told[order.name] = self.story.facts(order)
        return True

    async def order_edited(self, which: int, line: int, removed: int) -> bool:
        order = pick(self.orders, which)
        if order is None:
            return False
        facts = self.told[order.name]
        at = line % len(facts.lines)
        gone = removed % (facts.lines[at].quantity + 1)
        lines = [
            replace(each, removed=gone) if n == at else each for n, each in enumerate(facts.lines)
        ]
        facts = replace(facts, lines=tuple(lines), updated_at=self.story.clock())
        self.told[order.name] = facts
        await self.story.see(OrderSeen(facts))
        return True

    async def order_told_again(self, which: int) -> bool:
        """An old message, after newer ones."""
        order = pick(self.orders, which)
        if order is not None:
            await self.story.see(OrderSeen(self.story.facts(order)))
        return order is not None

    async def order_sent(self, which: int) -> bool:
        order = pick(self.orders, which)
        if order is None:
            return False
        facts = self.story.facts(order)
        contents = {each.external_id: each.quantity for each in facts.lines if each.shippable}
        await self.story.send(order.name, contents, delivered=timedelta(hours=1))
        return True

    async def buyer_erased(self) -> bool:
        names = tuple(order.name for order in self.orders)
        await self.story.see(PersonErased(BUYER.customer_id, BUYER.email, names))
        return bool(names)

    # Returns

    async def return_opened(self, which: int, line: int, count: int, reason: int) -> bool:
        order = pick(self.orders, which)
        if order is None:
            return False
        lines = [each for each in self.story.facts(order).lines if each.shippable]
        name = lines[line % len(lines)].external_id
        asked = {name: 1 + count % lines[line % len(lines)].quantity}
        why = REASONS[reason % len(REASONS)]
        photos = {name: 1} if why == "defective" else None
        self.returns.append(await self.story.open(order, asked, reason=why, photos=photos))
        return True

    async def return_brought_back(
        self, which: int, line: int, count: int, reason: int, grade: int
    ) -> bool:
        """Opened, waved through, received and graded in one go."""
        if not await self.return_opened(which, line, count, reason):
            return False
        ret = self.returns[-1]
        if ret.state == "requested":
            await self.story.act(ret, approving(None))
        await self.story.bring_back(ret, GRADES[grade % len(GRADES)])
        return True

    async def return_approved(self, which: int) -> bool:
        return await self._act(await self._reviewed("approve"), which, approving(None))

    async def return_rejected(self, which: int) -> bool:
        refuse = rejecting("not_returnable", None, None)
        return await self._act(await self._reviewed("reject"), which, refuse)

    async def return_canceled(self, which: int) -> bool:
        return await self._act(self.returns, which, plan_cancel)

    async def _act(
        self, among: Sequence[ReturnRecord], which: int, plan: Callable[..., Any]
    ) -> bool:
        ret = pick(among, which)
        if ret is not None:
            await self.story.act(ret, plan)
        return ret is not None

    async def _reviewed(self, action: str) -> Sequence[ReturnRecord]:
        """Those that wait for it, where any does: few are reviewed, and of no other can anything be
        decided."""
        states = [state for state, name in RETURN.rules if name == action]
        found = await self.story.rows("SELECT id FROM returns WHERE state = ANY ($1)", states)
        waiting = {row["id"] for row in found}
        return [each for each in self.returns if each.id in waiting] or self.returns

    async def parcel_scanned(self, which: int, status: str) -> bool:
        ret = pick(self.returns, which)
        if ret is None or (await self.story.view(ret)).shipment is None:
            return False
        await self.story.scan(ret, status)
        return True

    async def units_received(self, which: int, count: int, reference: int) -> bool:
        """Too many, and the same receipt twice, are among them."""
        ret = pick(self.returns, which)
        if ret is None:
            return False
        line = ret.lines[0]
        counted = {line.external_id: 1 + count % (line.quantity + 1)}
        await self.story.receive(ret, counted, f"r{reference}")
        return True

    async def units_inspected(self, which: int, count: int, grade: int, close: bool) -> bool:
        ret = pick(self.returns, which)
        if ret is None:
            return False
        line = ret.lines[0]
        units = [(line.external_id, GRADES[grade % len(GRADES)])] * (1 + count % line.quantity)
        await self.story.inspect(ret, *units, close=close)
        return True
