"""What is open to the buyer at one moment: the merchant's offers and the law's grants, with dates.

Owns the ends of windows for a plan (a rule's or a right's resolutions) begun on one day, and the
choice of the later end where both speak. All of it is remembered per plan and day, so that a case
costs a look-up. Refuses to own which plan applies (``evaluate``, ``outcome``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import WorkingDays
from returns_api.domain.policy.decisions import Because, Floor, Resolution, SetBy, Term
from returns_api.domain.policy.term_values import Starts, Window
from returns_api.domain.policy.vocabulary import RepairCost, ResolutionKind
from returns_api.domain.policy.windows import FACT_OF, Begin, End, end_of, later


@dataclass(frozen=True, slots=True)
class WindowTerm:
    """How long one resolution is open, and who says so."""

    kind: ResolutionKind
    window: Window
    bonus_ppm: int
    cost: RepairCost
    set_by: SetBy
    within: str
    """The window as an author writes it."""
    term: str
    """The name of the term in decisions."""

    def value(self, begun: Begin) -> dict[str, str | None]:
        """The term as plain data."""
        return {
            "within": self.within,
            "from": begun.event.value if begun.event else None,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Resolutions that are offered or granted together, and what their windows count from."""

    starts: Starts
    windows: tuple[WindowTerm, ...]
    extend_to: date | None = None
    judgement: bool = False
    """True for a right whose time is a matter of judgement."""
    dated: dict[tuple[date | None, str | None, ZoneInfo], Dated] = field(default_factory=dict)
    """The plan as begun on days that were met before."""

    first: str | None = field(init=False)
    """The fact that the windows usually count from; None where days are added to it."""

    def __post_init__(self) -> None:
        item = self.starts.items[0]
        first = FACT_OF[item.event] if item.plus is None else None
        object.__setattr__(self, "first", first)


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """One resolution with its end."""

    window: WindowTerm
    begun: Begin
    end: End

    def is_open(self, now: datetime) -> bool:
        """Whether ``now`` is not too late."""
        return self.end.over is None or now < self.end.over


@dataclass(frozen=True, slots=True)
class Standing:
    """The outcome of one moment: what is open, and why or why not."""

    resolutions: tuple[Resolution, ...]
    terms: tuple[Term, ...]
    because: tuple[Because, ...]
    by_judgement: bool = False
    """True when nothing but a matter of judgement carries the return."""


_KINDS: Final = tuple(ResolutionKind)

Grants = tuple[tuple["Dated", int], ...]


@dataclass(slots=True, eq=False)
class Dated:
    """A plan begun on a certain day. ``overs`` are the first instants too late, in its order."""

    plan: Plan
    offers: tuple[Offer, ...]
    overs: tuple[datetime | None, ...]
    standings: dict[tuple[int, Grants], Standing] = field(default_factory=dict)

    def open_at(self, now: datetime) -> int:
        """Bits of the offers that are open at ``now``."""
        found, bit = 0, 1
        for over in self.overs:
            if over is None or now < over:
                found |= bit
            bit <<= 1
        return found


def begun_on(plan: Plan, begun: Begin, zone: ZoneInfo, working: WorkingDays) -> Dated:
    """``plan`` with the ends of its windows, counted from ``begun``."""
    offers = tuple(
        Offer(window, begun, end_of(window.window, begun, plan.extend_to, zone, working))
        for window in plan.windows
    )
    return Dated(plan, offers, tuple(offer.end.over for offer in offers))


def stand(
    merchant: Dated,
    is_open: int,
    grants: Grants,
    refusal: Because | None,
    day_facts: tuple[str, ...],
) -> Standing:
    """Per resolution the later of the merchant's offer and the law's grants.

    ``is_open`` are the bits of the merchant's open offers. A grant is the floor of an offer of the
    same kind. ``refusal`` is why the merchant offers nothing, where that is so.
    """
    floors = _latest_grants(grants)
    best = dict(floors)
    for position, offer in enumerate(merchant.offers):
        kind = offer.window.kind
        if is_open >> position & 1 and (
            kind not in floors or not later(floors[kind].end, offer.end)
        ):
            best[kind] = offer
    if not best:
        return Standing((), (), (refusal or _too_late(merchant.offers),))
    chosen = [(best[kind], floors.get(kind)) for kind in _KINDS if kind in best]
    law_only = not is_open
    judged = law_only and all(dated.plan.judgement for dated, _ in grants)
    code = "law_judgement" if judged else "law_grants"
    because = (Because(code, chosen[0][0].window.set_by.law),) if law_only else ()
    return Standing(
        tuple(_resolution(offer, floor) for offer, floor in chosen),
        tuple(_term(offer, floor, day_facts) for offer, floor in chosen),
        because,
        judged,
    )


def _latest_grants(grants: Grants) -> dict[ResolutionKind, Offer]:
    found: dict[ResolutionKind, Offer] = {}
    for dated, is_open in grants:
        for position, offer in enumerate(dated.offers):
            kind = offer.window.kind
            if is_open >> position & 1 and (kind not in found or later(offer.end, found[kind].end)):
                found[kind] = offer
    return found


def _too_late(offers: Sequence[Offer]) -> Because:
    """Why nothing is open: the window that ended last, or that nothing was ever offered."""
    if not offers:
        return Because("no_rule", None)
    last = offers[0]
    for offer in offers[1:]:
        if later(offer.end, last.end):
            last = offer
    about = (
        ("resolution", last.window.kind.value),
        ("until_local", last.end.label),
        ("window", last.window.within),
    )
    return Because("window_over", last.window.set_by.rule, about)


def _resolution(offer: Offer, grant: Offer | None) -> Resolution:
    """A repair that a law grants is free as long as it does, however long the merchant's own
    offer to quote one is. Source: Directive (EU) 2019/771, article 14 (1) (a), for one."""
    window = offer.window
    free = grant is not None and grant.window.cost is RepairCost.FREE
    cost = RepairCost.FREE if free else window.cost
    return Resolution(window.kind, offer.end.last, offer.end.label, window.bonus_ppm, cost)


def _term(offer: Offer, grant: Offer | None, day_facts: tuple[str, ...]) -> Term:
    event = offer.begun.event
    used = (FACT_OF[event],) if event is not None else ()
    floor = None
    if grant is not None and grant.window.set_by.law is not None:
        kinder = "law" if offer is grant else "merchant"
        floor = Floor(grant.window.set_by.law, grant.window.value(grant.begun), kinder)
    return Term(
        offer.window.term,
        offer.window.value(offer.begun),
        offer.window.set_by,
        (*used, "asked_at", *day_facts),
        floor,
    )
