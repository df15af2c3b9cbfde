"""What each line of a return in goods counts for, and what is left of it in money; pure.

Owns how what belongs to the whole return is shared among its lines: the return freight in
proportion to what the units of each count for by themselves, by largest remainder, ties to the line
that the certificate has first; the outbound shipping among those lines that end in money, since
for the others the buyer keeps an order. All shares together are exactly the settlement, none is
below zero, and none depends on the order in which the lines were named. Refuses to own the sum
itself (``settlement``) and price against credit (``exchange_goods``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from returns_api.domain.exchanges import IN_MONEY, ExchangeRecord
from returns_api.domain.ledger import DRAWN_BY_GOODS
from returns_api.domain.money import allocate
from returns_api.domain.settlement import Claim, Part, PartKind, Settlement


@dataclass(frozen=True, slots=True)
class Shares:
    """What each line counts for, by the order line's external id (minor units)."""

    counts: Mapping[str, int]
    freight: Mapping[str, int]
    """What of the return freight it bears; taken off already."""

    def of(self, line: str) -> int:
        """Nothing for a line of which nothing came."""
        return self.counts.get(line, 0)


def share_out(parts: Sequence[Part], in_money: Collection[str] = ()) -> Shares:
    """The lines' shares in a settlement of these parts; ``in_money`` are the lines that the
    outbound shipping belongs to, all of them where it names none."""
    own: dict[str, int] = {}
    shipping = freight = 0
    for part in parts:
        if part.kind is PartKind.SHIPPING:
            shipping += part.amount_minor
        elif part.line is None:
            freight -= part.amount_minor
        else:
            own[part.line] = own.get(part.line, 0) + part.amount_minor
    borne = min(freight, sum(own.values()))
    bears = dict(zip(own, allocate(borne, [*own.values()]), strict=True))
    getting = [line for line in own if line in in_money] or [*own]
    left = allocate(shipping - (freight - borne), [own[line] for line in getting])
    gets = dict(zip(getting, left, strict=True))
    counts = {line: own[line] - bears[line] + gets.get(line, 0) for line in own}
    return Shares(counts, bears)


def keeps_order(exchanges: Sequence[ExchangeRecord], claims: Sequence[Claim]) -> bool:
    """Whether no unit that came back is settled in money: then no outbound shipping is owed."""
    lines = {each.line_external for each in exchanges if each.ended_in_money}
    return not any(claim.came and claim.line in lines for claim in claims)


@dataclass(frozen=True, slots=True)
class Left:
    """What is due in money: its parts, the freight that the buyer bears, and how much goes which
    way. ``drawn_minor`` of what came back was given in goods: a part of its own."""

    parts: Sequence[Mapping[str, Any]]
    freight_minor: int
    ways: Mapping[str, int]
    drawn_minor: int = 0

    @property
    def total_minor(self) -> int:
        return sum(self.ways.values())

    def along(self, rest_minor: int) -> Mapping[str, int]:
        """The ways of what is left after an advance, which is given for one way only."""
        if rest_minor == self.total_minor:
            return self.ways
        (way,) = self.ways
        return {way: rest_minor}


def all_in(settlement: Settlement, way: str) -> Left:
    """Everything goes one way."""
    parts = [part.as_dict() for part in settlement.parts]
    ways = {way: settlement.total_minor}
    return Left(parts, settlement.fees.return_freight_minor, ways)


def left_over(settlement: Settlement, exchanges: Sequence[ExchangeRecord]) -> Left:
    """What decided exchanges leave of the settlement of their return: of given goods what they cost
    less, by their fallback; of the others all, by their outcome. What was replaced without a price
    bears its share of the freight, and nothing else is due for it. Freight that falls to given
    goods, since another line was paid back elsewhere meanwhile, is not asked for any more."""
    ended = {each.line_external for each in exchanges if each.ended_in_money}
    replaced = {each.line_external for each in exchanges if each.free and each.given}
    shares = share_out(settlement.parts, ended)
    ways = dict.fromkeys(IN_MONEY, 0)
    drawn = off = 0
    for each in exchanges:
        if each.line_external in replaced:
            continue
        drawn += each.drawn_minor
        left = shares.of(each.line_external) - each.drawn_minor
        ways[each.outcome or each.fallback] += max(left, 0)
        off += max(-left, 0)
    off += sum(shares.freight.get(line, 0) for line in replaced)
    kept = [_less(part, off) for part in settlement.parts if part.line not in replaced]
    parts = [part.as_dict() for part in kept]
    if drawn:
        parts.append({"kind": DRAWN_BY_GOODS, "amount": -drawn})
    freight = settlement.fees.return_freight_minor - off
    return Left(parts, freight, {way: sum_ for way, sum_ in ways.items() if sum_}, drawn)


def _less(part: Part, off_minor: int) -> Part:
    """The freight without what replaced goods bear of it."""
    if part.kind is not PartKind.RETURN_FREIGHT or not off_minor:
        return part
    asked, borne = -part.amount_minor, -part.amount_minor - off_minor
    because = {"asked": asked, **part.because, "cut_to": borne}
    return replace(part, amount_minor=-borne, because=because)
