"""One shop and everything a return goes through, at the storey of the use cases.

Real parts: PostgreSQL, the bank and the carrier over HTTP, the policy language. Only the clock is
moved by hand. A story tells in one line each what a person, a provider or time does; the rules are
nowhere here. Owns the policy that most stories have; the steps are in ``story_orders``,
``story_returns`` and ``story_money``.
"""

from __future__ import annotations

from typing import Final

from returns_api.domain.events import SYSTEM
from returns_api.domain.shops import ShopSettings
from returns_api.usecases import (
    policies,
)
from returns_api.usecases.context import Context
from returns_api.usecases.shops import create_shop
from tests.support.bank import SECRET_KEY, Bank
from tests.support.carrier import API_KEY, Carrier
from tests.support.context import ADDRESS, Clock
from tests.support.story_money import Refunding
from tests.support.story_scene import CARD, PARCEL, PLATFORM

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


class Story(Refunding):
    """All that people, providers and time do to one shop."""

    __slots__ = ()


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
