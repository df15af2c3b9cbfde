"""What a policy decides, a second time: straight from the plain document, rule by rule.

Written from ``docs/policy.md`` alone. It shares the calendar (``domain.calendars``, which has a
proof of its own) and the law packs' files with the engine and nothing else: no index, no atoms, no
models, no caches. Slow and plain on purpose. Amounts are integers of minor units of EUR or USD.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from returns_api.domain.calendars import Unit, WorkingDays, add, day_end, find_zone, local_date
from returns_api.domain.reasons import BY_CODE

Plain = dict[str, Any]

TERMS = (
    "refuse", "resolutions", "starts", "extend_to", "return_shipping", "original_shipping",
    "restocking_fee", "grades", "evidence", "methods", "approval", "ship_within", "inspect_within",
    "refund_at", "refund_within",
)  # fmt: skip
GRADES = (
    "sealed", "opened_unused", "used_like_new", "used_worn", "damaged_buyer", "damaged_transit",
    "defective", "incomplete", "wrong_item", "counterfeit_suspected", "empty_box",
)  # fmt: skip
NOT_SOLD = ("wrong_item", "counterfeit_suspected", "empty_box")
EVENTS = {"delivered": "delivered_at", "fulfilled": "fulfilled_at", "placed": "placed_at"}
SECONDS = {"hour": 3_600, "day": 86_400, "week": 604_800}


@lru_cache(maxsize=1)
def law_files() -> tuple[list[Plain], dict[str, list[str]]]:
    """The packs and the groups of countries, read by plain PyYAML as text."""
    folder = resources.files("returns_api.domain.policy").joinpath("floors")
    packs, groups = [], {}
    for item in sorted(folder.iterdir(), key=lambda found: found.name):
        data = yaml.load(item.read_text("utf-8"), Loader=yaml.BaseLoader)
        if item.name == "places.yaml":
            groups = data["groups"]
        elif item.name.endswith(".yaml"):
            packs.append(data)
    return packs, groups


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def minor(amount: Any, currency: str, home: str) -> int | None:
    """An amount of the document in minor units of a currency with two digits."""
    if isinstance(amount, dict):
        text = amount.get(currency)
    else:
        text = amount if currency == home or float(amount) == 0 else None
    return None if text is None else round(float(text) * 100)


def in_range(value: int, asked: Plain, read: Any) -> bool:
    bounds = {name: read(raw) for name, raw in asked.items()}
    if any(bound is None for bound in bounds.values()):
        return False
    return (
        value >= bounds.get("min", value)
        and value <= bounds.get("max", value)
        and ("above" not in bounds or value > bounds["above"])
        and ("below" not in bounds or value < bounds["below"])
    )


def ppm(text: str) -> int:
    return round(float(text.rstrip("% ")) * 10_000)


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass
class Reference:
    """One document as plain data, ready to judge plain facts."""

    document: Plain
    packs: list[Plain] = field(default_factory=lambda: law_files()[0])
    groups: dict[str, list[str]] = field(default_factory=lambda: law_files()[1])

    @property
    def home(self) -> str:
        return str(many(self.document["currency"])[0])

    def tier(self, facts: Plain) -> str:
        history = {"orders_kept": 0, "returns": 0, "return_rate_ppm": 0, "clawbacks": 0,
                   "chargebacks": 0, "account_days": 0, **facts["buyer"]}  # fmt: skip
        for tier in self.document.get("tiers", []):
            checks = []
            for name, asked in tier.items():
                if name == "return_rate":
                    checks.append(in_range(history["return_rate_ppm"], asked, ppm))
                elif name != "tier":
                    checks.append(in_range(history[name], asked, int))
            if all(checks):
                return str(tier["tier"])
        return "standard"

    def applies(self, when: Plain, facts: Plain) -> bool:
        return all(self._holds(name, asked, facts) for name, asked in when.items())

    def _holds(self, name: str, asked: Any, facts: Plain) -> bool:
        known: dict[str, Any] = {
            "tags": lambda: _some(asked, set(facts["tags"])),
            "goods": lambda: _some(asked, self._groups_of(facts)),
            "unit_price": lambda: self._money(facts["unit_paid_minor"], asked, facts),
            "order_value": lambda: self._money(facts["order_paid_minor"], asked, facts),
            "placed": lambda: self._placed(asked, facts),
            "discounted": lambda: facts["discounted"] is (asked in {True, "true"}),
            "informed": lambda: facts["informed"] is (asked in {True, "true"}),
            "rollout": lambda: (
                facts["rollout_ppm"] is not None and facts["rollout_ppm"] < ppm(asked)
            ),
        }
        if name in known:
            return bool(known[name]())
        if isinstance(asked, dict):
            return not self._one_of(name, many(asked["not"]), facts)
        return self._one_of(name, many(asked), facts)

    def _one_of(self, name: str, values: list[str], facts: Plain) -> bool:
        if name == "place":
            return self.in_place(values, facts)
        if name in {"sku", "category", "vendor"}:
            return _matches(facts.get(name), values)
        own: dict[str, Any] = {
            "fault": BY_CODE[facts["reason"]].fault.value,
            "condition": facts["condition"] or "unknown",
            "tier": self.tier(facts),
        }
        return own.get(name, facts.get(name)) in values

    def in_place(self, values: Iterable[str], facts: Plain) -> bool:
        here = {facts["country"], f"{facts['country']}-{facts['region']}"}
        names = {place for value in values for place in self.groups.get(value, [value])}
        return bool(here & names)

    def _money(self, value: int, asked: Plain, facts: Plain) -> bool:
        if facts["currency"] not in many(self.document["currency"]):
            return False
        return in_range(value, asked, lambda raw: minor(raw, facts["currency"], self.home))

    def _placed(self, asked: Plain, facts: Plain) -> bool:
        zone = find_zone(self.document["timezone"])
        placed = instant(facts["placed_at"])
        assert zone is not None
        assert placed is not None
        day = local_date(placed, zone)
        low, high = asked.get("from", "0001-01-01"), asked.get("until", "9999-12-31")
        return date.fromisoformat(low) <= day <= date.fromisoformat(high)

    def _groups_of(self, facts: Plain) -> set[str]:
        found = set()
        for name, group in self.document.get("goods", {}).items():
            if set(many(group.get("tags", []))) & set(facts["tags"]) or any(
                _matches(facts.get(word), many(group.get(word, [])))
                for word in ("sku", "category", "vendor")
            ):
                found.add(name)
        return found

    def end(self, window: str, starts: Any, extend: str | None, facts: Plain) -> Any:
        """The first instant too late, or None for no end."""
        zone = self.zone(facts)
        if window == "unlimited":
            return None
        if window.startswith("until "):
            day: date | None = date.fromisoformat(window[6:])
        else:
            begun = self._begin(starts, facts)
            if begun is None:
                return None
            day = _later(begun, window)
        if day is None:
            return None
        if extend is not None:
            day = max(day, date.fromisoformat(extend))
        end = day_end(day, zone)
        return end.over if end else None

    def zone(self, facts: Plain) -> Any:
        own = find_zone(self.document["timezone"])
        if self.document.get("day_ends") == "buyer" and facts["buyer_timezone"]:
            return find_zone(facts["buyer_timezone"]) or own
        return own

    def _begin(self, starts: Any, facts: Plain) -> date | None:
        for item in many(starts):
            event, _, plus = item.partition(" + ")
            happened = instant(facts[EVENTS[event]])
            if happened is not None:
                day = local_date(happened, self.zone(facts))
                return _later(day, plus) if plus else day
        return None

    def judge(self, facts: Plain) -> Plain:
        """The decision, reduced to what a buyer can feel."""
        chosen = self.chosen(facts)
        asked = instant(facts["asked_at"])
        assert asked is not None
        grants: dict[str, list[Any]] = {}
        rights = []
        for right in self.rights(facts):
            ends = {
                kind: self.end(
                    window, right.get("starts", ["delivered", "fulfilled + 7 days"]), None, facts
                )
                for kind, window in right.get("resolutions", {}).items()
            }
            still = {kind: end for kind, end in ends.items() if end is None or asked < end}
            if ends and not still:
                continue
            rights.append(right)
            for kind, end in still.items():
                grants.setdefault(kind, []).append(end)
        offers = self._offers(chosen, facts, asked)
        found = {
            kind: _latest([*grants.get(kind, []), *([offers[kind]] if kind in offers else [])])
            for kind in {*grants, *offers}
        }
        judged = (
            bool(found)
            and not offers
            and all(
                right.get("judgement") == "true" for right in rights if right.get("resolutions")
            )
        )
        return self._summary(chosen, rights, found, facts, judged=judged)

    def chosen(self, facts: Plain) -> Plain:
        """Per term the value of the first rule that applies and sets it."""
        found: Plain = {}
        for rule in self.document["rules"]:
            if self.applies(rule.get("when", {}), facts):
                for term in TERMS:
                    if term in rule and term not in found:
                        found[term] = rule[term]
        return found

    def rights(self, facts: Plain) -> Iterable[Plain]:
        for pack in self.packs:
            for right in pack["rights"]:
                if (
                    self.in_place(pack["place"], facts)
                    and self._placed(right.get("in_force", {}), facts)
                    and self.applies(right.get("when", {}), facts)
                ):
                    yield right

    def _offers(self, chosen: Plain, facts: Plain, asked: datetime) -> Plain:
        if chosen.get("refuse", "never") != "never":
            return {}
        if chosen.get("grades", {}).get(facts["condition"]) == "refused":
            return {}
        starts = chosen.get("starts", ["delivered", "fulfilled + 7 days"])
        ends = {
            kind: self.end(window, starts, chosen.get("extend_to"), facts)
            for kind, window in chosen.get("resolutions", {}).items()
        }
        return {kind: end for kind, end in ends.items() if end is None or asked < end}

    def _summary(
        self, chosen: Plain, rights: list[Plain], found: Plain, facts: Plain, *, judged: bool
    ) -> Plain:
        shipping = chosen.get("return_shipping", "free")
        if any(right.get("return_shipping") == "free" for right in rights):
            shipping = "free"
        methods = many(chosen.get("methods", ["post"]))
        refund_original = chosen.get("original_shipping") == "refund" or any(
            right.get("original_shipping") == "refund" for right in rights
        )
        caps = [ppm(right["restocking_fee"]) for right in rights if "restocking_fee" in right]
        return {
            "eligible": bool(found),
            "resolutions": {kind: _shown(end) for kind, end in sorted(found.items())},
            "methods": {m: self._fee(m, shipping, facts) for m in methods},
            "own_label": shipping == "own_cost",
            "original": refund_original,
            "restocking": min([ppm(chosen.get("restocking_fee", "0%")), *caps]),
            "grades": self._grades(chosen, rights),
            "evidence": _evidence(chosen.get("evidence", "none"), rights),
            "approval": self._approval(chosen, rights, facts, judged=judged),
            "ship": max([_seconds(chosen.get("ship_within")),
                         *(_seconds(r["ship_within"]) for r in rights if "ship_within" in r)]),
            "laws": sorted(right["id"] for right in rights),
        }  # fmt: skip

    def _fee(self, method: str, shipping: Any, facts: Plain) -> int:
        if shipping in ("free", "own_cost"):
            return 0
        by_method = isinstance(shipping, dict) and not any(key.isupper() for key in shipping)
        if by_method and method in shipping:
            return minor(shipping[method], facts["currency"], self.home) or 0
        if by_method or method in {"in_store", "keep"}:
            return 0
        return minor(shipping, facts["currency"], self.home) or 0

    def _grades(self, chosen: Plain, rights: list[Plain]) -> Plain:
        found = {}
        for grade in GRADES:
            share = _share(
                chosen.get("grades", {}).get(grade, "refused" if grade in NOT_SOLD else "full")
            )
            for right in rights:
                if grade in right.get("grades", {}):
                    share = min(share, _share(right["grades"][grade]))
            found[grade] = None if share > 1_000_000 else share
        return found

    def _approval(
        self, chosen: Plain, rights: list[Plain], facts: Plain, *, judged: bool
    ) -> tuple[Any, ...]:
        terms = [chosen.get("approval", "review")]
        demanded = [right["approval"] for right in rights if "approval" in right]
        known = facts["currency"] in many(self.document["currency"])
        auto = any(term == "auto" for term in (*terms, *demanded)) and not judged
        if auto and known:
            return ("auto",)
        if auto:
            return ("review", None, None)
        if judged:
            terms = [term for term in terms if term != "auto"]
            demanded = [
                r["approval"] for r in rights if "approval" in r and r.get("judgement") == "true"
            ]
        every = [term for term in (*terms, *demanded) if isinstance(term, dict)]
        waits = [_seconds(term["respond_within"]) for term in every if "respond_within" in term]
        says = [term.get("on_silence") for term in every]
        own = terms[0].get("on_silence") if terms and isinstance(terms[0], dict) else None
        return ("review", min(waits, default=None), "approve" if "approve" in says else own)


def _some(asked: Any, present: set[str]) -> bool:
    if not isinstance(asked, dict):
        return bool(set(many(asked)) & present)
    return (
        ("any" not in asked or bool(set(many(asked["any"])) & present))
        and set(many(asked.get("all", []))) <= present
        and not set(many(asked.get("none", []))) & present
    )


def _matches(value: str | None, patterns: list[str]) -> bool:
    if value is None:
        return False
    return any(value.startswith(p[:-1]) if p.endswith("*") else value == p for p in patterns)


def _later(day: date, period: str) -> date | None:
    number, _, unit = period.partition(" ")
    word = unit if unit.endswith("s") else f"{unit}s"
    return add(day, int(number), Unit(word), WorkingDays())


def _latest(ends: list[Any]) -> Any:
    return None if any(end is None for end in ends) else max(ends)


def _shown(end: datetime | None) -> str | None:
    return None if end is None else end.astimezone(UTC).isoformat()


def _share(raw: str) -> int:
    return 2_000_000 if raw == "refused" else 0 if raw == "full" else ppm(raw)


def _evidence(asked: Any, rights: list[Plain]) -> Plain:
    proofs = {} if asked == "none" else {kind: int(number) for kind, number in asked.items()}
    if any(right.get("evidence") == "none" for right in rights):
        return {}
    return proofs


def _seconds(period: str | None) -> float:
    if period is None or period == "unlimited":
        return float("inf")
    number, _, unit = period.partition(" ")
    return int(number) * SECONDS[unit.rstrip("s")]
