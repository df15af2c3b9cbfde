"""What a policy promises on the day of delivery, per market and reason, as plain data.

Owns which cases are asked and how equal answers are joined: reasons with the same terms are one
group, places with the same groups are one market. The law is in it, since the policy is asked as a
buyer would be judged. Refuses to own sentences (``text``) and vocabularies of others (``jsonld``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from returns_api.domain.calendars import Unit
from returns_api.domain.money import exponent
from returns_api.domain.policy import Decision, Facts, Policy
from returns_api.domain.policy.decisions import Resolution
from returns_api.domain.policy.places import COUNTRIES
from returns_api.domain.policy.values import read_duration

Place = tuple[str | None, str | None]
"""A country and a region; (None, None) is anywhere else."""

ELSEWHERE: Final[Place] = (None, None)
_FIXED: Final = {Unit.DAYS: 1, Unit.WEEKS: 7}
"""Days of a unit that always has so many."""
UNTIL: Final = "until "
"""What a window that ends on a fixed day begins with."""
TYPICAL_UNITS: Final = 100
"""Major units of currency that an item costs where nobody said."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The market and product that somebody looks at; what is left out is any."""

    country: str | None = None
    region: str | None = None
    category: str | None = None
    tags: frozenset[str] = frozenset()
    sku: str | None = None
    vendor: str | None = None
    channel: str | None = None
    currency: str | None = None
    unit_price_minor: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Only what was said."""
        given = {name: getattr(self, name) for name in self.__dataclass_fields__}
        given["tags"] = sorted(self.tags)
        return {name: value for name, value in given.items() if value not in (None, [])}


@dataclass(frozen=True, slots=True)
class Published:
    """A policy at one moment. ``markets`` are ordered; the one for everywhere else comes last."""

    name: str
    currency: str
    asked: Asked
    markets: tuple[Mapping[str, Any], ...]


def publish(policy: Policy, asked: Asked, at: datetime) -> Published:
    """Ask the policy for every reason in every market of ``asked``. Pure."""
    currency = asked.currency or policy.document.home_currency
    places = [(asked.country, asked.region)] if asked.country else list(_places(policy))
    by_content: dict[str, tuple[list[Place], list[dict[str, Any]]]] = {}
    by_atom: dict[int, list[dict[str, Any]]] = {}
    for place in places:
        atom = policy.index.axes.place.locate(*place)
        groups = by_atom.get(atom)
        if groups is None:
            groups = by_atom[atom] = _groups(policy, asked, place, currency, at)
        key = json.dumps(groups, sort_keys=True)
        by_content.setdefault(key, ([], groups))[0].append(place)
    markets = [
        {"places": _names(policy, found), "groups": groups} for found, groups in by_content.values()
    ]
    markets.sort(key=lambda market: not market["places"])
    return Published(policy.document.name, currency, asked, tuple(markets))


def _places(policy: Policy) -> Iterable[Place]:
    """Every place that the policy is for, regions where rules or laws tell them apart."""
    groups, markets = policy.law.groups, policy.document.markets
    named = {place for market in markets for place in groups.get(market, (market,))}
    axis = policy.index.axes.place
    apart = {axis.sample(atom) for atom in range(axis.size)}
    regions = {(country, region) for country, region in apart if country and region}
    for name in sorted(named or COUNTRIES):
        country, _, region = name.partition("-")
        yield country, region or None
        if not region:
            yield from sorted(place for place in regions if place[0] == country)
    if not markets:
        yield ELSEWHERE


def _names(policy: Policy, places: list[Place]) -> list[str]:
    """Places as an author writes them, groups for their members, no region beside its country;
    empty for everywhere else."""
    if ELSEWHERE in places:
        return []
    whole = {country for country, region in places if region is None}
    names = [
        f"{country}-{region}" if region else str(country)
        for country, region in places
        if region is None or country not in whole
    ]
    for group, members in sorted(policy.law.groups.items(), key=lambda item: -len(item[1])):
        if set(members) <= set(names):
            names = [group, *(name for name in names if name not in set(members))]
    return names


def _groups(
    policy: Policy, asked: Asked, place: Place, currency: str, at: datetime
) -> list[dict[str, Any]]:
    """Reasons with the same terms together, in the order of the catalogue."""
    price = asked.unit_price_minor
    if price is None:
        price = TYPICAL_UNITS * 10 ** exponent(currency)
    found: dict[str, dict[str, Any]] = {}
    for code in policy.world.reasons:
        facts = Facts(
            reason=code,
            currency=currency,
            placed_at=at,
            fulfilled_at=at,
            delivered_at=at,
            asked_at=at,
            sku=asked.sku,
            category=asked.category,
            vendor=asked.vendor,
            tags=asked.tags,
            unit_paid_minor=price,
            order_paid_minor=price,
            country=place[0],
            region=place[1],
            channel=asked.channel,
        )
        terms = terms_of(policy.decide(facts), at)
        key = json.dumps(terms, sort_keys=True)
        found.setdefault(key, {"reasons": [], **terms})["reasons"].append(code)
    return list(found.values())


def terms_of(decision: Decision, at: datetime) -> dict[str, Any]:
    """What a buyer wants to know of a decision; shares in parts per million, times in seconds."""
    d = decision
    windows = {t.term.removeprefix("window."): t.value for t in d.terms if "window." in t.term}
    return {
        "eligible": d.eligible,
        "because": [{"code": b.code, "rule": b.rule, "args": dict(b.args)} for b in d.because],
        "resolutions": [
            {
                "kind": r.kind.value,
                **windows[r.kind.value],
                **_ends(r, windows[r.kind.value]["within"], at),
                "bonus_ppm": r.bonus_ppm,
                "cost": r.cost.value,
            }
            for r in d.resolutions
        ],
        "methods": [{"kind": m.kind.value, "fee_minor": m.fee_minor} for m in d.methods],
        "freight": {
            "payer": d.freight.payer.value,
            "fee_minor": d.freight.fee_minor,
            "own_label": d.freight.own_label,
        },
        "restocking_ppm": d.restocking_ppm,
        "refund_original_shipping": d.refund_original_shipping,
        "grades": {grade.value: share for grade, share in d.grades.items() if share != 0},
        "evidence": [{"kind": e.kind.value, "minimum": e.minimum} for e in d.evidence],
        "approval": {
            "auto": d.approval.auto,
            "respond_within_seconds": d.approval.respond_within_seconds,
            "on_silence": d.approval.on_silence.value if d.approval.on_silence else None,
        },
        "ship_within_seconds": d.deadlines.ship_within_seconds,
        "refund_due": [
            {
                "within_seconds": due.within_seconds,
                "after": due.after.value,
                "not_before": due.not_before.value if due.not_before else None,
            }
            for due in d.refund_due
        ],
        "law": list(d.law),
        "law_data": d.law_data,
    }


def _ends(resolution: Resolution, within: str, at: datetime) -> dict[str, Any]:
    """``days``: of the window as it is written, None without end. ``extended_until``: a later day
    (a holiday extension), if there is one."""
    if resolution.until is None:
        return {"days": None, "extended_until": None}
    days = (resolution.until - at).days
    written = days
    if within[:1].isdigit():
        period = read_duration(within)
        written = period.amount * _FIXED.get(period.unit, 0) or days
    day = resolution.until_local.partition(",")[0]
    return {"days": written, "extended_until": day if days > written else None}
