"""The decision of a case, rule by rule and right by right, reduced to what a buyer can feel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from proofs.policy_reference.cases import Cases
from proofs.policy_reference.plain import Plain, instant, law_files, many, minor, ppm, seconds
from proofs.policy_reference.windows import STARTS, end_of, latest

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


@dataclass
class Reference(Cases):
    """One document as plain data, ready to judge plain facts."""

    packs: list[Plain] = field(default_factory=lambda: law_files()[0])

    def judge(self, facts: Plain) -> Plain:
        """The decision, reduced to what a buyer can feel."""
        chosen = self.chosen(facts)
        asked = instant(facts["asked_at"])
        assert asked is not None
        rights, grants = self._held(facts, asked)
        offers = self._offers(chosen, facts, asked)
        found = {
            kind: latest([*grants.get(kind, []), *([offers[kind]] if kind in offers else [])])
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

    def _held(self, facts: Plain, asked: datetime) -> tuple[list[Plain], dict[str, list[Any]]]:
        """The rights whose windows are not all over, and the ends of those that are open."""
        grants: dict[str, list[Any]] = {}
        rights = []
        for right in self.rights(facts):
            windows = right.get("resolutions", {})
            still = self._still(windows, right.get("starts", STARTS), None, facts, asked)
            if windows and not still:
                continue
            rights.append(right)
            for kind, end in still.items():
                grants.setdefault(kind, []).append(end)
        return rights, grants

    def _still(
        self, windows: Plain, starts: Any, extend: str | None, facts: Plain, asked: datetime
    ) -> Plain:
        ends = {
            kind: end_of(self.document, window, starts, extend, facts)
            for kind, window in windows.items()
        }
        return {kind: end for kind, end in ends.items() if end is None or asked < end}

    def _offers(self, chosen: Plain, facts: Plain, asked: datetime) -> Plain:
        if chosen.get("refuse", "never") != "never":
            return {}
        if chosen.get("grades", {}).get(facts["condition"]) == "refused":
            return {}
        starts, extend = chosen.get("starts", STARTS), chosen.get("extend_to")
        return self._still(chosen.get("resolutions", {}), starts, extend, facts, asked)

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
            "ship": max([seconds(chosen.get("ship_within")),
                         *(seconds(r["ship_within"]) for r in rights if "ship_within" in r)]),
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
        waits = [seconds(term["respond_within"]) for term in every if "respond_within" in term]
        says = [term.get("on_silence") for term in every]
        own = terms[0].get("on_silence") if terms and isinstance(terms[0], dict) else None
        return ("review", min(waits, default=None), "approve" if "approve" in says else own)


def _shown(end: datetime | None) -> str | None:
    return None if end is None else end.astimezone(UTC).isoformat()


def _share(raw: str) -> int:
    return 2_000_000 if raw == "refused" else 0 if raw == "full" else ppm(raw)


def _evidence(asked: Any, rights: list[Plain]) -> Plain:
    proofs = {} if asked == "none" else {kind: int(number) for kind, number in asked.items()}
    if any(right.get("evidence") == "none" for right in rights):
        return {}
    return proofs
