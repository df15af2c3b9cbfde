"""The policy in force as anybody may read it: which version, in which form, for how long.

Owns that what is published is the version that would judge an order placed now, that all forms name
it, and how long a copy may be kept: never past the moment at which another version begins. Refuses
to own the forms themselves (``domain.publications``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from returns_api.db import policies as rows
from returns_api.db.engine import Row
from returns_api.domain import ids
from returns_api.domain.errors import NotFound
from returns_api.domain.policy import Policy
from returns_api.domain.publications import (
    Asked,
    Published,
    SpecialRule,
    publish,
    special_rules,
    to_jsonld,
    to_text,
)
from returns_api.usecases._policies import compiled
from returns_api.usecases.context import Context

MAX_AGE: Final = timedelta(minutes=5)
KEPT_MAX: Final = 300
"""Publications that one process keeps; beyond it the oldest goes."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A version's promises for one market and product, ready to be written in any form."""

    version: Row
    policy: Policy
    published: Published
    max_age_seconds: int
    url: str
    """Where everybody can read it in plain language."""

    @property
    def version_id(self) -> str:
        return ids.encode("pv", self.version["id"])

    def text(self, locale: str) -> str:
        return to_text(self.policy, self.published, self.version_id, locale)

    def jsonld(self) -> dict[str, Any]:
        groups = self.policy.law.groups
        return to_jsonld(self.published, version=self.version_id, groups=groups, url=self.url)

    def special_rules(self, locale: str) -> tuple[SpecialRule, ...]:
        asked = self.published.asked
        return special_rules(self.policy, asked.country, asked.region, locale)

    def markets(self, locale: str) -> list[dict[str, Any]]:
        """The markets with the reasons' titles in a language."""
        return [
            {**market, "groups": [self._group(group, locale) for group in market["groups"]]}
            for market in self.published.markets
        ]

    def _group(self, group: Mapping[str, Any], locale: str) -> dict[str, Any]:
        known = self.policy.world.reasons
        reasons = [{"code": c, "title": known[c].title(locale)} for c in group["reasons"]]
        return {**group, "reasons": reasons}


async def publication(ctx: Context, shop: UUID, asked: Asked, *, public: bool) -> Publication:
    """What the shop promises for a market and a product on a delivery of this hour.

    ``public``: nobody proved that the shop exists; one that does not, or that left, is not found.

    Raises:
        NotFound: no such shop, or it has published nothing.
        Invalid: a currency that is none.
        Unavailable: too many ask at once.
    """
    now = ctx.clock()
    async with ctx.database.transaction(shop) as tx:
        gone = public and not await rows.shop_is_open(tx)
        row = None if gone else await rows.in_force(tx, now, ctx.policies.keys())
        following = None if row is None else await rows.next_begin(tx, now)
    if row is None:
        raise NotFound("There is no published return policy here.")
    policy = compiled(ctx, row)
    at = now.replace(minute=0, second=0, microsecond=0)
    work = partial(publish, policy, asked, at)
    published = await _kept(ctx, (row["id"], asked, at), work)
    url = f"{ctx.public_url}/v1/shops/{ids.encode('shp', shop)}/policy?format=text"
    return Publication(row, policy, published, _max_age(now, at, following), url)


def etag_of(body: bytes) -> str:
    """Names the exact bytes."""
    return f'"{sha256(body).hexdigest()[:32]}"'


async def _kept(
    ctx: Context, key: tuple[UUID, Asked, datetime], work: Callable[[], Published]
) -> Published:
    known = ctx.published.get(key)
    if known is None:
        known = await ctx.publishing.run(work)
        while len(ctx.published) >= KEPT_MAX:
            del ctx.published[next(iter(ctx.published))]
        ctx.published[key] = known
    return known


def _max_age(now: datetime, at: datetime, following: datetime | None) -> int:
    """Seconds for which a copy stays true."""
    ends = [now + MAX_AGE, at + timedelta(hours=1)]
    if following is not None:
        ends.append(following)
    return max(0, int((min(ends) - now).total_seconds()))
