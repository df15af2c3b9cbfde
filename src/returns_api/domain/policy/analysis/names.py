"""Names that mean nothing, mean two things, or are not said in a promised language.

Also tiers that nobody can reach, since a tier is a name for a history.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from returns_api.domain.policy import texts
from returns_api.domain.policy.analysis.study import Study
from returns_api.domain.policy.chosen_terms import NEVER
from returns_api.domain.policy.conditions import Choice
from returns_api.domain.policy.document import Rule
from returns_api.domain.policy.facts import BuyerHistory, Facts
from returns_api.domain.policy.law import LEGAL_GOODS
from returns_api.domain.policy.places import COUNTRIES, meant
from returns_api.domain.policy.values import closest
from returns_api.domain.policy.vocabulary import DEFAULT_TIER, Severity

_ZONE_WITH_PLACE: Final = "/"


def check(study: Study) -> None:
    """Report unknown, overlapping and unused names, missing translations, odd zones and tiers."""
    for number, rule in enumerate(study.rules):
        _references(study, number, rule)
        _refusal(study, number, rule)
    _markets(study)
    _overlaps(study)
    _goods(study)
    _translations(study)
    _zone(study)
    _tiers(study)


def _references(study: Study, number: int, rule: Rule) -> None:
    world = study.policy.world
    for name, known, what in (
        ("reason", tuple(world.reasons), "a reason"),
        ("tier", world.tiers, "a tier"),
        ("goods", tuple(study.document.goods), "a goods group"),
    ):
        condition: Choice | None = getattr(rule.when, name)
        for value in condition.values if condition else ():
            if value not in known:
                _unknown(study, number, rule, name, value, known, what)
    for value in rule.when.place.values if rule.when.place else ():
        if not _is_place(study, value):
            _unknown_place(study, ("rules", number, "when", "place"), value)


def _unknown(
    study: Study, number: int, rule: Rule, name: str, value: str, known: tuple[str, ...], what: str
) -> None:
    guess = closest(value, known)
    listed = ", ".join(known[:8]) or "none yet"
    changes = {"reason": value} if name == "reason" else {}
    study.report(
        f"name.unknown_{name}", Severity.ERROR, f"“{value}” in {rule.id} is not {what}.",
        ("rules", number, "when", name),
        suggestion=f"Write {guess}." if guess else f"Known: {listed}.",
        case=study.case(study.geometry.universe, **changes),
        shows=f"nothing is ever {value}",
    )  # fmt: skip


def _is_place(study: Study, name: str) -> bool:
    return name in study.policy.law.groups or name.split("-", maxsplit=1)[0] in COUNTRIES


def _unknown_place(study: Study, path: tuple[str | int, ...], value: str) -> None:
    guess = meant(value) or closest(value, tuple(study.policy.law.groups))
    study.report(
        "name.unknown_place", Severity.ERROR, f"“{value}” is no country, region or group.", path,
        suggestion=f"Write {guess}." if guess else "Write ISO codes: DE, US-CA; or EU.",
        case=study.case(study.geometry.universe, country=value.split("-", maxsplit=1)[0]),
        shows=f"no order comes from {value}",
    )  # fmt: skip


def _markets(study: Study) -> None:
    for market in study.document.markets:
        if not _is_place(study, market):
            _unknown_place(study, ("markets",), market)


def _refusal(study: Study, number: int, rule: Rule) -> None:
    code = rule.refuse
    if code is None or code == NEVER or code in study.document.refusals:
        return
    if not texts.knows(f"refusal.{code}"):
        known = tuple(
            key.removeprefix("refusal.")
            for key in texts.catalogue(texts.LANGUAGES[0])
            if key.startswith("refusal.")
        )
        guess = closest(code, (*study.document.refusals, *known))
        study.report(
            "name.unknown_refusal", Severity.ERROR, f"There is no sentence for “{code}”.",
            ("rules", number, "refuse"),
            suggestion=f"Write {guess}." if guess else f"Add it: refusals: {{{code}: {{en: …}}}}",
            case=_decided(study, number), shows=f"the buyer reads only the code {code}",
        )  # fmt: skip


def _decided(study: Study, number: int) -> Facts | None:
    part = study.deciding(number, "refuse")
    return study.case(part) if part is not None else None


def _fold(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _overlaps(study: Study) -> None:
    """Names of rules that a reader of a decision could take for each other, or for a law."""
    first: dict[str, str] = {_fold(right.id): right.id for right in study.policy.rights}
    laws = set(first.values())
    for number, rule in enumerate(study.rules):
        other = first.setdefault(_fold(rule.id), rule.id)
        if other is rule.id or (other == rule.id and other not in laws):
            continue
        part = next((p for t in rule.terms() if (p := study.deciding(number, t))), None)
        what = "law" if other in laws else "rule"
        study.report(
            "name.overlapping_id", Severity.ERROR,
            f"The rule {rule.id} can be taken for the {what} {other}.",
            ("rules", number, "id"), suggestion="Give it a name of its own.",
            case=study.case(part) if part is not None else None,
            shows=f"a decision names {rule.id}",
        )  # fmt: skip


def _goods(study: Study) -> None:
    used = {name for rule in study.rules if rule.when.goods for name in rule.when.goods.values}
    legal = {_fold(name): name for name in LEGAL_GOODS}
    for name, group in study.document.goods.items():
        path = ("goods", name)
        meant = legal.get(_fold(name))
        if meant is not None and meant != name:
            study.report(
                "name.almost_legal", Severity.WARNING,
                f"The law speaks of {meant}; the group {name} has no meaning for it.", path,
                suggestion=f"Rename it to {meant}.",
            )  # fmt: skip
        elif name not in used and name not in LEGAL_GOODS:
            study.report(
                "name.unused_goods", Severity.WARNING, f"No rule speaks of the group {name}.", path,
                suggestion="Use it in a rule, or remove it.",
            )  # fmt: skip
        if not (group.tags or group.sku or group.category or group.vendor):
            study.report(
                "name.empty_goods", Severity.WARNING, f"The group {name} takes no product.", path,
                suggestion="Name tags, SKUs, categories or vendors.",
            )  # fmt: skip


def _translations(study: Study) -> None:
    languages = study.document.languages
    for language in languages:
        if language not in texts.LANGUAGES:
            study.report(
                "text.no_language", Severity.WARNING,
                f"There are no sentences in “{language}”; buyers will read English.",
                ("languages",),
                suggestion=f"Available: {', '.join(texts.LANGUAGES)}.",
            )  # fmt: skip
    for part, name, titles in _titles(study):
        missing = [language for language in languages if language not in titles]
        if missing:
            study.report(
                "text.missing", Severity.WARNING,
                f"“{name}” has no text in {', '.join(missing)}.", (part, name),
                suggestion=f"Add {missing[0]}: …",
            )  # fmt: skip


def _titles(study: Study) -> Iterator[tuple[str, str, dict[str, str]]]:
    for code, titles in study.document.refusals.items():
        yield "refusals", code, titles
    for code in study.document.reasons:
        yield "reasons", code, dict(study.policy.world.reasons[code].titles)


def _zone(study: Study) -> None:
    name = study.document.timezone
    if _ZONE_WITH_PLACE in name and not name.startswith("Etc/"):
        return
    study.report(
        "zone.fixed", Severity.WARNING,
        f"{name} is no place: days will end at the wrong hour in summer or in winter.",
        ("timezone",), suggestion="Write the zone of a city, such as Europe/Berlin.",
        case=study.case(study.geometry.universe), shows=f"days end in {name}",
    )  # fmt: skip


def _tiers(study: Study) -> None:
    histories = study.geometry.histories
    for number, tier in enumerate(study.document.tiers):
        if histories.part(number, study.budget) is not None:
            continue
        own = histories.boxes[number]
        reachable = 0 not in own
        buyer = histories.history(own, BuyerHistory()) if reachable else BuyerHistory()
        instead = study.policy.tiers.of(buyer)
        study.report(
            "tier.unreachable", Severity.ERROR, f"No buyer can have the tier {tier.tier}.",
            ("tiers", number),
            suggestion=f"Move it above {instead}." if reachable and instead != DEFAULT_TIER
            else "Its conditions exclude each other; change one.",
            case=study.case(study.geometry.universe, buyer=buyer),
            shows=f"this buyer is {instead}, not {tier.tier}",
        )  # fmt: skip
