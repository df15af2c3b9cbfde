"""What the analysis says about a document, a second time: by trying every case of a small space.

For documents whose rules use few axes (``AXES_SETS``), a grid of plain cases reaches every part of
the fact space that rules can tell apart. Who decides what is read off the plain document by
``policy_reference``; nothing of the analysis or of the engine's index takes part.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from proofs.policy_random import CATEGORIES, CHANNELS, PLACES, REASONS, TAGS
from proofs.policy_reference.decisions import TERMS, Reference

Plain = dict[str, Any]

AXES_SETS = (
    ("reason", "fault", "condition"),
    ("reason", "tags", "goods"),
    ("tags", "goods", "category"),
    ("unit_price", "order_value", "fault"),
    ("place", "fault", "discounted"),
    ("channel", "rollout", "tier"),
    ("tier", "unit_price", "placed"),
    ("category", "condition", "fault"),
)
REQUIRED = (
    "resolutions", "return_shipping", "original_shipping", "methods", "approval", "ship_within",
    "inspect_within", "refund_at", "refund_within",
)  # fmt: skip

CONDITIONS = (
    None, "sealed", "opened_unused", "used_like_new", "used_worn", "damaged_buyer",
    "damaged_transit", "defective", "incomplete", "wrong_item", "counterfeit_suspected",
    "empty_box",
)  # fmt: skip
_MONEY = (0, 999, 1000, 1001, 4999, 5000, 5001, 19999, 20000, 20001)
_BASE: Plain = {
    "reason": "changed_mind",
    "currency": "EUR",
    "placed_at": "2026-03-02T10:00:00+00:00",
    "asked_at": "2026-03-07T10:00:00+00:00",
    "condition": None,
    "category": None,
    "tags": [],
    "unit_paid_minor": 5000,
    "order_paid_minor": 5000,
    "discounted": False,
    "country": None,
    "region": None,
    "channel": None,
    "buyer": {},
    "fulfilled_at": "2026-03-03T10:00:00+00:00",
    "delivered_at": "2026-03-05T10:00:00+00:00",
    "buyer_timezone": None,
    "informed": True,
    "rollout_ppm": None,
}


def _values(axis: str, document: Plain) -> list[Plain]:
    """Changes of the base case that reach every part of one axis."""
    if axis in {"reason", "fault"}:
        # Reasons that no rule names differ only by their fault: one of each will do.
        return [{"reason": code} for code in (*REASONS, "other", "stopped_working", "arrived_late")]
    if axis == "condition":
        return [{"condition": value} for value in CONDITIONS]
    if axis in {"tags", "goods"}:
        sets = [list(c) for n in range(len(TAGS) + 1) for c in combinations(TAGS, n)]
        kinds = (None, *CATEGORIES, "Shoes/Other", "Giftbox") if axis == "goods" else (None,)
        return [{"tags": tags, **({"category": k} if k else {})} for tags in sets for k in kinds]
    if axis == "category":
        return [{"category": value} for value in (None, *CATEGORIES, "Shoes/Other", "Giftbox")]
    if axis == "unit_price":
        pairs = [(u, o) for u in _MONEY for o in _MONEY if o >= u]
        return [
            {"unit_paid_minor": u, "order_paid_minor": o, "currency": currency}
            for u, o in pairs
            for currency in document["currency"]
        ]
    return _other_values(axis)


def _other_values(axis: str) -> list[Plain]:
    if axis == "place":
        found = [place.partition("-") for place in (*PLACES, "AT", "DE-BY")]
        return [{"country": c, "region": r or None} for c, _, r in found] + [{"country": None}]
    if axis == "channel":
        return [{"channel": value} for value in (None, *CHANNELS)]
    if axis == "rollout":
        return [{"rollout_ppm": value} for value in (None, 0, 250_000, 500_000)]
    if axis == "discounted":
        return [{"discounted": False}, {"discounted": True}]
    if axis == "placed":
        days = ("2025-12-20", "2025-12-28", "2026-01-03", "2026-01-20")
        return [{"placed_at": f"{day}T12:00:00+00:00"} for day in days]
    return [{"buyer": buyer} for buyer in histories()]


def histories() -> Iterator[Plain]:
    """Buyers on both sides of every threshold that random tiers use."""
    for orders, rate, clawbacks in product((0, 1, 3, 5), (0, 100_001, 250_001), (0, 1)):
        yield {"orders_kept": orders, "return_rate_ppm": rate, "clawbacks": clawbacks}


def cases(document: Plain, axes: tuple[str, ...]) -> Iterator[Plain]:
    """Every combination of values on ``axes``."""
    same = {"fault": "reason", "order_value": "unit_price"}
    merged = dict.fromkeys(same.get(axis, axis) for axis in axes)
    for changes in product(*(_values(axis, document) for axis in merged)):
        found = dict(_BASE)
        for change in changes:
            found.update(change)
        yield found


def facts_about(document: Plain, axes: tuple[str, ...]) -> Plain:
    """Who decides what in at least one case, which terms have gaps, which tiers are reached."""
    reference = Reference(document)
    live: set[tuple[str, str]] = set()
    applied: set[str] = set()
    gaps: set[str] = set()
    for facts in cases(document, axes):
        taken: dict[str, Plain] = {}
        for rule in document["rules"]:
            if reference.applies(rule.get("when", {}), facts):
                applied.add(rule["id"])
                for term in TERMS:
                    if term in rule:
                        taken.setdefault(term, rule)
        live.update((rule["id"], term) for term, rule in taken.items())
        if taken.get("refuse", {}).get("refuse", "never") == "never":
            gaps.update(term for term in REQUIRED if term not in taken)
    tiers = {reference.tier({**_BASE, "buyer": buyer}) for buyer in histories()}
    return {"live": live, "applied": applied, "gaps": gaps, "tiers": tiers}


def told(document: Plain, findings: list[Plain]) -> Plain:
    """What the findings of the analysis say about the same questions."""
    by_rule = {n: rule["id"] for n, rule in enumerate(document["rules"])}
    dead: set[tuple[str, str]] = set()
    impossible: set[str] = set()
    gaps: set[str] = set()
    tiers: set[str] = set()
    for finding in findings:
        path = finding["path"]
        number = int(path[6 : path.index("]")]) if path.startswith("rules[") else -1
        rule = document["rules"][number] if number >= 0 else {}
        if finding["code"] == "rule.dead":
            dead.update((by_rule[number], term) for term in TERMS if term in rule)
        elif finding["code"] == "rule.impossible":
            impossible.add(by_rule[number])
            dead.update((by_rule[number], term) for term in TERMS if term in rule)
        elif finding["code"] == "rule.dead_term":
            dead.add((by_rule[number], path.rsplit(".", 1)[1]))
        elif finding["code"] == "term.gap":
            gaps.add(finding["message"].split()[-1].rstrip("."))
        elif finding["code"] == "tier.unreachable":
            tiers.add(document["tiers"][int(path[6 : path.index("]")])]["tier"])
    return {"dead": dead, "impossible": impossible, "gaps": gaps, "tiers": tiers}


def differences(document: Plain, axes: tuple[str, ...], findings: list[Plain]) -> list[str]:
    """Where the analysis and the enumeration disagree; empty when they agree."""
    real, said = facts_about(document, axes), told(document, findings)
    every = {(rule["id"], term) for rule in document["rules"] for term in TERMS if term in rule}
    names = {rule["id"] for rule in document["rules"]}
    declared = {tier["tier"] for tier in document["tiers"]}
    checks = (
        ("dead terms", every - real["live"], said["dead"]),
        ("impossible rules", names - real["applied"], said["impossible"]),
        ("gaps", real["gaps"], said["gaps"]),
        ("unreachable tiers", declared - real["tiers"], said["tiers"]),
    )
    return [
        f"{name}: tried {tried}, said {told_}" for name, tried, told_ in checks if tried != told_
    ]
