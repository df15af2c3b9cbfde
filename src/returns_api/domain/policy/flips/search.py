"""The smallest change of several facts: an exact search of the fact space, nearest first.

A node is a part of the space (a box) together with what was settled on the way to it: which rules
are to decide which terms, which right of the law is to carry the return, whether to ask earlier.
Its size is that of the closest point in the box. The smallest node is looked at first: if its
closest point reaches the goal, nothing smaller does. Otherwise ``needs`` names what is in the way,
and the box is cut into parts that together hold every point in it that reaches the goal. When no
part is left, no change of facts reaches it. Work is counted; ``TooMany`` is no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from heapq import heappop, heappush
from typing import Any, Final

from returns_api.domain.policy.boxes import Box, meet
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts, time_json
from returns_api.domain.policy.flips.changes import (
    RANK,
    Change,
    Option,
    changed,
    written,
)
from returns_api.domain.policy.flips.cures import DEFAULT
from returns_api.domain.policy.flips.goals import Goal, goal_of, is_open, wanted_kind
from returns_api.domain.policy.flips.ground import Ground, Start
from returns_api.domain.policy.flips.needs import Need, Needs, Way
from returns_api.domain.policy.flips.nodes import Node, Point, Size
from returns_api.domain.policy.flips.situation import in_time, placed_later
from returns_api.domain.policy.flips.values import SECOND
from returns_api.domain.policy.geometry import SCALARS
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.weighed import Dates

_OPENS: Final = goal_of("eligible")
_DAY: Final = SCALARS.index("day")
_CONDITION: Final = SCALARS.index("condition")
_MONEY: Final = SCALARS.index("money")


class TooMany(Exception):
    """The search looked at as many parts as it may."""


class Search:
    """One search for one target of one case. ``farther``: nothing near is known to help."""

    def __init__(self, ground: Ground, needs: Needs, target: str, farther: int) -> None:
        self._ground = ground
        self._policy: Policy = ground.policy
        self._needs = needs
        self._cures = needs.cures
        self._target = target
        self._goal: Goal = goal_of(target)
        self._farther = farther
        self._heap: list[tuple[Size, int, Node]] = []
        self._met: set[Node] = set()
        self.far = farther
        """The least number of far changes that may still help."""

    def run(self, facts: Facts, tier: str, steps: int) -> tuple[Change, ...] | None:
        """The smallest changes; None where none help. Raises ``TooMany``."""
        start = self._ground.start(facts, tier)
        for node in self._roots(start):
            self._push(node, start)
        while self._heap:
            size, _, node = heappop(self._heap)
            self.far = max(self.far, size[0])
            steps -= 1
            if steps < 0:
                raise TooMany
            point = self._point(node, start)
            changes = self._reached(node, point, start)
            if changes is not None:
                return changes
            for child in self._parts(node, point):
                self._push(child, start)
        return None

    def _push(self, node: Node, start: Start) -> None:
        if 0 in node.box or node in self._met:
            return
        self._met.add(node)
        size = self._size(node, start)
        if size is not None:
            heappush(self._heap, (size, len(self._met), node))

    def _roots(self, start: Start) -> Iterator[Node]:
        """The merchant carries the return, or one right does; and the same for what is free."""
        shift = self._policy.rule_count
        carriers = bits(self._cures.rights(self._carried(), None) >> shift)
        yield Node(start.root)
        for number in carriers:
            yield from self._meeting(Node(start.root, carrier=number), shift + number)
        for number, right in enumerate(self._policy.rights):
            conditions = self._cures.given(right, self._target)
            if not conditions:
                continue
            box = _narrowed(start.root, _CONDITION, conditions)
            giver = Node(box, giver=number)
            if right.resolutions is not None:
                yield from self._meeting(replace(giver, carrier=number), shift + number)
                continue
            for node in self._meeting(giver, shift + number):
                yield node
                for other in carriers:
                    yield from self._meeting(replace(node, carrier=other), shift + other)

    def _carried(self) -> str:
        return self._target if self._target.startswith("resolution.") else "eligible"

    def _meeting(self, node: Node, clause: int) -> Iterator[Node]:
        """The parts of a node in which a rule or right applies."""
        for box in self._ground.boxes[clause]:
            found = meet(node.box, box)
            if found is not None:
                yield replace(node, box=found)

    def _size(self, node: Node, start: Start) -> Size | None:
        """The size of the closest point; None where no change leads into the box."""
        far, axes, ranks = 0, [], []
        if node.earlier:
            axes.append(RANK["asked_at"])
        for position, (mask, own) in enumerate(zip(node.box, start.own, strict=True)):
            if mask & own:
                continue
            for rank, (atom, option) in enumerate(self._ground.options(start, position).items()):
                if mask >> atom & 1:
                    far += option.far
                    axes += (RANK[axis] for axis in option.axes)
                    ranks.append(rank)
                    break
            else:
                return None
        if node.moved and node.box[_DAY] & start.own[_DAY]:
            axes.append(RANK["placed_at"])
        return (max(far, self._farther), len(axes), tuple(sorted(axes)), tuple(ranks))

    def _point(self, node: Node, start: Start) -> Point:
        options, atoms = [], []
        for position, (mask, own) in enumerate(zip(node.box, start.own, strict=True)):
            if mask & own:
                atoms.append(own)
                continue
            here = self._ground.options(start, position)
            option = next(option for atom, option in here.items() if mask >> atom & 1)
            options.append(option)
            atoms.append(1 << option.atom)
        facts = _applied(start.facts, options)
        tier = self._policy.tiers.of(facts.buyer)
        mask = self._policy.index.match(facts, self._policy.tier_atoms[tier])
        weighed = self._policy.weigh_at(facts, tier, mask, Dates())
        return Point(facts, tier, mask, tuple(options), tuple(atoms), weighed)

    def _reached(self, node: Node, point: Point, start: Start) -> tuple[Change, ...] | None:
        """The changes that lead to the point, where it (or a time close to it) reaches the goal."""
        options = list(point.options)
        if self._goal(point.weighed, point.facts):
            return _written(options, start.facts)
        if node.earlier:
            times = self._times(node, point, self._goal)
            return None if times is None else _written([*options, *times], start.facts)
        for option in options:
            if option.until is not None:
                others = [other for other in options if other is not option]
                before = _applied(start.facts, others)
                rules = (point.tier, point.mask)
                later = placed_later(self._policy, before, option, rules, self._goal)
                return None if later is None else _written([*others, later], start.facts)
        return None

    def _times(self, node: Node, point: Point, goal: Goal) -> list[Option] | None:
        """Other times of the point that reach a goal."""
        return self._moved(point, goal) if node.moved else self._asked(point, goal)

    def _asked(self, point: Point, goal: Goal) -> list[Option] | None:
        asked = in_time(self._policy, point.facts, (point.tier, point.mask), goal, Dates())
        return None if asked is None else [_at("asked_at", asked)]

    def _moved(self, point: Point, goal: Goal) -> list[Option] | None:
        """Placed and asked for just before a window ended that no later order can meet."""
        facts, day = point.facts, self._policy.index.axes.day
        for over in self._policy.ends(facts, point.tier, point.mask, Dates()):
            at = over - SECOND
            if at < facts.placed_at and day.locate(at) == day.locate(facts.placed_at):
                after = changed(facts, {"placed_at": at, "asked_at": at})
                weighed = self._policy.weigh_at(after, point.tier, point.mask, Dates())
                if goal(weighed, after):
                    return [_at("asked_at", at), _at("placed_at", at)]
        return None

    def _parts(self, node: Node, point: Point) -> Iterator[Node]:
        """Parts of a node that hold every point in it that reaches the goal."""
        weighed, facts, mask = point.weighed, point.facts, point.mask
        opened = self._opened(node, point)
        if opened:
            need: Need | None = self._needs.worth(self._target, mask, facts)
            by_law = node.giver is not None
        else:
            need = self._needs.opening(self._target, weighed, mask, facts)
            by_law = node.carrier is not None
        if by_law or (need is not None and need.late):
            yield from self._sooner(node, point)
        if not by_law and need is not None:
            yield from self._settling(node, point, need, sparing=opened)

    def _opened(self, node: Node, point: Point) -> bool:
        """Whether the point is open to the buyer, at its times or where it was asked in time."""
        kind = wanted_kind(self._target)
        if is_open(point.weighed, kind):
            return True
        if not node.earlier or self._target == self._carried():
            return False
        return self._times(node, point, _OPENS) is not None

    def _sooner(self, node: Node, point: Point) -> Iterator[Node]:
        if not node.earlier:
            yield replace(node, earlier=True)
        elif not node.moved:
            yield replace(node, moved=True)
        yield replace(node, box=_narrowed(node.box, _DAY, ~point.atoms[_DAY]))

    def _settling(self, node: Node, point: Point, need: Need, *, sparing: bool) -> Iterator[Node]:
        """Settle who decides the first term that is not settled, or clear the way for it.
        ``sparing``: what comes back is not only to be taken, but to cost nothing."""
        settled = dict(node.settled)
        for way in need.ways:
            chosen = settled.get(way.term)
            if chosen is None:
                yield from self._deciding(node, way, sparing)
                return
            if chosen != way.decider:
                yield from self._without(node, point, way.decider)
                return
            if way.term == "grades":
                conditions = self._cures.conditions(chosen, sparing=sparing)
                yield replace(node, box=_narrowed(node.box, _CONDITION, conditions))
        if self._target == "return_freight" and not need.late:
            paid = self._ground.paid_in(point.facts.currency)
            yield replace(node, box=_narrowed(node.box, _MONEY, ~paid))

    def _deciding(self, node: Node, way: Way, sparing: bool) -> Iterator[Node]:
        """The parts in which each of the rules that could decide a term well applies."""
        graded = way.term == "grades"
        good = self._policy.maker.setters["grades"] if graded else way.good
        if way.term == "return_shipping":
            good = self._cures.free_somewhere()
        rules = [(number, child) for number in bits(good) for child in self._meeting(node, number)]
        if way.by_default or graded:
            rules.append((DEFAULT, node))
        for number, child in rules:
            box = child.box
            if graded:
                conditions = self._cures.conditions(number, sparing=sparing)
                box = _narrowed(box, _CONDITION, conditions)
            yield replace(child, box=box, settled=(*node.settled, (way.term, number)))

    def _without(self, node: Node, point: Point, number: int) -> Iterator[Node]:
        """The parts of a node outside that box of a rule in which its closest point lies."""
        if number == DEFAULT:
            return
        hole = next(
            box
            for box in self._ground.boxes[number]
            if all(a & b for a, b in zip(box, point.atoms, strict=True))
        )
        rest = list(node.box)
        for axis, taken in enumerate(hole):
            outside = rest[axis] & ~taken
            if outside:
                yield replace(node, box=(*rest[:axis], outside, *rest[axis + 1 :]))
                rest[axis] &= taken


def _narrowed(box: Box, axis: int, mask: int) -> Box:
    return (*box[:axis], box[axis] & mask, *box[axis + 1 :])


def _at(axis: str, instant: datetime) -> Option:
    return Option(0, (axis,), {axis: instant}, ((f"change.{axis}", time_json(instant)),))


def _applied(facts: Facts, options: Sequence[Option]) -> Facts:
    """The case after all options; tags are put on and taken off one by one."""
    data: dict[str, Any] = {}
    tags = facts.tags
    for option in options:
        data.update(option.data)
        if option.axes == ("tags",):
            tags ^= {option.parts[0][1]}
    return changed(facts, {**data, "tags": tags})


def _written(options: Sequence[Option], facts: Facts) -> tuple[Change, ...]:
    return written(options, _applied(facts, options))
