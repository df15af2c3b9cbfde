"""Two seeded shops as tests know them: their keys, what is in them, and calls with those keys.

The second shop is the first one's stranger and has the same things under other ids. Refuses to own
how they came to have them (``seeding``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx

from returns_api.domain import ids

NOBODY_LISTENS: Final = "http://127.0.0.1:9"
"""Where the providers of these shops would be: connections are refused at once."""


SIGNING: Final = "whsec_of_the_tests"


POLICY: Final = """\
policy: returns-policy/v1
name: Field & Loom
timezone: Europe/Berlin
currency: EUR
rules:
  - id: costly
    when: {unit_price: {min: 500.00}}
    approval: {respond_within: 48 hours, on_silence: approve}
  - id: quick
    when: {reason: changed_mind}
    refund_at: {at: request, per_buyer: 900.00, per_day: 9000.00, recover_within: 14 days}
  - id: given
    when: {reason: gift_not_wanted}
    resolutions: {store_credit: 90 days}
  - id: worn
    when: {reason: other}
    resolutions: {repair: {within: 3 years, cost: quoted}}
  - id: house
    resolutions: {refund: 30 days, exchange: 60 days}
    starts: [delivered, fulfilled + 7 days]
    return_shipping: 4.90
    original_shipping: keep
    grades: {used_worn: 30%}
    evidence: none
    methods: [post, dropoff]
    approval: auto
    ship_within: 14 days
    inspect_within: 2 days
    refund_at: inspection
    refund_within: 5 days
"""


RECIPIENT: Final = "bea@gifts.example"


USUAL: Final = "size_too_small"
"""Why goods come back in these shops, unless it is said."""


TABLES: Final = {
    "ord": "orders",
    "li": "order_lines",
    "pay": "payments",
    "qt": "quotes",
    "ret": "returns",
    "rl": "return_lines",
    "ev": "photos",
    "shm": "shipments",
    "pku": "pickups",
    "gft": "gift_receipts",
    "clm": "transport_claims",
    "can": "cancellations",
    "adc": "address_changes",
    "off": "offers",
    "dsp": "disputes",
    "cpl": "complaints",
    "exc": "exchanges",
    "rep": "repairs",
    "wdr": "withdrawals",
    "rec": "receipts",
    "ins": "inspections",
    "ref": "refunds",
    "rcv": "recoveries",
    "lst": "listings",
    "trf": "transfers",
    "sc": "store_credits",
    "scm": "store_credit_movements",
    "cn": "credit_notes",
    "evt": "events",
    "whe": "webhook_endpoints",
    "key": "credentials",
    "pv": "policy_versions",
    "in": "inbox",
    "bt": "backtests",
    "aud": "audits",
    "le": "ledger_entries",
    "ph": "policy_history",
    "rcn": "reconciliations",
    "imp": "imports",
    "exp": "exports",
    "msg": "return_messages",
    "dif": "reconciliation_differences",
}
"""Public prefixes and the tables whose ids they show."""


@dataclass(slots=True)
class Past:
    """The real time, moved back by ``ago``."""

    ago: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.ago


@dataclass(slots=True)
class House:
    """One shop: ``keys`` by role (and ``other_buyer``, ``revoked``), what is in it by prefix."""

    shop: str
    number: int
    keys: dict[str, str] = field(repr=False)
    orders: list[str] = field(default_factory=list)
    made: list[dict[str, str]] = field(default_factory=list)
    """For each order one thing of each kind, by prefix: all of them belong together."""
    gifts: list[dict[str, str]] = field(default_factory=list)
    """For each order what a recipient of something of it can name."""
    things: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spare_keys: tuple[str, ...] = ()
    """Ids of keys that nobody uses, to revoke."""

    @property
    def id(self) -> UUID:
        found = ids.decode("shp", self.shop)
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class World:
    """Our shop and the stranger."""

    ours: House
    theirs: House


@dataclass(slots=True)
class Caller:
    """Calls the API of one shop with its keys; fails the seeding for anything but a 2xx."""

    http: httpx.AsyncClient
    house: House
    calls: int = 0

    async def __call__(self, role: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        self.calls += 1
        headers = {
            **bearer(self.house.keys[role]),
            "Idempotency-Key": f"seed-{self.house.number}-{self.calls}",
        }
        answer = await self.http.request(method, path, json=body, headers=headers)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return dict(answer.json()) if answer.content else {}


def asked(order: str, line: str, quantity: int = 1, why: str = USUAL) -> dict[str, Any]:
    """A body for ``POST /v1/quotes``."""
    one = {"line": line, "quantity": quantity, "reason": why}
    return {"order": order, "lines": [one]}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def post(http: httpx.AsyncClient, path: str, body: bytes, headers: Mapping[str, str]) -> None:
    """A webhook that has to be taken."""
    answer = await http.post(path, content=body, headers=dict(headers))
    if not answer.is_success:
        raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text}")
