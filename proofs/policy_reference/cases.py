"""Which cases a rule or a right is for: conditions against facts, one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from proofs.policy_reference.plain import Plain, in_range, instant, law_files, many, minor, ppm

from returns_api.domain.calendars import find_zone, local_date
from returns_api.domain.reasons import BY_CODE


@dataclass
class Cases:
    """One document as plain data, and the groups of countries."""

    document: Plain
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
