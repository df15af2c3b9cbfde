"""Facts in, decision out: pure, total, deterministic.

Owns ``Policy``, a document compiled together with the law. Deciding has two halves: what depends
only on *which* rules and rights apply (``outcome``) and what depends on the dates of the case
(``offers``). Both are remembered, so that a decision is a handful of look-ups. Refuses to own
matching (``index``), the terms themselves, and sentences.

A right of the law is *active* while its own window is open; active rights bound every term they
speak of. A merchant's refusal does not touch what an active right grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from returns_api.domain.calendars import WorkingDays, find_zone, local_date
from returns_api.domain.policy.axes import Clause
from returns_api.domain.policy.decisions import Because, Decision, SetBy
from returns_api.domain.policy.document import PolicyDocument
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.granting import CACHE, Granting
from returns_api.domain.policy.index import RuleIndex
from returns_api.domain.policy.law import Law, Right, default_law
from returns_api.domain.policy.loader import LoadedPolicy
from returns_api.domain.policy.offers import Dated, Grants, Plan, Standing, begun_on, stand
from returns_api.domain.policy.outcome import Outcome, OutcomeMaker, window_terms
from returns_api.domain.policy.signals import Signals
from returns_api.domain.policy.term_values import DEFAULT_STARTS, Starts
from returns_api.domain.policy.tiers import Tiers
from returns_api.domain.policy.weighed import Dates, Weighed
from returns_api.domain.policy.windows import FACT_OF, begin
from returns_api.domain.policy.worlds import clause_of, world_of
from returns_api.domain.reasons import Fault

DATED: Final = 4_096
"""Plans begun on a day that are remembered, of all plans together, before all are forgotten."""

STANDINGS: Final = 64
"""Standings kept for one plan begun on one day."""

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EMPTY: Final = Plan(DEFAULT_STARTS, ())


def compile_policy(source: LoadedPolicy | PolicyDocument, law: Law | None = None) -> Policy:
    """Compile once per version; ``decide`` is then cheap. Lines are known for loaded policies."""
    if isinstance(source, LoadedPolicy):
        return Policy(source.document, law or source.law, source.lines)
    return Policy(source, law or default_law(), {})


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
        self.signals = Signals(document)
        rights = [(pack, right) for pack in law.packs for right in pack.rights]
        self.rights = tuple(right for _, right in rights)
        clauses = [Clause(rule.when) for rule in document.rules]
        clauses += [clause_of(pack, right) for pack, right in rights]
        self.index = RuleIndex(clauses, self.world)
        self._granting = Granting([_right_plan(right) for right in self.rights], self._begin)
        self.rule_count = len(document.rules)
        self._rule_bits = (1 << self.rule_count) - 1
        self.tier_atoms = {n: self.index.axes.tier.locate(n) for n in self.tiers.names}
        self._places = _covered(law)
        self.maker = OutcomeMaker(document, self.rights, lines)
        self._buyers_days = document.day_ends == "buyer"
        self._day_facts = ("buyer_timezone",) if self._buyers_days else ()
        self._outcomes: dict[tuple[Any, ...], Outcome] = {}
        self._shared: dict[tuple[Any, ...], Plan] = {}
        self._dated = 0
        self._nothing = Dated(_EMPTY, (), ())

    def decide(self, facts: Facts) -> Decision:
        """What this policy and the law give for ``facts``. Never raises."""
        return self.decision(self.weigh(facts), facts)

    def decision(self, weighed: Weighed, facts: Facts) -> Decision:
        """The record of what ``weigh`` made of ``facts``."""
        w = weighed
        o, s = w.outcome, w.standing
        return Decision(
            bool(s.resolutions),
            w.fault,
            w.tier,
            w.because,
            s.resolutions,
            o.methods,
            o.freight,
            o.restocking_ppm,
            o.refund_original_shipping,
            o.evidence,
            w.approval,
            o.deadlines,
            o.refund_at,
            o.refund_due,
            o.grades,
            o.advance,
            o.exchange_first,
            o.insurance,
            o.keep,
            o.send_to,
            o.law,
            self.law_data(facts),
            s.terms + o.terms,
            facts,
            o.signals,
            o.review_within_seconds,
        )

    def weigh(self, facts: Facts) -> Weighed:
        """The heart of ``decide``, without the record."""
        tier = self.tiers.of(facts.buyer)
        mask = self.index.match(facts, self.tier_atoms[tier])
        return self.weigh_at(facts, tier, mask, Dates())

    def weigh_at(self, facts: Facts, tier: str, mask: int, dates: Dates) -> Weighed:
        """``weigh`` for a case whose tier and applying rules are known.

        ``dates`` remembers what follows from the times of the case; cases with the same times may
        share it.
        """
        zone = self.zone_of(facts)
        rights = mask >> self.rule_count
        grants, active = self._grants(rights, facts, zone, dates) if rights else ((), 0)
        signals = self.signals.of(facts.buyer, facts.currency)
        outcome = self._outcome(mask & self._rule_bits, active, tier, facts.currency, signals)
        reason = self.world.reasons.get(facts.reason)
        if reason is None:
            standing = Standing((), (), (Because("reason_unknown", None),))
            return Weighed(outcome, standing, Fault.BUYER, tier)
        refusal = outcome.refusal
        if refusal is None and facts.condition in outcome.refused_conditions:
            about = (("condition", str(facts.condition)),)
            refusal = Because("condition_refused", outcome.setters.get("grades"), about)
        dated = self._nothing
        if refusal is None and outcome.plan.windows:
            dated = self._begin(outcome.plan, facts, zone, dates.days)
        standing = self._stand(dated, facts.asked_at, grants, refusal)
        return Weighed(outcome, standing, reason.fault, tier)

    def zone_of(self, facts: Facts) -> ZoneInfo:
        """The zone whose midnight ends a day of this case."""
        if self._buyers_days and facts.buyer_timezone:
            return find_zone(facts.buyer_timezone) or self.world.zone
        return self.world.zone

    def ends(self, facts: Facts, tier: str, mask: int, dates: Dates) -> list[datetime]:
        """The instants at which something offered or granted closes, latest first."""
        zone = self.zone_of(facts)
        outcome = self._outcome(mask & self._rule_bits, 0, tier, facts.currency)
        found = set(self._begin(outcome.plan, facts, zone, dates.days).overs)
        found.update(self._granting.begun(mask >> self.rule_count, facts, zone, dates.days).edges)
        return sorted((over for over in found if over is not None), reverse=True)

    def _stand(
        self, dated: Dated, now: datetime, grants: Grants, refusal: Because | None
    ) -> Standing:
        is_open = dated.open_at(now)
        if refusal is not None:  # names a rule: remembered by its outcome, not by the plan
            return stand(dated, is_open, grants, refusal, self._day_facts)
        key = (is_open, grants)
        standing = dated.standings.get(key)
        if standing is None:
            standing = stand(dated, is_open, grants, None, self._day_facts)
            if len(dated.standings) < STANDINGS and dated is not self._nothing:
                dated.standings[key] = standing
        return standing

    def _outcome(
        self, rules: int, active: int, tier: str, currency: str, signals: tuple[str, ...] = ()
    ) -> Outcome:
        key = (rules, active, tier, currency, signals)
        found = self._outcomes.get(key)
        if found is None:
            if len(self._outcomes) >= CACHE:
                self._outcomes.clear()
                self._shared.clear()
            made = self.maker.make(rules, active, tier, currency, signals)
            found = self._outcomes[key] = replace(made, plan=self._share(made.plan))
        return found

    def _share(self, plan: Plan) -> Plan:
        """The one plan for all outcomes that offer the same, so that its days are met again."""
        return self._shared.setdefault((plan.starts, plan.windows, plan.extend_to), plan)

    def _grants(
        self, rights: int, facts: Facts, zone: ZoneInfo, dates: Dates
    ) -> tuple[Grants, int]:
        """What rights grant and is open now, and the rights that are active."""
        known = dates.grants.get(rights)
        if known is not None:
            return known
        grants, over = self._granting.begun(rights, facts, zone, dates.days).at(facts.asked_at)
        known = dates.grants[rights] = (grants, rights & ~over)
        return known

    def _begin(self, plan: Plan, facts: Facts, zone: ZoneInfo, days: dict[str, date]) -> Dated:
        """``plan`` as it stands for the events of ``facts``."""
        name = plan.first
        instant: datetime | None = getattr(facts, name) if name is not None else None
        if name is not None and instant is not None:
            begun_day = days.get(name)
            if begun_day is None:
                begun_day = days[name] = local_date(instant, zone)
            dated = plan.dated.get((begun_day, name, zone))
            if dated is not None:
                return dated
        begun = begin(plan.starts, facts, zone, self.working)
        key = (begun.day, FACT_OF[begun.event] if begun.event else None, zone)
        dated = plan.dated.get(key)
        if dated is None:
            self._dated += 1
            if self._dated >= DATED:
                self._forget()
            dated = plan.dated[key] = begun_on(plan, begun, zone, self.working)
        return dated

    def _forget(self) -> None:
        """Empty every table that grows with the days that were met."""
        self._dated = 0
        self._granting.forget()
        for plan in self._shared.values():
            plan.dated.clear()

    def law_data(self, facts: Facts) -> str:
        """Whether there is a pack for the buyer's place: ``known``, else ``no data``."""
        country = facts.country
        if country is None:
            return "no data"
        if country in self._places or f"{country}-{facts.region}" in self._places:
            return "known"
        return "no data"


def _covered(law: Law) -> frozenset[str]:
    """The countries and regions that packs speak of."""
    names = (name for pack in law.packs for name in pack.place)
    return frozenset(place for name in names for place in law.groups.get(name, (name,)))


def _right_plan(right: Right) -> Plan:
    starts: Starts = right.starts or DEFAULT_STARTS
    return Plan(starts, window_terms(right.resolutions, SetBy(law=right.id)), None, right.judgement)
