"""One shop and everything a return goes through, at the storey of the use cases.

Real parts: PostgreSQL, the bank and the carrier over HTTP, the policy language. Only the clock is
moved by hand. A story tells in one line each what a person, a provider or time does; the rules are
nowhere here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from returns_api.db import orders as order_rows
from returns_api.db.engine import Row
from returns_api.domain.access import ROLE_SCOPES, Principal, Role
from returns_api.domain.events import SYSTEM, By
from returns_api.domain.exchanges import ExchangeRecord, Wanted
from returns_api.domain.order_facts import AskedLine
from returns_api.domain.order_record import OrderRecord, PaymentRecord
from returns_api.domain.orders import (
    BuyerFacts,
    LineFacts,
    LineKind,
    Observation,
    OrderFacts,
    OrderSeen,
    ParcelLine,
    ParcelSeen,
    PaymentFacts,
)
from returns_api.domain.returns import ReturnRecord
from returns_api.domain.shops import ShopSettings
from returns_api.ports.carriers import TrackingScan, TrackingStatus
from returns_api.ports.payments import ProviderDispute, ProviderRefund
from returns_api.usecases import (
    _orders,
    _provider_facts,
    _tracking,
    exchanges,
    opening,
    policies,
    quotes,
    refund_decisions,
    refunds,
    returns,
    warehouse,
)
from returns_api.usecases import photos as evidence
from returns_api.usecases._acting import Acting
from returns_api.usecases._quotes import StoredQuote
from returns_api.usecases._refund_views import RefundView
from returns_api.usecases._waiting import NotYet
from returns_api.usecases.connections import ConnectionValues, put_connection
from returns_api.usecases.context import Context
from returns_api.usecases.line_extras import LineExtras, Proof
from returns_api.usecases.refunds import RefundWish
from returns_api.usecases.returns import ReturnView
from returns_api.usecases.shops import change_shop, create_shop, view_shop
from returns_api.usecases.warehouse import GradedUnit, Inspection, Receipt
from returns_api.worker import sweep
from returns_api.worker.jobs import KINDS
from tests.support.bank import SECRET_KEY, Bank
from tests.support.carrier import API_KEY, Carrier
from tests.support.context import ADDRESS, Clock
from tests.support.pictures import picture

PLATFORM: Final = "shopify"
CARD: Final = "card"
PARCEL: Final = "parcel"
_BOOKKEEPING: Final = frozenset({"seal_ledger", "number_credit_notes"})
BUSINESS: Final = {name: kind for name, kind in KINDS.items() if name not in _BOOKKEEPING}

POLICY: Final = """\
policy: returns-policy/v1
name: The shop of the stories
timezone: Europe/Berlin
currency: EUR
goods:
  gifts: {tags: [gift-card]}
  light: {tags: [light]}
refusals:
  gift_card: {en: Gift cards cannot be returned., de: Gutscheine können nicht zurückgegeben werden.}
rules:
  - id: gifts
    when: {goods: gifts}
    refuse: gift_card
  - id: faulty
    when: {fault: [merchant, carrier]}
    resolutions: {refund: 2 years}
    return_shipping: free
    original_shipping: refund
    evidence: {photo: 1}
    grades: {used_worn: full, incomplete: full, damaged_buyer: 50%}
    approval: auto
  - id: light
    when: {goods: light}
    restocking_fee: 10%
  - id: costly
    when: {unit_price: {min: 500.00}}
    approval: {respond_within: 48 hours, on_silence: approve}
  - id: house
    resolutions: {refund: 30 days, exchange: 60 days}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: 4.90
    original_shipping: keep
    restocking_fee: 0%
    grades: {used_worn: 30%, incomplete: 20%, damaged_buyer: 60%}
    evidence: none
    methods: [post, dropoff, in_store]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""


def with_repairs(policy: str) -> str:
    """The policy where faulty goods are repaired or refunded, and goods that came for another
    reason are repaired for what is quoted."""
    return policy.replace(
        "resolutions: {refund: 2 years}",
        "resolutions: {refund: 2 years, replacement: 2 years, repair: 2 years}",
    ).replace(
        "  - id: house\n",
        "  - id: worn\n    when: {reason: other}\n"
        "    resolutions: {repair: {within: 3 years, cost: quoted}}\n  - id: house\n",
    )


BUYER: Final = BuyerFacts(
    email="anna@example.com",
    name="Anna Weber",
    customer_id="c-1",
    locale="de-DE",
    street1="Canary Str. 1",
    city="Zürich",
    postcode="8001",
    country="CH",
)
"""Of a country without a law pack, so that only the shop's own terms speak."""


def goods(name: str, price: int, quantity: int = 1, **more: Any) -> LineFacts:
    """A line of goods; ``price`` of one unit in minor units."""
    return LineFacts(name, LineKind.GOODS, name, quantity, price, sku=f"SKU-{name}", **more)


def freight(price: int, **more: Any) -> LineFacts:
    return LineFacts("ship", LineKind.SHIPPING, "Standard", 1, price, shippable=False, **more)


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the story: its id and the ids of its lines by their names."""

    id: UUID
    name: str
    lines: Mapping[str, UUID]
    intents: tuple[str, ...]


@dataclass(slots=True)
class Story:
    """A shop with a published policy, a bank and a carrier."""

    ctx: Context
    clock: Clock
    shop: UUID
    bank: Bank
    carrier: Carrier
    principals: dict[Role, Principal] = field(default_factory=dict)
    orders: int = 0
    told: dict[str, OrderFacts] = field(default_factory=dict)

    # Who acts

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

    # What comes in

    async def connect(
        self,
        source: str,
        kind: str,
        adapter: str,
        url: str,
        secret: str,
        version: int | None = None,
    ) -> None:
        """Connect an outside account; ``version`` to replace one."""
        values = ConnectionValues(
            kind=kind,
            adapter=adapter,
            account=source,
            base_url=url,
            gateways=(),
            secret=secret,
            webhook_secrets=("whsec",),
        )
        await put_connection(self.ctx, self.shop, SYSTEM, source, values, version)

    async def see(self, *seen: Observation) -> None:
        """The shop platform tells something."""
        for observation in seen:
            async with self.ctx.database.transaction(self.shop) as tx:
                await _orders.apply(tx, self.ctx, PLATFORM, observation)

    async def order(
        self,
        *lines: LineFacts,
        paid: Sequence[int] | None = None,
        gateways: Sequence[str] = (),
        delivered: timedelta | None = timedelta(days=3),
        **more: Any,
    ) -> Order:
        """An order, paid at the bank (``paid``: one payment each), sent and delivered a while ago;
        ``delivered`` None leaves it unsent."""
        self.orders += 1
        name, now = f"o{self.orders}", self.clock()
        total = sum(line.unit_price_minor * line.quantity for line in lines)
        total -= sum(line.line_discount_minor + line.order_discount_minor for line in lines)
        amounts = [total] if paid is None else list(paid)
        intents = [await self.bank.pay(amount) for amount in amounts]
        names = gateways or [CARD] * len(amounts)
        payments = tuple(
            PaymentFacts(f"p{number}", gateway, amount, "EUR", intent)
            for number, (gateway, amount, intent) in enumerate(
                zip(names, amounts, intents, strict=True)
            )
        )
        placed = now - timedelta(days=10)
        facts = OrderFacts(
            **{
                "external_id": name,
                "number": f"#{1000 + self.orders}",
                "placed_at": placed,
                "updated_at": placed,
                "currency": "EUR",
                "taxes_included": True,
                "total_minor": total,
                "lines": lines,
                "payments": payments,
                "buyer": BUYER,
                "financial_status": "paid",
                **more,
            }
        )
        await self.see(OrderSeen(facts))
        self.told[name] = facts
        if delivered is not None:
            contents = {line.external_id: line.quantity for line in lines if line.shippable}
            await self.send(name, contents, delivered=delivered)
        return await self.find(name, tuple(intents))

    async def send(
        self,
        order: str,
        contents: Mapping[str, int],
        *,
        parcel: str = "f1",
        delivered: timedelta | None = None,
    ) -> None:
        """The shop sends a parcel of an order; ``delivered`` so long ago, or not yet."""
        now = self.clock()
        sent = now - timedelta(days=5) if delivered is None else now - delivered - timedelta(days=2)
        await self.see(
            ParcelSeen(
                order_external_id=order,
                external_id=parcel,
                lines=tuple(ParcelLine(line, count) for line, count in contents.items()),
                shipped_at=sent,
                updated_at=sent,
                delivered_at=None if delivered is None else now - delivered,
            )
        )

    def facts(self, order: Order) -> OrderFacts:
        """What the platform told of the order first."""
        return self.told[order.name]

    async def find(self, name: str, intents: tuple[str, ...] = ()) -> Order:
        async with self.ctx.database.transaction(self.shop) as tx:
            order_id = await tx.connection.fetchval(
                "SELECT id FROM orders WHERE external_id = $1", name
            )
        record = await self.load(order_id)
        lines = {line.external_id: line.id for line in record.lines}
        return Order(order_id, name, lines, intents)

    async def load(self, order_id: UUID) -> OrderRecord:
        async with self.ctx.database.transaction(self.shop) as tx:
            record = await order_rows.load_order(tx, order_id)
        assert record is not None
        return record

    async def payments(self, order: Order) -> dict[str, PaymentRecord]:
        return {p.external_id: p for p in (await self.load(order.id)).payments}

    # What buyer and agent do

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
        quote = await self.quote(order, {line: 1}, resolution="exchange", method="in_store")
        buyer = self.who(Role.BUYER, order)
        extras = [LineExtras(order.lines[line], None, (), Wanted(None, "SKU-larger"))]
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            by = By(buyer.role.value, buyer.credential_id)
            ret = (await opening.open_return(tx, self.ctx, buyer, by, quote.id, extras)).ret
        (hangs,) = ret.hanging
        return await exchanges.get_exchange(self.ctx, buyer, hangs.object_id)

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

    # What carrier and warehouse do

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
        self, ret: ReturnRecord, counts: Mapping[str, int], reference: str = "r1"
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
                unexpected=[],
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

    # What finance and the provider do

    async def refund(
        self, order: Order, amount: int | None = None, by: Principal | None = None, **more: Any
    ) -> RefundView:
        """Finance (unless another is named) refunds an amount, or all that is left."""
        person = by or self.finance
        wish = RefundWish(**{"kind": "manual", "amount_minor": amount, **more})
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            return await refunds.create_refund(
                tx,
                self.ctx,
                By(person.role.value, person.credential_id),
                order.id,
                wish,
            )

    async def credit_terms(self, **terms: Any) -> None:
        """Set the shop's terms of store credit; what is not named has its default."""
        version = (await view_shop(self.ctx, self.shop))["version"]
        await change_shop(self.ctx, self.shop, SYSTEM, version, {"store_credit": terms})

    async def repairs(self, **settings: Any) -> None:
        """Set where the shop has goods repaired, and its price list."""
        version = (await view_shop(self.ctx, self.shop))["version"]
        await change_shop(self.ctx, self.shop, SYSTEM, version, {"repairs": settings})

    async def limit(self, **limits: int | None) -> None:
        """Set what one person may refund alone (minor units); what is not named has its default."""
        version = (await view_shop(self.ctx, self.shop))["version"]
        await change_shop(self.ctx, self.shop, SYSTEM, version, {"refund_limits": limits})

    async def approve(
        self, view: RefundView, by: Principal | None = None, binding: str | None = None
    ) -> RefundView:
        """The admin (unless another is named) approves what they see."""
        person = by or self.who(Role.ADMIN)
        async with self.ctx.database.transaction(self.shop, savepoint=True) as tx:
            return await refund_decisions.approve_refund(
                tx,
                self.ctx,
                person,
                By(person.role.value, person.credential_id),
                view.refund["id"],
                binding or str(view.binding),
            )

    async def retry(self, refund_id: UUID) -> RefundView:
        return await refund_decisions.retry_refund(self.ctx, self.finance, By("finance"), refund_id)

    async def cancel(self, refund_id: UUID) -> RefundView:
        return await refund_decisions.cancel_refund(
            self.ctx, self.finance, By("finance"), refund_id
        )

    async def refund_now(self, refund_id: UUID) -> RefundView:
        return await refunds.get_refund(self.ctx, self.finance, refund_id)

    async def refund_of(self, ret: ReturnRecord) -> RefundView:
        """The one refund of a return."""
        (row,) = (await self.view(ret)).refunds
        return await self.refund_now(row["id"])

    async def provider_list(self, order: Order) -> list[ProviderRefund]:
        """The bank's own word on every refund of the order's payments."""
        found: list[ProviderRefund] = []
        for payment in (await self.load(order.id)).payments:
            if payment.provider_payment_id is not None:
                provider = self.ctx.payments["stripe"]
                found += await provider.list_refunds(self.bank.account, payment.provider_payment_id)
        return found

    async def provider_tells(self, order: Order) -> list[ProviderRefund]:
        """The same, applied as its webhooks bring it."""
        found = await self.provider_list(order)
        for fact in found:
            await self.tell(fact)
        return found

    def payment_of(self, intent: str, amount: int, name: str = "p0") -> PaymentFacts:
        return PaymentFacts(name, CARD, amount, "EUR", intent)

    def dispute_of(
        self, payment: str, amount: int, *, won: bool = False, name: str = "dp_1"
    ) -> ProviderDispute:
        """A chargeback as the provider's webhook tells it; ``won`` gave the money back."""
        return ProviderDispute(name, payment, amount, "EUR", open=not won)

    async def tell(self, fact: Any) -> bool:
        """One fact of the payment provider; False when it has to wait for its payment."""
        async with self.ctx.database.transaction(self.shop) as tx:
            try:
                await _provider_facts.apply(tx, self.ctx, CARD, "stripe", CARD, fact)
            except NotYet:
                return False
        return True

    # Time, and what it leaves behind

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


async def a_story(
    ctx: Context, clock: Clock, bank: Bank, carrier: Carrier, policy: str = POLICY
) -> Story:
    """A fresh shop: policy published, platform, bank and carrier connected."""
    made = await create_shop(
        ctx, ShopSettings("Field & Loom", "Europe/Berlin", "EUR", "DE", "de-DE", ADDRESS)
    )
    story = Story(ctx, clock, made.id, bank, carrier)
    draft = await policies.draft_policy(ctx, made.id, SYSTEM, policy)
    await policies.publish_policy(
        ctx, made.id, SYSTEM, draft["id"], effective_from=None, acknowledge="a test"
    )
    await story.connect(PLATFORM, "shop", "shopify", "https://shop.example", "s")
    await story.connect(CARD, "payments", "stripe", bank.base_url, SECRET_KEY)
    await story.connect(PARCEL, "carrier", "easypost", carrier.base_url, API_KEY)
    return story
