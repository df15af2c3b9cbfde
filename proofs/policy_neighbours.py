"""Changes of a plain case, listed without the engine: what an explanation could have overlooked.

A change is *near* where it stays with what the document speaks of, and *far* where it is another
place of the law, another currency, or what the buyer was told. Only what is smaller than a named
change is listed: fewer far facts, or as many and fewer facts in all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from random import Random
from typing import Any

from proofs.policy_enumeration import CONDITIONS, histories
from proofs.policy_random import CATEGORIES, CHANNELS, PLACES, TAGS
from proofs.policy_reference.decisions import Reference
from proofs.policy_reference.plain import many

from returns_api.domain.policy.explain import Flip
from returns_api.domain.reasons import BY_CODE

Plain = dict[str, Any]

_PRICES = (0, 999, 1000, 1001, 4999, 5000, 5001, 19999, 20000, 20001)
_DAYS = ("2025-12-20", "2025-12-31", "2026-01-03", "2026-01-20")


def closer(flip: Flip, data: Plain, reference: Reference, *, pairs: bool) -> Iterator[Plain]:
    """Changes of one fact, and with ``pairs`` of two, that are smaller than the named one."""
    near, far = _near(data, reference.document), _far(data, reference.document)
    away = sum(_is_far(change.axis, change.facts, reference) for change in flip.changes)
    size = len(flip.changes)
    if away > 0 or size > 1:
        yield from near
    if away > 1 or (away == 1 and size > 1):
        yield from far
    if pairs and (away > 0 or size > 2):
        for one, two in combinations(near, 2):
            if not set(one) & set(two):
                yield {**one, **two}


def _is_far(axis: str, facts: Any, reference: Reference) -> bool:
    if axis != "place":
        return axis in {"currency", "informed"}
    if facts["country"] is None:
        return False
    named = [
        place
        for rule in reference.document["rules"]
        if (asked := rule.get("when", {}).get("place"))
        for value in (many(asked["not"]) if isinstance(asked, dict) else many(asked))
        for place in reference.groups.get(value, [value])
    ]
    if named:
        named += [p for m in reference.document.get("markets", [])
                  for p in reference.groups.get(m, [m])]  # fmt: skip
    here = {facts["country"], f"{facts['country']}-{facts['region']}"}
    return not here & {*named, *(place.split("-")[0] for place in named)}


def _near(data: Plain, plain: Plain) -> list[Plain]:
    found: list[Plain] = [{"reason": code} for code in BY_CODE]
    found += [{"condition": value} for value in CONDITIONS]
    found += [{"category": value} for value in (None, *CATEGORIES)]
    found += [{"channel": value} for value in (None, *CHANNELS)]
    found += [{"asked_at": data[n]} for n in ("placed_at", "delivered_at") if data[n]]
    found += [{"discounted": not data["discounted"]}]
    found += [{"tags": sorted({*data["tags"]} ^ {tag})} for tag in TAGS]
    found += [
        {"unit_paid_minor": n, "order_paid_minor": max(n, data["order_paid_minor"])}
        for n in _PRICES
    ]
    found += [{"order_paid_minor": n} for n in _PRICES if n >= data["unit_paid_minor"]]
    found += [{"rollout_ppm": n} for n in (None, 0, 250_000, 500_000)]
    found += [{"buyer": history} for history in histories()]
    found += [{"placed_at": at} for day in _DAYS if (at := f"{day}T12:00:00+00:00") <= _first(data)]
    named = json.dumps([rule.get("when", {}).get("place") for rule in plain["rules"]])
    return found + [_place(place) for place in PLACES if f'"{place}"' in named]


def _first(data: Plain) -> str:
    known = (data["fulfilled_at"], data["delivered_at"], data["asked_at"])
    return min(str(at) for at in known if at)


def _far(data: Plain, plain: Plain) -> list[Plain]:
    found: list[Plain] = [{"informed": not data["informed"]}]
    found += [{"currency": currency} for currency in plain["currency"]]
    if not plain.get("markets"):
        found += [_place(place) for place in PLACES]
    return found


def _place(place: str) -> Plain:
    country, _, region = place.partition("-")
    return {"country": country, "region": region or None}


def anything(data: Plain, reference: Reference, random: Random) -> Plain:
    """A case that has nothing but its events in common with ``data``.

    As in every case, the order is worth at least what one unit of it cost.
    """
    found = dict(data)
    changes = _near(data, reference.document) + _far(data, reference.document)
    for change in random.sample(changes, len(changes)):
        if random.random() < 0.5:
            found.update(change)
    if random.random() < 0.7:
        found["asked_at"] = found["placed_at"]
    unit, order = found["unit_paid_minor"], found["order_paid_minor"]
    if order < unit:  # two changes that were made for ``data``, each alone
        amount = random.choice((unit, order))
        found.update(unit_paid_minor=min(unit, amount), order_paid_minor=max(order, amount))
    return found
