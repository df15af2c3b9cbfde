"""The document's own rules in words: what depends on the product, the price, the tier or the day.

The markets of a publication show an ordinary case; a rule that asks for more than a reason and a
place is told here, so that nothing a buyer would be held to is left out. Owns the sentences' order.
Refuses to own what the law makes of a rule (the markets say that) and the notes of the author.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from returns_api.domain.policy import Policy, texts
from returns_api.domain.policy.chosen_terms import NEVER
from returns_api.domain.policy.conditions import Choice, DateRange, Range, SetChoice
from returns_api.domain.policy.decisions import Because
from returns_api.domain.policy.document import Rule, When
from returns_api.domain.policy.explain import because_text
from returns_api.domain.policy.term_values import DEFAULT_STARTS, ResolutionTerm, ReturnShipping
from returns_api.domain.policy.values import Amount
from returns_api.domain.policy.vocabulary import RepairCost, StartEvent

_IN_MARKETS = frozenset({"reason", "fault", "place"})
"""Conditions that the markets tell apart already."""


@dataclass(frozen=True, slots=True)
class SpecialRule:
    """A rule of the document, by its id, as a sentence."""

    rule: str
    text: str


def special_rules(
    policy: Policy, country: str | None, region: str | None, locale: str
) -> tuple[SpecialRule, ...]:
    """The rules that may hold in a place (None: anywhere) and ask for more than the markets show.

    In the order of the document: the first one that matches decides, term by term.
    """
    language = texts.language_of(locale)
    rules = (rule for rule in policy.document.rules if _holds(policy, rule, country, region))
    told = ((rule.id, _sentence(policy, rule, language)) for rule in rules)
    return tuple(SpecialRule(name, text) for name, text in told if text)


def _holds(policy: Policy, rule: Rule, country: str | None, region: str | None) -> bool:
    if country is None or rule.when.place is None:
        return True
    axis = policy.index.axes.place
    return bool(axis.mask(rule.when.place) >> axis.locate(country, region) & 1)


def _sentence(policy: Policy, rule: Rule, language: str) -> str:
    """The rule in words; nothing for one that the markets tell, or that a buyer does not feel."""
    asked = {name for name in When.model_fields if getattr(rule.when, name) is not None}
    terms = "; ".join(_terms(policy, rule, language))
    if asked <= _IN_MARKETS or not terms:
        return ""
    joined = ""
    for condition in _conditions(policy, rule.when, language):
        joined = texts.say("list.and", language, one=joined, two=condition) if joined else condition
    return texts.say("rule.if", language, conditions=joined, terms=terms)


def _terms(policy: Policy, rule: Rule, language: str) -> Iterator[str]:
    """Each term of a rule that a buyer feels, as half a sentence."""
    if rule.refuse is not None and rule.refuse != NEVER:
        yield because_text(policy, Because(rule.refuse, rule.id), language)
    event = _event(policy, rule)
    for item in rule.resolutions.items if rule.resolutions else ():
        yield _resolution(item, event, language)
    if rule.extend_to is not None:
        yield texts.say("rule.extend_to", language, date=rule.extend_to.isoformat())
    if rule.return_shipping is not None:
        yield _shipping_term(policy, rule.return_shipping, language)
    if rule.original_shipping is not None:
        yield texts.say(f"rule.original_shipping.{rule.original_shipping}", language)
    if rule.restocking_fee:
        share = texts.share(rule.restocking_fee, language)
        yield texts.say("rule.restocking_fee", language, share=share)
    yield from _process_terms(rule, language)


def _event(policy: Policy, rule: Rule) -> StartEvent:
    """What the rule's windows usually count from: its own word, or that of a rule for all cases."""
    always = (other for other in policy.document.rules if other.when == When())
    said = (one.starts for one in (rule, *always) if one.starts is not None)
    return next(said, DEFAULT_STARTS).items[0].event


def _resolution(item: ResolutionTerm, event: StartEvent, language: str) -> str:
    words = [texts.say(f"resolution.{item.kind.value}", language)]
    if item.window.until is not None:
        date = item.window.until.isoformat()
        words.append(texts.say("window.until", language, date=date))
    elif item.window.period is None:
        words.append(texts.say("window.unlimited", language))
    else:
        period = texts.period(item.window.period, language)
        name = texts.say(f"event.{event.value}", language)
        words.append(texts.say("window.within", language, period=period, event=name))
    if item.bonus_ppm:
        share = texts.share(item.bonus_ppm, language)
        words.append(texts.say("publish.bonus", language, share=share))
    if item.cost is RepairCost.QUOTED:
        words.append(texts.say("publish.quoted", language))
    return " ".join(words)


def _process_terms(rule: Rule, language: str) -> Iterator[str]:
    if rule.grades is not None:
        refused = texts.say("grade.refused", language)
        parts = [
            f"{texts.say(f'grade.{grade.value}', language)} "
            f"{refused if share is None else texts.share(share, language)}"
            for grade, share in rule.grades.items
        ]
        yield texts.say("rule.grades", language, grades=", ".join(parts))
    if rule.evidence is not None and rule.evidence.items:
        found = [f"{texts.say(f'proof.{k.value}', language)} ×{n}" for k, n in rule.evidence.items]
        yield texts.say("rule.evidence", language, proofs=", ".join(found))
    if rule.methods is not None:
        names = [texts.say(f"method.{kind.value}", language) for kind in rule.methods.items]
        yield texts.say("rule.methods", language, methods=", ".join(names))
    if rule.approval is not None:
        yield texts.say(f"rule.approval.{'auto' if rule.approval.auto else 'review'}", language)
    for name, deadline in (
        ("ship_within", rule.ship_within),
        ("refund_within", rule.refund_within),
    ):
        if deadline is not None and deadline.within is not None:
            yield texts.say(
                f"rule.{name}", language, period=texts.period(deadline.within, language)
            )
    if rule.refund_at is not None:
        event = texts.say(f"moment.{rule.refund_at.at.value}", language)
        yield texts.say("rule.refund_at", language, event=event)
    if rule.exchange_at is not None:
        event = texts.say(f"moment.{rule.exchange_at.at.value}", language)
        yield texts.say("rule.exchange_at", language, event=event)
    if rule.keep_item is not None and rule.keep_item.always:
        yield texts.say("rule.keep_item", language)


def _shipping_term(policy: Policy, shipping: ReturnShipping, language: str) -> str:
    if shipping.free:
        return texts.say("rule.return_free", language)
    if shipping.own_cost:
        return texts.say("rule.return_own", language)
    fees = [_bound(policy, shipping.fee, language)] if shipping.fee else []
    fees += [
        f"{texts.say(f'method.{kind.value}', language)} {_bound(policy, amount, language)}"
        for kind, amount in shipping.by_method
    ]
    return texts.say("rule.return_fee", language, fees=", ".join(fees))


def _conditions(policy: Policy, when: When, language: str) -> Iterator[str]:
    """Each condition of a rule as half a sentence."""
    for name in When.model_fields:
        condition = getattr(when, name)
        if condition is None:
            continue
        if isinstance(condition, Choice):
            values = [_word(policy, name, value, language) for value in condition.values]
            listed = texts.joined(values, language)
            if condition.negated:
                listed = texts.say("when.not", language, values=listed)
            yield texts.say(f"when.{name}", language, values=listed)
        elif isinstance(condition, SetChoice):
            for part in ("any", "all", "none"):
                words = [_word(policy, name, one, language) for one in getattr(condition, part)]
                if words:
                    listed = texts.joined(words, language)
                    yield texts.say(f"when.{name}.{part}", language, values=listed)
        elif isinstance(condition, Range):
            yield texts.say(f"when.{name}", language, range=_range(policy, condition, language))
        elif isinstance(condition, DateRange):
            yield texts.say(f"when.{name}", language, range=_days(condition, language))
        elif isinstance(condition, bool):
            yield texts.say(f"when.{name}.{'true' if condition else 'false'}", language)
        else:
            yield texts.say(f"when.{name}", language, share=texts.share(condition, language))


def _word(policy: Policy, name: str, value: str, language: str) -> str:
    if name == "reason" and value in policy.world.reasons:
        return policy.world.reasons[value].title(language)
    if name == "goods":  # a name of the shop's own
        return value.replace("_", " ").replace("-", " ")
    key = {"fault": f"fault.{value}", "condition": f"grade.{value}"}.get(name)
    return texts.say(key, language) if key else value


def _range(policy: Policy, found: Range, language: str) -> str:
    parts = []
    if found.low is not None:
        key = "range.min" if found.low_included else "range.above"
        parts.append(texts.say(key, language, value=_bound(policy, found.low, language)))
    if found.high is not None:
        key = "range.max" if found.high_included else "range.below"
        parts.append(texts.say(key, language, value=_bound(policy, found.high, language)))
    return " ".join(parts)


def _bound(policy: Policy, bound: int | Amount, language: str) -> str:
    home = policy.document.home_currency
    if isinstance(bound, Amount):
        found = ((code, bound.minor(code, home)) for code in policy.document.currency)
        return " / ".join(texts.amount(n, code, language) for code, n in found if n is not None)
    return str(bound)


def _days(found: DateRange, language: str) -> str:
    parts = []
    if found.first is not None:
        parts.append(texts.say("range.min", language, value=found.first.isoformat()))
    if found.last is not None:
        parts.append(texts.say("range.max", language, value=found.last.isoformat()))
    return " ".join(parts)
