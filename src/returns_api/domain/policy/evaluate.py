"""Facts in, decision out: pure, total, deterministic.

Owns ``Policy``, a document compiled together with the law. Deciding has two halves. What depends
only on *which* rules and rights apply is built once and kept (``outcome``); what depends on the
dates of the case is computed each time. Refuses to own matching (``index``), the terms
(``outcome``), and sentences.

A right of the law is *active* while its own window is open; active rights bound every term they
speak of. A merchant's refusal does not touch what an active right grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import WorkingDays, find_zone
from returns_api.domain.policy.conditions import Choice
from returns_api.domain.policy.decisions import (
    Because,
    Decision,
    Floor,
    Resolution,
    Term,
)
from returns_api.domain.policy.document import PolicyDocument
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.index import Clause, RuleIndex, Tiers, World
from returns_api.domain.policy.law import Law, LawPack, Right, default_law
from returns_api.domain.policy.loader import LoadedPolicy
from returns_api.domain.policy.outcome import Outcome, OutcomeMaker, WindowTerm
from returns_api.domain.policy.space import bits
from returns_api.domain.policy.term_values import DEFAULT_STARTS, Starts
from returns_api.domain.policy.vocabulary import ResolutionKind
from returns_api.domain.policy.windows import FACT_OF, Begin, End, begin, end_of, later
from returns_api.domain.reasons import Fault, Reason, catalogue

CACHE: Final = 16_384
"""Outcomes kept, before the table is emptied."""

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class _Open:
    """One way of getting a resolution that is still open, or how it closed."""

    end: End
    begin: Begin
    window: WindowTerm


def compile_policy(source: LoadedPolicy | PolicyDocument, law: Law | None = None) -> Policy:
    """Compile once per version; ``decide`` is then cheap. Lines are known for loaded policies."""
    if isinstance(source, LoadedPolicy):
        return Policy(source.document, law or source.law, source.lines)
    return Policy(source, law or default_law(), {})


def world_of(document: PolicyDocument, law: Law) -> World:
    """The names that a document's conditions refer to."""
    zone = find_zone(document.timezone)
    if zone is None:
        raise ValueError(f"unknown zone {document.timezone}")
    extra = {
        code: Reason(code, rule.at_fault, rule.group, rule.title)
        for code, rule in document.reasons.items()
    }
    return World(
        document.currency, zone, law.groups, document.goods, catalogue(extra),
        Tiers(document.tiers).names,
    )  # fmt: skip


def clause_of(pack: LawPack, right: Right) -> Clause:
    """The conditions of a right."""
    dates = (right.in_force,) if right.in_force else ()
    return Clause(right.when, dates, (Choice(pack.place),), right.when.informed)


class Policy:
    """A compiled policy. Immutable in meaning; it only remembers what it computed."""

    def __init__(self, document: PolicyDocument, law: Law, lines: Mapping[str, int]) -> None:
        self.document = document
        self.law = law
        self.lines = lines
        self.world = world_of(document, law)
        self.working = WorkingDays(
            frozenset(_WEEKDAYS.index(day) for day in document.weekend),
            frozenset(document.holidays),
        )
        self.tiers = Tiers(document.tiers)
        rights = [(pack, right) for pack in law.packs for right in pack.rights]
        self.rights = tuple(right for _, right in rights)
        clauses = [Clause(rule.when) for rule in document.rules]
        clauses += [clause_of(pack, right) for pack, right in rights]
        self.index = RuleIndex(clauses, self.world)
        self._rule_bits = (1 << len(document.rules)) - 1
        self._tier_atoms = {n: self.index.axes.tier.locate(n) for n in self.tiers.names}
        self._places = frozenset(
            place
            for pack in law.packs
            for name in pack.place
            for place in law.groups.get(name, (name,))
        )
        self._maker = OutcomeMaker(document, self.rights, lines, self.tiers.names)
        self._outcomes: dict[tuple[int, int, str, str], Outcome] = {}
        self._granting: dict[int, tuple[tuple[int, Starts, tuple[WindowTerm, ...]], ...]] = {}

    def decide(self, facts: Facts) -> Decision:
        """What this policy and the law give for ``facts``. Never raises."""
        tier = self.tiers.of(facts.buyer)
        mask = self.index.match(facts, self._tier_atoms[tier])
        reason = self.world.reasons.get(facts.reason)
        zone = self._zone(facts)
        known: dict[Starts, Begin] = {}
        rights = mask >> len(self.document.rules)
        grants = self._grants(rights, facts, zone, known)
        active = rights & ~self._closed(rights, grants)
        outcome = self._outcome(mask & self._rule_bits, active, tier, facts.currency)
        if reason is None:
            return self._result(
                outcome, facts, Fault.BUYER, tier, (Because("reason_unknown", None),), (), ()
            )
        offers = self._offers(outcome, facts, zone, known)
        best, because = self._choose(outcome, facts, offers, grants)
        return self._result(
            outcome, facts, reason.fault, tier, because,
            tuple(_resolution(one) for one, _ in best),
            tuple(_window_term(one, floor, self._day_facts) for one, floor in best),
        )  # fmt: skip

    @property
    def _day_facts(self) -> tuple[str, ...]:
        return ("buyer_timezone",) if self.document.day_ends == "buyer" else ()

    def _zone(self, facts: Facts) -> ZoneInfo:
        if self.document.day_ends == "buyer" and facts.buyer_timezone:
            return find_zone(facts.buyer_timezone) or self.world.zone
        return self.world.zone

    def _outcome(self, rules: int, active: int, tier: str, currency: str) -> Outcome:
        key = (rules, active, tier, currency)
        found = self._outcomes.get(key)
        if found is None:
            if len(self._outcomes) >= CACHE:
                self._outcomes.clear()
            found = self._outcomes[key] = self._maker.make(rules, active, tier, currency)
        return found

    def _grants(
        self, rights: int, facts: Facts, zone: ZoneInfo, known: dict[Starts, Begin]
    ) -> list[tuple[int, _Open]]:
        """Resolutions that rights grant and that are open now, with the number of the right."""
        if not rights:
            return []
        plans = self._granting.get(rights)
        if plans is None:
            plans = self._granting[rights] = tuple(
                (n, self.rights[n].starts or DEFAULT_STARTS, self._maker.right_windows(n))
                for n in bits(rights)
                if self.rights[n].resolutions is not None
            )
        found = []
        for number, starts, windows in plans:
            started = self._begin(starts, facts, zone, known)
            for window in windows:
                end = end_of(window.window, started, None, zone, self.working)
                if end.over is None or facts.asked_at < end.over:
                    found.append((number, _Open(end, started, window)))
        return found

    def _begin(
        self, starts: Starts, facts: Facts, zone: ZoneInfo, known: dict[Starts, Begin]
    ) -> Begin:
        found = known.get(starts)
        if found is None:
            found = known[starts] = begin(starts, facts, zone, self.working)
        return found

    def _closed(self, rights: int, grants: list[tuple[int, _Open]]) -> int:
        """The rights whose own windows are over."""
        granting = 0
        for number, _, _ in self._granting.get(rights, ()):
            granting |= 1 << number
        for number, _ in grants:
            granting &= ~(1 << number)
        return granting

    def _offers(
        self, outcome: Outcome, facts: Facts, zone: ZoneInfo, known: dict[Starts, Begin]
    ) -> list[_Open]:
        """What the merchant's rules offer, open or not, when nothing is refused."""
        if outcome.refusal is not None or facts.condition in outcome.refused_conditions:
            return []
        started = self._begin(outcome.starts, facts, zone, known)
        return [
            _Open(
                end_of(window.window, started, outcome.extend_to, zone, self.working),
                started,
                window,
            )
            for window in outcome.windows
        ]

    def _choose(
        self, outcome: Outcome, facts: Facts, offers: list[_Open], grants: list[tuple[int, _Open]]
    ) -> tuple[list[tuple[_Open, _Open | None]], tuple[Because, ...]]:
        """Per resolution the later of offer and grants, each with the grant as its floor."""
        now = facts.asked_at
        best: dict[ResolutionKind, tuple[_Open, _Open | None]] = {}
        for _, grant in grants:
            kind = grant.window.kind
            if kind not in best or later(grant.end, best[kind][0].end):
                best[kind] = (grant, grant)
        by_law_only = bool(best)
        for offer in offers:
            if offer.end.over is not None and now >= offer.end.over:
                continue
            kind = offer.window.kind
            floor = best[kind][1] if kind in best else None
            if floor is None or not later(floor.end, offer.end):
                by_law_only = False
                best[kind] = (offer, floor)
            else:
                by_law_only = False
        if best:
            ordered = [best[kind] for kind in ResolutionKind if kind in best]
            law = ordered[0][0].window.set_by.law
            because = (Because("law_grants", law),) if by_law_only else ()
            return ordered, (*because, *outcome.remarks)
        return [], (*self._refusal(outcome, facts, offers), *outcome.remarks)

    def _refusal(self, outcome: Outcome, facts: Facts, offers: list[_Open]) -> tuple[Because, ...]:
        if outcome.refusal is not None:
            return (outcome.refusal,)
        if facts.condition in outcome.refused_conditions:
            args = (("condition", str(facts.condition)),)
            return (Because("condition_refused", outcome.rule_of("grades"), args),)
        if not offers:
            return (Because("no_rule", None),)
        last = offers[0]
        for offer in offers[1:]:
            if later(offer.end, last.end):
                last = offer
        about = (
            ("resolution", last.window.kind.value),
            ("until_local", last.end.label),
            ("window", last.window.window.written()),
        )
        return (Because("window_over", last.window.set_by.rule, about),)

    def _result(
        self,
        outcome: Outcome,
        facts: Facts,
        fault: Fault,
        tier: str,
        because: tuple[Because, ...],
        resolutions: tuple[Resolution, ...],
        windows: tuple[Term, ...],
    ) -> Decision:
        return Decision(
            bool(resolutions), fault, tier, because, resolutions, outcome.methods,
            outcome.freight, outcome.restocking_ppm, outcome.refund_original_shipping,
            outcome.evidence, outcome.approval, outcome.deadlines, outcome.refund_at,
            outcome.refund_due, outcome.grades, outcome.advance, outcome.insurance, outcome.keep,
            outcome.send_to, outcome.law, self._law_data(facts), (*windows, *outcome.terms), facts,
        )  # fmt: skip

    def _law_data(self, facts: Facts) -> str:
        country = facts.country
        if country is None:
            return "no data"
        if country in self._places or f"{country}-{facts.region}" in self._places:
            return "known"
        return "no data"


def _resolution(one: _Open) -> Resolution:
    window = one.window
    return Resolution(window.kind, one.end.last, one.end.label, window.bonus_ppm, window.cost)


def _window_term(one: _Open, grant: _Open | None, day_facts: tuple[str, ...]) -> Term:
    event = one.begin.event
    used = (FACT_OF[event],) if event is not None else ()
    floor = None
    if grant is not None and grant.window.set_by.law is not None:
        kinder = "law" if one is grant else "merchant"
        floor = Floor(grant.window.set_by.law, _window_value(grant), kinder)
    return Term(
        f"window.{one.window.kind.value}",
        _window_value(one),
        one.window.set_by,
        (*used, "asked_at", *day_facts),
        floor,
    )


def _window_value(one: _Open) -> dict[str, str | None]:
    event = one.begin.event.value if one.begin.event else None
    return {"within": one.window.window.written(), "from": event}
