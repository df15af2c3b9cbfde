"""Rules as boxes in the fact space, and boxes back as concrete cases.

Owns the full set of axes of one policy, the translation of conditions into boxes and the choice of
a witness: facts that lie in a given part of the space and look like a real case. A rule that names
several tags or goods groups takes a union of boxes; every other rule takes one. Refuses to own the
questions (``analysis``) and set arithmetic (``boxes``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

from returns_api.domain.policy.boxes import Box, Budget, TooLarge, find, meet
from returns_api.domain.policy.conditions import Choice
from returns_api.domain.policy.document import GoodsGroup, TierRule, When
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import BuyerHistory, Facts
from returns_api.domain.policy.index import (
    HISTORY,
    PRODUCT_WORDS,
    Clause,
    dates_of,
    places_of,
)
from returns_api.domain.policy.space import NumberAxis, bits, limits
from returns_api.domain.policy.vocabulary import DEFAULT_TIER, PPM

MAX_BOXES: Final = 400
"""Boxes that one rule may need, before it is too large to analyse."""

SCALARS: Final = (
    "reason", "condition", "tier", "place", "channel", "day", "discounted", "rollout", "informed",
    "money", *PRODUCT_WORDS,
)  # fmt: skip
"""The axes before the tags, in order."""

_AT: Final = {name: position for position, name in enumerate(SCALARS)}
_A_MOMENT: Final = datetime(2026, 3, 2, 10, tzinfo=UTC)
"""When witnesses order, unless a rule asks for another day."""


class Money:
    """One axis of price and order value in all currencies: an order is worth what is in it.

    An atom is a currency with one atom of the unit price and one of the order value, where some
    price fits into some order.
    """

    def __init__(self, policy: Policy) -> None:
        axes = policy.index.axes
        self.atoms = [
            (currency, u, o)
            for currency in policy.world.currencies
            for u in range(axes.unit[currency].size)
            for o in range(axes.order[currency].size)
            if axes.order[currency].bounds(o)[1] >= axes.unit[currency].bounds(u)[0]
        ]
        self._axes = axes

    def mask(self, clause: Clause) -> int:
        """The atoms that a clause takes."""
        allowed = {}
        for currency in self._axes.world.currencies:
            allowed[currency] = tuple(
                self._axes.money_mask(axis, found, currency) if found else axis.full
                for axis, found in (
                    (self._axes.unit[currency], clause.when.unit_price),
                    (self._axes.order[currency], clause.when.order_value),
                )
            )
        mask = 0
        for position, (currency, u, o) in enumerate(self.atoms):
            units, orders = allowed[currency]
            if units >> u & 1 and orders >> o & 1:
                mask |= 1 << position
        return mask

    def lowest(self, atom: int) -> tuple[str, int, int]:
        """The currency, lowest price and a fitting order value of ``atom``."""
        currency, u, o = self.atoms[atom]
        unit = self._axes.unit[currency].bounds(u)[0]
        return currency, unit, max(unit, self._axes.order[currency].bounds(o)[0])

    def bounds(self, atom: int) -> tuple[str, int, int]:
        """The currency and the lowest and highest price of ``atom``."""
        currency, u, o = self.atoms[atom]
        low, high = self._axes.unit[currency].bounds(u)
        return currency, low, min(high, self._axes.order[currency].bounds(o)[1])

    def sample(self, atom: int) -> tuple[str, int, int]:
        """The currency, a price that looks real and a fitting order value of ``atom``."""
        currency, low, high = self.bounds(atom)
        unit = min(max(low, 5_000), high) if low < 5_000 else low
        o_low, o_high = self._axes.order[currency].bounds(self.atoms[atom][2])
        return currency, unit, min(max(unit, o_low), o_high)


class Histories:
    """The space of buyer histories, cut by the tiers: which tiers can be reached, and how."""

    def __init__(self, tiers: Sequence[TierRule]) -> None:
        self._tiers = tuple(tiers)
        edges = {name: self._edges(name) for name in HISTORY}
        self.axes = {
            name: NumberAxis(cut for low, high in found for cut in (low, high + 1))
            for name, found in edges.items()
        }
        self._full = tuple(self._domain(name) for name in HISTORY)
        self.boxes = tuple(self._box(tier) for tier in self._tiers)

    def _edges(self, name: str) -> list[tuple[int, int]]:
        found = [limits(asked, "", "") for t in self._tiers if (asked := getattr(t, name))]
        domain = [(0, PPM)] if name == "return_rate" else []
        return [*domain, *(edge for edge in found if edge)]

    def _domain(self, name: str) -> int:
        axis = self.axes[name]
        return axis.mask(0, PPM) if name == "return_rate" else axis.full

    def _box(self, tier: TierRule) -> Box:
        found = []
        for name, full in zip(HISTORY, self._full, strict=True):
            asked = getattr(tier, name)
            edges = limits(asked, "", "") if asked else None
            found.append(self.axes[name].mask(*edges) & full if edges else full)
        return tuple(found)

    def part(self, number: int, budget: Budget) -> Box | None:
        """Histories for which the tier at ``number`` is the first that takes them."""
        return find(self.boxes[number], self.boxes[:number], budget)

    def default_part(self, budget: Budget) -> Box | None:
        """Histories that no tier takes."""
        return find(self._full, self.boxes, budget)

    def history(self, part: Box, near: BuyerHistory) -> BuyerHistory:
        """The history in ``part`` that is closest to ``near`` on every number."""
        values = {}
        for name, mask in zip(HISTORY, part, strict=True):
            attribute = "return_rate_ppm" if name == "return_rate" else name
            values[attribute] = _closest(self.axes[name], mask, getattr(near, attribute))
        return BuyerHistory(**values)


def _closest(axis: NumberAxis, mask: int, near: int) -> int:
    """The number in the atoms of ``mask`` that is closest to ``near``."""
    choices = []
    for atom in bits(mask):
        low, high = axis.bounds(atom)
        choices.append(min(max(near, low), high))
    return min(choices, key=lambda value: (abs(value - near), value))


class Geometry:
    """The fact space of one policy with all its boxes."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.axes = policy.index.axes
        self.money = Money(policy)
        self.histories = Histories(policy.document.tiers)
        self.tags = self.axes.tags
        self._tag_at = {tag: len(SCALARS) + n for n, tag in enumerate(self.tags)}
        self.universe = self._universe()
        self.rules = [self.boxes_of(clause) for clause in policy.index.clauses]

    def _universe(self) -> Box:
        """Everything that can happen: known reasons, reachable tiers, the document's markets."""
        axes = self.axes
        full = {
            "reason": axes.reason.full & ~1,
            "condition": axes.condition.full,
            "tier": self._reachable_tiers(),
            "place": self._markets(),
            "channel": axes.channel.full,
            "day": axes.day.full,
            "discounted": 3,
            "rollout": axes.rollout.full,
            "informed": 3,
            "money": (1 << len(self.money.atoms)) - 1,
            **{name: axes.words[name].full for name in PRODUCT_WORDS},
        }
        return (*(full[name] for name in SCALARS), *(3 for _ in self.tags))

    def _reachable_tiers(self) -> int:
        budget = Budget()
        mask = 0
        for number, tier in enumerate(self.policy.document.tiers):
            if self.histories.part(number, budget) is not None:
                mask |= 1 << self.axes.tier.locate(tier.tier)
        if self.histories.default_part(budget) is not None:
            mask |= 1 << self.axes.tier.locate(DEFAULT_TIER)
        return mask

    def _markets(self) -> int:
        """Atoms of the document's markets; all of them where it names none."""
        markets = self.policy.document.markets
        if not markets:
            return self.axes.place.full
        return self.axes.place.mask(Choice(markets))

    def boxes_of(self, clause: Clause) -> list[Box]:
        """The boxes that a clause takes, cut to what can happen; none where it takes nothing."""
        base = self._base(clause)
        if base is None:
            return []
        choices = [self._goods(clause.when), self._tag_choices(clause.when)]
        found: list[Box] = []
        for picked in product(*choices):
            box: Box | None = base
            for part in picked:
                box = meet(box, part) if box is not None else None
            if box is not None and box not in found:
                found.append(box)
            if len(found) > MAX_BOXES:
                raise TooLarge
        return found

    def _base(self, clause: Clause) -> Box | None:
        axes, when = self.axes, clause.when
        masks = {"reason": axes.reason_mask(clause), "money": self.money.mask(clause)}
        if when.condition:
            masks["condition"] = axes.condition_mask(when.condition)
        if when.tier:
            masks["tier"] = axes.tier_mask(when.tier)
        if when.channel:
            masks["channel"] = axes.channel.mask(when.channel)
        if when.discounted is not None:
            masks["discounted"] = 2 if when.discounted else 1
        if clause.informed is not None:
            masks["informed"] = 2 if clause.informed else 1
        if when.rollout is not None:
            masks["rollout"] = axes.rollout.mask(0, when.rollout - 1)
        for choice in places_of(clause):
            masks["place"] = masks.get("place", axes.place.full) & axes.place.mask(choice)
        for days in dates_of(clause):
            masks["day"] = masks.get("day", axes.day.full) & axes.day.mask(days)
        for name in PRODUCT_WORDS:
            choice = getattr(when, name)
            if choice:
                masks[name] = axes.words[name].mask(choice)
        return self.narrow(self.universe, masks)

    def narrow(self, box: Box, masks: dict[str, int]) -> Box | None:
        """``box`` cut to ``masks`` by axis."""
        found = list(box)
        for name, mask in masks.items():
            found[_AT[name]] &= mask
        return None if 0 in found else tuple(found)

    def mask(self, box: Box, name: str) -> int:
        """The atoms that ``box`` takes on an axis."""
        return box[_AT[name]]

    def _with_tag(self, box: Box, tag: str, value: int) -> Box | None:
        position = self._tag_at[tag]
        mask = box[position] & value
        return (*box[:position], mask, *box[position + 1 :]) if mask else None

    def _tag_choices(self, when: When) -> list[Box]:
        if when.tags is None:
            return [self.universe]
        base: Box | None = self.universe
        for tag in when.tags.all:
            base = self._with_tag(base, tag, 2) if base else None
        for tag in when.tags.none:
            base = self._with_tag(base, tag, 1) if base else None
        if base is None:
            return []
        if not when.tags.any:
            return [base]
        found = (self._with_tag(base, tag, 2) for tag in when.tags.any)
        return [box for box in found if box is not None]

    def _goods(self, when: When) -> list[Box]:
        """A product is in a group by any one of its facts, so ``any`` and ``all`` are unions."""
        if when.goods is None:
            return [self.universe]
        world = self.policy.world.goods
        groups = [world[name] for name in when.goods.none if name in world]
        outside = self._outside(groups)
        parts = [outside] if outside else []
        unions = [when.goods.any] if when.goods.any else []
        for names in (*unions, *((name,) for name in when.goods.all)):
            inside = [box for n in names if n in world for box in self._inside(world[n])]
            parts = [met for part in parts for box in inside if (met := meet(part, box))]
            if len(parts) > MAX_BOXES:
                raise TooLarge
        return parts

    def _inside(self, group: GoodsGroup) -> list[Box]:
        found: list[Box | None] = []
        for name in PRODUCT_WORDS:
            patterns: tuple[str, ...] = getattr(group, name)
            if patterns:
                mask = self.axes.words[name].mask(Choice(patterns))
                found.append(self.narrow(self.universe, {name: mask}))
        found += [self._with_tag(self.universe, tag, 2) for tag in group.tags]
        return [box for box in found if box is not None]

    def _outside(self, groups: Sequence[GoodsGroup]) -> Box | None:
        box: Box | None = self.universe
        for group in groups:
            for name in PRODUCT_WORDS:
                patterns: tuple[str, ...] = getattr(group, name)
                if patterns and box:
                    mask = self.axes.words[name].mask(Choice(patterns, negated=True))
                    box = self.narrow(box, {name: mask})
            for tag in group.tags:
                box = self._with_tag(box, tag, 1) if box else None
        return box

    def witness(self, box: Box) -> Facts:
        """A case in ``box``: the plainest value on every axis, delivered and asked for in time."""
        axes = self.axes
        first = {name: _plainest(box[_AT[name]], name) for name in SCALARS}
        currency, unit, order = self.money.sample(first["money"])
        country, region = axes.place.sample(first["place"])
        placed = self._moment(first["day"])
        reason = axes.reason.sample(first["reason"])
        return Facts(
            reason=reason or "",
            currency=currency,
            placed_at=placed,
            asked_at=placed + timedelta(days=5),
            fulfilled_at=placed + timedelta(days=1),
            delivered_at=placed + timedelta(days=3),
            condition=axes.condition.sample(first["condition"]),
            sku=axes.words["sku"].sample(first["sku"]),
            category=axes.words["category"].sample(first["category"]),
            vendor=axes.words["vendor"].sample(first["vendor"]),
            tags=frozenset(tag for tag in self.tags if box[self._tag_at[tag]] == 2),
            unit_paid_minor=unit,
            order_paid_minor=order,
            discounted=first["discounted"] == 1,
            country=country,
            region=region,
            channel=axes.channel.sample(first["channel"]),
            buyer=self.buyer_of(axes.tier.sample(first["tier"]) or DEFAULT_TIER, BuyerHistory()),
            informed=first["informed"] == 1,
            rollout_ppm=self._rollout(first["rollout"]),
        )

    def _rollout(self, atom: int) -> int | None:
        low = self.axes.rollout.bounds(atom)[0]
        return low if low < PPM else None

    def _moment(self, atom: int) -> datetime:
        low, high = self.axes.day.bounds(atom)
        if (low is None or low <= _A_MOMENT) and (high is None or high > _A_MOMENT):
            return _A_MOMENT
        if low is not None:
            return low
        assert high is not None
        return high - timedelta(days=1)

    def buyer_of(self, tier: str, near: BuyerHistory) -> BuyerHistory:
        """The history closest to ``near`` that has ``tier``. The tier must be reachable."""
        budget = Budget()
        names = [found.tier for found in self.policy.document.tiers]
        part = None
        if tier in names:
            part = self.histories.part(names.index(tier), budget)
        if part is None:
            part = self.histories.default_part(budget)
        assert part is not None
        return self.histories.history(part, near)


def _plainest(mask: int, name: str) -> int:
    """The atom that makes the plainest case: informed, a place if any, otherwise the first."""
    found = bits(mask)
    if name == "informed":
        return found[-1]
    if name == "place":
        return next((atom for atom in found if atom), 0)
    if name == "rollout":
        return found[-1]
    return found[0]
