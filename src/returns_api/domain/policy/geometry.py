"""Rules as boxes in the fact space.

Owns the full set of axes of one policy and the translation of conditions into boxes. A rule that
names several tags or goods groups takes a union of boxes; every other rule takes one. Refuses to
own the questions (``analysis``, ``flips``), set arithmetic (``boxes``) and concrete cases
(``witnesses``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

from returns_api.domain.policy.axes import (
    PRODUCT_WORDS,
    Clause,
    dates_of,
    places_of,
)
from returns_api.domain.policy.boxes import Box, TooLarge, meet
from returns_api.domain.policy.conditions import Choice
from returns_api.domain.policy.document import GoodsGroup, When
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.histories import Histories
from returns_api.domain.policy.money_axis import Money

MAX_BOXES: Final = 400
"""Boxes that one rule may need, before it is too large to analyse."""

SCALARS: Final = (
    "reason", "condition", "tier", "place", "channel", "day", "discounted", "rollout", "informed",
    "money", *PRODUCT_WORDS,
)  # fmt: skip
"""The axes before the tags, in order."""

_AT: Final = {name: position for position, name in enumerate(SCALARS)}


class Geometry:
    """The fact space of one policy with all its boxes.

    ``everything``: also what should not happen but can be asked about: reasons, places and
    currencies that the document does not know. Analysis looks at what can happen.
    """

    def __init__(self, policy: Policy, *, everything: bool = False) -> None:
        self.policy = policy
        self.axes = policy.index.axes
        self._everything = everything
        self.money = Money(self.axes, everything=everything)
        self.histories = Histories(policy.document.tiers)
        self.tags = self.axes.tags
        self._tag_at = {tag: len(SCALARS) + n for n, tag in enumerate(self.tags)}
        self.universe = self._universe()
        self.rules = [self.boxes_of(clause) for clause in policy.index.clauses]

    def _universe(self) -> Box:
        """Everything that can happen: known reasons, reachable tiers, the document's markets."""
        axes = self.axes
        full = {
            "reason": axes.reason.full if self._everything else axes.reason.full & ~1,
            "condition": axes.condition.full,
            "tier": axes.tier.full if self._everything else self.reachable_tiers(),
            "place": axes.place.full if self._everything else self.markets(),
            "channel": axes.channel.full,
            "day": axes.day.full,
            "discounted": 3,
            "rollout": axes.rollout.full,
            "informed": 3,
            "money": (1 << self.money.size) - 1,
            **{name: axes.words[name].full for name in PRODUCT_WORDS},
        }
        return (*(full[name] for name in SCALARS), *(3 for _ in self.tags))

    def reachable_tiers(self) -> int:
        """Atoms of the tiers that some history has."""
        return sum(1 << self.axes.tier.locate(name) for name in self.histories.reachable())

    def markets(self) -> int:
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

    def tags_of(self, box: Box) -> frozenset[str]:
        """The tags that every case in ``box`` has."""
        return frozenset(tag for tag in self.tags if box[self._tag_at[tag]] == 2)

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
