"""The published terms in plain language. Owns the order of the sentences; ``texts`` owns them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from returns_api.domain.policy import Policy
from returns_api.domain.policy.decisions import Because
from returns_api.domain.policy.explain import because_text, law_title
from returns_api.domain.policy.texts import amount, joined, language_of, period, say, seconds, share
from returns_api.domain.policy.values import read_duration
from returns_api.domain.publications.rules import special_rules
from returns_api.domain.publications.shown import UNTIL, Published


def to_text(policy: Policy, published: Published, version: str, locale: str) -> str:
    """Paragraphs, one sentence a line; a language without texts gets English."""
    language = language_of(locale)
    lines = [say("publish.title", language, name=published.name)]
    lines.append(say("publish.version", language, version=version))
    for market in published.markets:
        lines += ["", _heading(market["places"], language, alone=len(published.markets) == 1)]
        for group in market["groups"]:
            names = [policy.world.reasons[code].title(language) for code in group["reasons"]]
            reasons = joined(names, language)
            lines += ["", say("publish.reasons", language, reasons=reasons)]
            lines += [f"- {line}" for line in _terms(policy, group, published.currency, language)]
    asked = published.asked
    special = special_rules(policy, asked.country, asked.region, language)
    if special:
        lines += ["", say("publish.special", language), *(f"- {rule.text}" for rule in special)]
    return "\n".join(lines) + "\n"


def _heading(places: list[str], language: str, *, alone: bool) -> str:
    if places:
        names = joined(places, language, key="list.and")
        return say("publish.place", language, place=names)
    if alone:
        return say("publish.place.any", language)
    text = say("change.place.none", language)
    return text[:1].upper() + text[1:]


def _terms(policy: Policy, group: Mapping[str, Any], currency: str, language: str) -> Iterator[str]:
    if not group["eligible"]:
        because = [
            because_text(policy, Because(b["code"], b["rule"], tuple(b["args"].items())), language)
            for b in group["because"]
        ]
        yield say("publish.refused", language, because=" ".join(because))
        return
    for resolution in group["resolutions"]:
        yield _resolution(resolution, language)
    yield _freight(group, currency, language)
    kept = "refund" if group["refund_original_shipping"] else "keep"
    yield say(f"publish.original.{kept}", language)
    if group["restocking_ppm"]:
        yield say("publish.restocking", language, share=share(group["restocking_ppm"], language))
    yield from _grades(group["grades"], language)
    if group["evidence"]:
        proofs = [f"{say('proof.' + e['kind'], language)} × {e['minimum']}" if e["minimum"] > 1
                  else say(f"proof.{e['kind']}", language) for e in group["evidence"]]  # fmt: skip
        yield say("publish.evidence", language, proofs=joined(proofs, language, key="list.and"))
    yield _approval(group["approval"], language)
    if group["ship_within_seconds"] is not None:
        yield say("publish.ship", language, period=seconds(group["ship_within_seconds"], language))
    yield from (_due(due, language) for due in group["refund_due"])
    yield _law(policy, group, language)


def _resolution(resolution: Mapping[str, Any], language: str) -> str:
    within = resolution["within"]
    if within.startswith(UNTIL):
        window = say("window.until", language, date=within.removeprefix(UNTIL))
    elif within[:1].isdigit():
        words = period(read_duration(within), language)
        event = say(f"event.{resolution['from'] or 'delivered'}", language)
        window = say("window.within", language, period=words, event=event)
    else:
        window = say("window.unlimited", language)
    name = say(f"resolution.{resolution['kind']}", language)
    text = say("publish.resolution", language, resolution=name, window=window)
    text = text[:1].upper() + text[1:]
    if resolution["extended_until"]:
        text += f" ({say('window.until', language, date=resolution['extended_until'])})"
    if resolution["bonus_ppm"]:
        bonus = share(resolution["bonus_ppm"], language)
        text += ", " + say("publish.bonus", language, share=bonus)
    if resolution["kind"] == "repair" and resolution["cost"] == "quoted":
        text += ", " + say("publish.quoted", language)
    return text


def _freight(group: Mapping[str, Any], currency: str, language: str) -> str:
    if group["freight"]["own_label"]:
        key, priced = "own", False
    elif any(method["fee_minor"] for method in group["methods"]):
        key, priced = "fee", True
    else:
        key, priced = "free", False
    methods = []
    for method in group["methods"]:
        text = say(f"method.{method['kind']}", language)
        if priced:
            text += f" ({amount(method['fee_minor'], currency, language)})"
        methods.append(text)
    return say(f"publish.freight.{key}", language, methods=joined(methods, language))


def _grades(grades: Mapping[str, int | None], language: str) -> Iterator[str]:
    cut = [f"{say('grade.' + grade, language)} {share(ppm, language)}"
           for grade, ppm in grades.items() if ppm is not None]  # fmt: skip
    if cut:
        yield say("publish.deductions", language, grades=joined(cut, language, key="list.and"))
    refused = [say(f"grade.{grade}", language) for grade, ppm in grades.items() if ppm is None]
    if refused:
        yield say("publish.not_taken", language, grades=joined(refused, language))


def _approval(approval: Mapping[str, Any], language: str) -> str:
    if approval["auto"]:
        return say("publish.approval.auto", language)
    if approval["respond_within_seconds"] is None or approval["on_silence"] is None:
        return say("publish.approval.open", language)
    return say(
        "publish.approval.review",
        language,
        period=seconds(approval["respond_within_seconds"], language),
        silence=say(f"silence.{approval['on_silence']}", language),
    )


def _due(due: Mapping[str, Any], language: str) -> str:
    period, event = (
        seconds(due["within_seconds"], language),
        say(f"moment.{due['after']}", language),
    )
    if due["not_before"] is None:
        return say("publish.due", language, period=period, event=event)
    other = say(f"moment.{due['not_before']}", language)
    return say("publish.due.waiting", language, period=period, event=event, other=other)


def _law(policy: Policy, group: Mapping[str, Any], language: str) -> str:
    if group["law_data"] != "known":
        return say("publish.law.unknown", language)
    titles = [law_title(policy, law, language) for law in group["law"]]
    return say("publish.law", language, laws=joined(titles, language, key="list.and") or "–")
