"""What the conditions of a document and of the law mean: the names that they refer to.

Owns the join of a document's own names with the standard ones. Refuses to own matching (``index``).
"""

from __future__ import annotations

from collections.abc import Mapping

from returns_api.domain.calendars import find_zone
from returns_api.domain.policy.axes import Clause, World
from returns_api.domain.policy.conditions import Choice
from returns_api.domain.policy.document import PolicyDocument
from returns_api.domain.policy.law import Law, LawPack, Right
from returns_api.domain.policy.tiers import Tiers
from returns_api.domain.reasons import BY_CODE, Reason, catalogue


def world_of(document: PolicyDocument, law: Law) -> World:
    """The names that a document's conditions refer to."""
    zone = find_zone(document.timezone)
    if zone is None:
        raise ValueError(f"unknown zone {document.timezone}")
    extra = {
        code: Reason(code, rule.at_fault, rule.group, {**_standard_titles(code), **rule.title})
        for code, rule in document.reasons.items()
    }
    return World(
        document.currency,
        zone,
        law.groups,
        document.goods,
        catalogue(extra),
        Tiers(document.tiers).names,
        document.markets,
    )


def _standard_titles(code: str) -> Mapping[str, str]:
    standard = BY_CODE.get(code)
    return standard.titles if standard else {}


def clause_of(pack: LawPack, right: Right) -> Clause:
    """The conditions of a right."""
    dates = (right.in_force,) if right.in_force else ()
    return Clause(right.when, dates, (Choice(pack.place),), right.when.informed)
