"""The policy in plain language, for one market and product, in any language there is a text for.

Owns the sentences' order. Every fact in them comes from the situations' decisions; the special
rules at the end are the document's own rules in words. Refuses to own layout and HTML.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from returns_api.domain.policy import texts
from returns_api.domain.policy.conditions import Choice, DateRange, Range, SetChoice
from returns_api.domain.policy.decisions import Because, Decision, RefundDue, Term
from returns_api.domain.policy.document import Rule, When
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.explain import because_text, law_title
from returns_api.domain.policy.outcome import NEVER
from returns_api.domain.policy.publish.situations import Market, Situation
from returns_api.domain.policy.term_values import ReturnShipping, Window, read_window
from returns_api.domain.policy.values import Amount
from returns_api.domain.policy.vocabulary import Grade, MethodKind, Payer

_SHOWN_GRADES = (
    Grade.USED_LIKE_NEW, Grade.USED_WORN, Grade.DAMAGED_BUYER, Grade.INCOMPLETE,
)  # fmt: skip
"""Conditions that lie with the buyer; the others cost a buyer nothing."""


def render_text(
    policy: Policy,
    market: Market,
    found: tuple[Situation, ...],
    *,
    version: str,
    locale: str,
) -> str:
    """The policy as paragraphs, with its version id. ``found`` are the situations to describe."""
    language = texts.language_of(locale)
    name = policy.document.name
    where = texts.say("publish.place", language, place=market.name)
    lines = [
        texts.say("publish.title", language, name=name),
        texts.say("publish.version", language, version=version),
        where if market.country else texts.say("publish.place.any", language),
        "",
    ]
    for situation in found:
        lines += [*_situation(policy, situation, language), ""]
    special = [text for rule in policy.document.rules if (text := _rule(policy, rule, language))]
    if special:
        lines += [texts.say("publish.special", language), *(f"- {text}" for text in special), ""]
    return "\n".join(lines).rstrip() + "\n"


def _situation(policy: Policy, situation: Situation, language: str) -> Iterator[str]:
    reasons = [policy.world.reasons[code].title(language) for code in situation.reasons]
    yield texts.say("publish.reasons", language, reasons=texts.joined(reasons, language))
    decision = situation.decision
    if not decision.eligible:
        because = " ".join(because_text(policy, b, language) for b in decision.because)
        yield f"- {texts.say('publish.refused', language, because=because)}"
    else:
        yield from (f"- {line}" for line in _terms(policy, decision, language))
    if decision.law:
        laws = texts.joined(
            [law_title(policy, law, language) for law in decision.law], language, key="list.and"
        )
        yield f"- {texts.say('publish.law', language, laws=laws)}"
    elif decision.law_data != "known":
        yield f"- {texts.say('publish.law.unknown', language)}"


def _terms(policy: Policy, d: Decision, language: str) -> Iterator[str]:
    windows = {term.term: term for term in d.terms if term.term.startswith("window.")}
    for resolution in d.resolutions:
        yield _resolution(windows[f"window.{resolution.kind.value}"], resolution, language)
    yield _freight(d, language)
    key = "refund" if d.refund_original_shipping else "keep"
    yield texts.say(f"publish.original.{key}", language)
    if d.restocking_ppm:
        share = texts.share(d.restocking_ppm, language)
        yield texts.say("publish.restocking", language, share=share)
    yield from _grades(d, language)
    if d.evidence:
        proofs = [
            f"{texts.say(f'proof.{e.kind.value}', language)} ×{e.minimum}" for e in d.evidence
        ]
        yield texts.say("publish.evidence", language, proofs=", ".join(proofs))
    yield _approval(d, language)
    if d.deadlines.ship_within_seconds is not None:
        period = texts.seconds(d.deadlines.ship_within_seconds, language)
        yield texts.say("publish.ship", language, period=period)
    for due in d.refund_due:
        yield _due(due, language)


def _resolution(term: Term, resolution: Any, language: str) -> str:
    name = texts.say(f"resolution.{resolution.kind.value}", language)
    words = window_text(read_window(term.value["within"]), term.value["from"], language)
    line = texts.say("publish.resolution", language, resolution=_first(name), window=words)
    if resolution.bonus_ppm:
        share = texts.share(resolution.bonus_ppm, language)
        line += f", {texts.say('publish.bonus', language, share=share)}"
    if resolution.cost.value == "quoted":
        line += f", {texts.say('publish.quoted', language)}"
    return line


def window_text(window: Window, event: str | None, language: str) -> str:
    """``within 30 days of delivery`` in words."""
    if window.until is not None:
        return texts.say("window.until", language, date=window.until.isoformat())
    if window.period is None:
        return texts.say("window.unlimited", language)
    period = texts.period(window.period, language)
    name = texts.say(f"event.{event or 'delivered'}", language)
    return texts.say("window.within", language, period=period, event=name)


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _freight(d: Decision, language: str) -> str:
    names = {
        method.kind: texts.say(f"method.{method.kind.value}", language) for method in d.methods
    }
    if d.freight.own_label:
        listed = ", ".join(names.values())
        return texts.say("publish.freight.own", language, methods=listed)
    if d.freight.payer is Payer.MERCHANT:
        return texts.say("publish.freight.free", language, methods=", ".join(names.values()))
    fees = [
        f"{names[method.kind]} {texts.amount(method.fee_minor, d.facts.currency, language)}"
        for method in d.methods
        if method.kind is not MethodKind.KEEP
    ]
    return texts.say("publish.freight.fee", language, methods=", ".join(fees))


def _grades(d: Decision, language: str) -> Iterator[str]:
    taken = [
        f"{texts.say(f'grade.{grade.value}', language)} {texts.share(share, language)}"
        for grade in _SHOWN_GRADES
        if (share := d.grades[grade])
    ]
    refused = [
        texts.say(f"grade.{grade.value}", language)
        for grade in _SHOWN_GRADES
        if d.grades[grade] is None
    ]
    if taken:
        yield texts.say("publish.deductions", language, grades=", ".join(taken))
    if refused:
        yield texts.say("publish.not_taken", language, grades=", ".join(refused))


def _approval(d: Decision, language: str) -> str:
    a = d.approval
    if a.auto:
        return texts.say("publish.approval.auto", language)
    if a.respond_within_seconds is None or a.on_silence is None:
        return texts.say("publish.approval.open", language)
    return texts.say(
        "publish.approval.review",
        language,
        period=texts.seconds(a.respond_within_seconds, language),
        silence=texts.say(f"silence.{a.on_silence.value}", language),
    )


def _due(due: RefundDue, language: str) -> str:
    period = texts.seconds(due.within_seconds, language)
    event = texts.say(f"moment.{due.after.value}", language)
    if due.not_before is None:
        return texts.say("publish.due", language, period=period, event=event)
    other = texts.say(f"moment.{due.not_before.value}", language)
    return texts.say("publish.due.waiting", language, period=period, event=event, other=other)


def _rule(policy: Policy, rule: Rule, language: str) -> str:
    """A rule about more than the reason, in words; the others stand in the situations already."""
    asked = {name for name in When.model_fields if getattr(rule.when, name) is not None}
    terms = "; ".join(rule_terms(policy, rule, language))
    if asked <= {"reason", "fault"} or not terms:
        return ""
    joined = ""
    for condition in condition_texts(policy, rule.when, language):
        joined = texts.say("list.and", language, one=joined, two=condition) if joined else condition
    return texts.say("rule.if", language, conditions=joined, terms=terms)


def rule_terms(policy: Policy, rule: Rule, language: str) -> Iterator[str]:
    """Each term of a rule that a buyer feels, as half a sentence."""
    if rule.refuse is not None and rule.refuse != NEVER:
        yield because_text(policy, Because(rule.refuse, rule.id), language)
    for item in rule.resolutions.items if rule.resolutions else ():
        name = texts.say(f"resolution.{item.kind.value}", language)
        yield f"{name} {window_text(item.window, None, language)}"
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


def condition_texts(policy: Policy, when: When, language: str) -> Iterator[str]:
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
            for part, words in (("any", condition.any), ("all", condition.all),
                                ("none", condition.none)):  # fmt: skip
                if words:
                    listed = texts.joined(list(words), language)
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
