"""What buyer, agent, carrier and warehouse do in a story, from the quote to the last grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from returns_api.db import exchanges as exchange_rows
from returns_api.domain.access import Principal, Role
from returns_api.domain.events import By
from returns_api.domain.exchanges import ExchangeRecord, Wanted
from returns_api.domain.order_facts import AskedLine
from returns_api.domain.returns import ReturnRecord
from returns_api.ports.carriers import TrackingScan, TrackingStatus
from returns_api.usecases import (
    _tracking,
    exchanges,
    opening,
    quotes,
    returns,
    warehouse,
)
from returns_api.usecases import photos as evidence
from returns_api.usecases._acting import Acting
from returns_api.usecases._quotes import StoredQuote
from returns_api.usecases.line_extras import LineExtras, Proof
from returns_api.usecases.returns import ReturnView
from returns_api.usecases.warehouse import GradedUnit, Inspection, Receipt
from tests.support.pictures import picture
from tests.support.story_orders import Ordering
from tests.support.story_scene import PARCEL, Order


class Returning(Ordering):
    """What comes back."""

    __slots__ = ()

    async def quote(
        self,
        order: Order,
        asked: Mapping[str, int],
        *,
        reason: str = "changed_mind",
        method: str | None = None,
        resolution: str = "refund",
        condition: str | None = None,
    ) -> StoredQuote:
        lines = [
            AskedLine(order.lines[line], count, reason, condition) for line, count in asked.items()
        ]
        buyer = self.who(Role.BUYER, order)
        return await quotes.make_quote(
            self.ctx, buyer, order.id, lines, resolution=resolution, method=method
        )

    async def accept(
        self, order: Order, quote: StoredQuote, *, photos: Mapping[str, int] | None = None
    ) -> ReturnView:
        """The buyer opens the return; ``photos`` counts them by line."""
        buyer = self.who(Role.BUYER, order)
        extras = [
            LineExtras(
                order.lines[line],
                None,
                tuple([Proof("photo", await self.photo(order, n)) for n in range(count)]),
            )
            for line, count in (photos or {}).items()
        ]
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            by = By(buyer.role.value, buyer.credential_id)
            return await opening.open_return(tx, self.ctx, buyer, by, quote.id, extras)

    async def exchange(self, order: Order, line: str) -> ExchangeRecord:
        """The buyer opens a return of one unit for a larger one; nobody has answered yet."""
        return (await self.exchange_lines(order, {line: 1}))[line]

    async def exchange_lines(
        self, order: Order, asked: Mapping[str, int], *, method: str = "in_store"
    ) -> dict[str, ExchangeRecord]:
        """The buyer opens one return of several lines for larger ones; its exchanges by line."""
        quote = await self.quote(order, asked, resolution="exchange", method=method)
        buyer = self.who(Role.BUYER, order)
        larger = Wanted(None, "SKU-larger")
        extras = [LineExtras(order.lines[line], None, (), larger) for line in asked]
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            by = By(buyer.role.value, buyer.credential_id)
            ret = (await opening.open_return(tx, self.ctx, buyer, by, quote.id, extras)).ret
        return await self.exchanges_of(ret.id)

    async def exchanges_of(self, return_id: UUID) -> dict[str, ExchangeRecord]:
        """The exchanges of a return as they are now, by line."""
        async with self.ctx.database.transaction(self.shop) as tx:
            found = await exchange_rows.of_return(tx, return_id)
        return {each.line_external: each for each in found}

    async def take(self, made: ExchangeRecord, plan: exchanges.Plan, person: Principal) -> None:
        """An action of a person on an exchange."""
        who = Acting(person, By(person.role.value, person.credential_id), made.id)
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            await exchanges.act(tx, self.ctx, who, plan)

    async def photo(self, order: Order, number: int = 0) -> UUID:
        """The buyer sends a photo before there is a return."""
        buyer = self.who(Role.BUYER, order)
        target = evidence.Target(order_id=order.id)
        upload = await evidence.store_photo(self.ctx, buyer, target, picture(number))
        async with self.ctx.database.transaction(self.shop) as tx:
            by = By(buyer.role.value, buyer.credential_id)
            await evidence.keep_photo(tx, self.ctx, buyer, by, upload)
        return upload.id

    async def open(self, order: Order, asked: Mapping[str, int], **more: Any) -> ReturnRecord:
        """Quote and accept in one breath."""
        photos = more.pop("photos", None)
        return (await self.accept(order, await self.quote(order, asked, **more), photos=photos)).ret

    async def act(self, ret: ReturnRecord, plan: Any, principal: Principal | None = None) -> Any:
        """An action of a person (the agent unless another is named) on a return."""
        actor = principal or self.agent
        by = By(actor.role.value, actor.credential_id)
        return (await returns.act(self.ctx, actor, by, ret.id, plan)).ret

    async def view(self, ret: ReturnRecord) -> ReturnView:
        return await returns.get_return(self.ctx, self.who(Role.ADMIN), ret.id)

    async def again(self, ret: ReturnRecord) -> ReturnRecord:
        """The return as it is now."""
        return (await self.view(ret)).ret

    async def scan(
        self, ret: ReturnRecord, status: str, at: datetime | None = None, **other: Any
    ) -> None:
        """A scan of the return's parcel as the carrier's webhook would tell it."""
        shipment = (await self.view(ret)).shipment
        assert shipment is not None
        values = {
            "tracking_code": shipment.tracking_code or "?",
            "carrier_shipment_id": shipment.carrier_shipment_id,
            **other,
        }
        scan = TrackingScan(status=TrackingStatus(status), at=at or self.clock(), **values)
        async with self.ctx.database.transaction(self.shop) as tx:
            await _tracking.apply(tx, self.ctx, PARCEL, scan)

    async def receive(
        self,
        ret: ReturnRecord,
        counts: Mapping[str, int],
        reference: str = "r1",
        unexpected: Sequence[Mapping[str, Any]] = (),
    ) -> Receipt:
        """The warehouse counts units in, by the name of the order line."""
        lines = {await self._line(ret, name): count for name, count in counts.items()}
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            return await warehouse.receive(
                tx,
                self.ctx,
                self.dock,
                By("warehouse", self.dock.credential_id),
                ret.id,
                reference=reference,
                lines=lines,
                unexpected=unexpected,
            )

    async def inspect(
        self, ret: ReturnRecord, *units: tuple[str, str], close: bool = False, **more: Any
    ) -> Inspection:
        """The warehouse grades units: (name of the order line, grade) each."""
        graded = [
            GradedUnit(
                await self._line(ret, name),
                grade,
                more.get("disposition"),
                more.get("sku_seen"),
                (),
                None,
            )
            for name, grade in units
        ]
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            by = By("warehouse", self.dock.credential_id)
            return await warehouse.inspect(tx, self.ctx, self.dock, by, ret.id, graded, close=close)

    async def bring_back(self, ret: ReturnRecord, grade: str = "sealed") -> Inspection:
        """Everything comes at once and is graded alike."""
        now = await self.again(ret)
        units = {line.external_id: line.quantity for line in now.open_lines()}
        await self.receive(now, units)
        return await self.inspect(
            now, *((name, grade) for name, count in units.items() for _ in range(count))
        )

    async def _line(self, ret: ReturnRecord, name: str) -> UUID:
        return next(line.id for line in ret.lines if line.external_id == name)
