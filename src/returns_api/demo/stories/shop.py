"""One story's shop: its policy, its connections and a key for everybody, as a merchant sets it up.

Two things no key of a shop can make: the shop itself and an arbiter's key. Those are an operator's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from returns_api.demo.receiver import Receiver
from returns_api.demo.shop import ensure_shop, furnish, shop_id
from returns_api.demo.stories.people import Person
from returns_api.demo.stories.world import World
from returns_api.usecases.keys import create_platform_key

ARBITERS: Final = ("platform", "second platform")
LIMITS: Final = {"agent_per_order": 20_00, "agent_per_day": 100_00}
"""What an agent may promise alone, in minor units."""


@dataclass(frozen=True, slots=True)
class Shop:
    """``people`` by role; ``account`` is the bank's key; ``domain`` sends the mails."""

    domain: str
    account: str
    people: Mapping[str, Person]


async def a_shop(world: World, receiver: Receiver, taken: Counter[str]) -> Shop:
    """A new shop whose buyers are told by mail and whose server hears of everything."""
    made = await ensure_shop(world.ctx, None)
    await furnish(world.ctx, world.settings, made, policy())
    keys = dict(made.keys)
    for role in ARBITERS:
        issued = await create_platform_key(world.ctx, shop_id(made), role)
        keys[role] = issued.token
    people = {role: Person(role, world.url, world.http, key, taken) for role, key in keys.items()}
    domain = f"{made.shop.replace('_', '-')}.example"
    await _tell_buyers(people["admin"], world, domain)
    await _limit(people["admin"])
    endpoint = {"url": receiver.url, "topics": ["*"]}
    told = await people["admin"].enter("/v1/admin/webhook-endpoints", endpoint)
    receiver.trust(told["secret"])
    return Shop(domain, made.accounts["stripe"], people)


def policy() -> str:
    return (files("returns_api.demo.stories") / "policy.yaml").read_text(encoding="utf-8")


async def _tell_buyers(admin: Person, world: World, domain: str) -> None:
    connection = {
        "kind": "messaging",
        "adapter": "smtp",
        "account": "returns",
        "base_url": world.mailbox.url,
    }
    await admin.put("/v1/admin/connections/mail", connection)
    sender = {"address": f"returns@{domain}", "name": "Field & Loom"}
    await admin.put("/v1/admin/notification-settings/mail", {"sender": sender})


async def _limit(admin: Person) -> None:
    await admin.change("/v1/admin/shop", {"refund_limits": LIMITS})
