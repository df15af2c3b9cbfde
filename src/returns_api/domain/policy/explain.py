"""Why not, and what would change it: the smallest change of a case for each refusal and each fee.

Owns ``Explainer`` and the meaning of *smallest*: fewest facts changed; among these, first in the
order ``changes.AXES``; on one axis the closest value. Every change named was tried: applied to the
facts, it turns the outcome. Where no ``MAX_FACTS`` changes turn it, or ``MAX_STEPS`` were looked
at, none is named. Refuses to own advice: a flip says what the policy would do, not what a buyer
should claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from typing import Any, Final

from returns_api.domain.calendars import local_date
from returns_api.domain.policy import texts
from returns_api.domain.policy.changes import (
    Change,
    Moves,
    Search,
    Situation,
    TooMany,
    moment,
)
from returns_api.domain.policy.decisions import Because, Decision
from returns_api.domain.policy.evaluate import Policy, Weighed
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.geometry import Geometry
from returns_api.domain.policy.law import default_law
from returns_api.domain.policy.values import read_duration
from returns_api.domain.policy.vocabulary import Grade, Payer, ResolutionKind

MAX_FACTS: Final = 3
MAX_STEPS: Final = 6_000

Goal = Callable[[Weighed, Facts], bool]


@dataclass(frozen=True, slots=True)
class Flip:
    """One outcome that would turn, and the change that turns it.

    ``target``: ``eligible``, ``resolution.<kind>``, ``return_freight``, ``restocking_fee``,
    ``deduction`` or ``original_shipping``. ``sentence`` is empty where no language was asked for.
    """

    target: str
    changes: tuple[Change, ...]
    sentence: str = ""

    def as_json(self) -> dict[str, Any]:
        """The flip as plain data; ``change`` are the facts to set."""
        change: dict[str, Any] = {}
        for one in self.changes:
            change.update(one.facts)
        kinds = {one.kind for one in self.changes}
        kind = "item" if "item" in kinds else "order" if "order" in kinds else "buyer"
        return {"target": self.target, "kind": kind, "change": change, "text": self.sentence}


def apply_flip(facts: Facts, flip: Flip) -> Facts:
    """The case after the change."""
    return Facts.from_json({**facts.to_json(), **flip.as_json()["change"]})


class Explainer:
    """Explains decisions of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._moves = Moves(Geometry(policy))

    def flips(
        self, facts: Facts, decision: Decision, locale: str | None = None
    ) -> tuple[Flip, ...]:
        """The smallest change for each refusal and fee of ``decision``; sentences in ``locale``."""
        now = Situation.of(self._policy, facts)
        found = []
        for target in targets(now.weigh(), facts, decision):
            changes = self._smallest(now, goal_of(target), grades=target == "deduction")
            if changes:
                sentence = ""
                if locale is not None:
                    sentence = self.sentence(facts, target, changes, texts.language_of(locale))
                found.append(Flip(target, changes, sentence))
        return tuple(found)

    def _smallest(self, now: Situation, goal: Goal, *, grades: bool) -> tuple[Change, ...]:
        """The smallest set of changes that reaches ``goal``; empty where none was found."""
        search = Search(self._moves, now, MAX_STEPS, grades=grades)
        with suppress(TooMany):
            for number in range(1, MAX_FACTS + 1):
                for axes in combinations(self._moves.useful, number):
                    for changes, after in self._combined(now, axes, search):
                        if goal(after.weigh(), after.facts):
                            return changes
        return ()

    def _combined(
        self, now: Situation, axes: tuple[str, ...], search: Search
    ) -> Iterator[tuple[tuple[Change, ...], Situation]]:
        """Changes on all ``axes`` at once; the time comes last, as windows depend on the rest."""
        turned = axes[1:] + axes[:1] if axes[0] == "asked_at" else axes
        last = len(turned) == 1
        for change, after in self._moves.on(turned[0], now, search, last=last):
            if last:
                yield (change,), after
                continue
            for others, end in self._combined(after, turned[1:], search):
                yield (change, *others), end

    def sentence(
        self, facts: Facts, target: str, changes: tuple[Change, ...], language: str
    ) -> str:
        """The flip in words."""
        phrases = [self._phrase(facts, change, language) for change in changes]
        change_text = phrases[0]
        for phrase in phrases[1:]:
            change_text = texts.say("change.and", language, one=change_text, two=phrase)
        key, _, kind = target.partition(".")
        words = {"change": change_text}
        if kind:
            words["resolution"] = texts.say(f"resolution.{kind}", language)
        text = texts.say(f"flip.{key}", language, **words)
        return text[:1].upper() + text[1:]

    def _phrase(self, facts: Facts, change: Change, language: str) -> str:
        shown = change.shown
        if change.axis == "reason":
            shown = self._policy.world.reasons[shown].title(language)
        elif change.axis == "condition":
            shown = texts.say(f"grade.{shown}", language)
        elif change.axis in {"unit_paid_minor", "order_paid_minor"}:
            shown = texts.amount(int(shown), facts.currency, language)
        elif change.axis == "placed_at":
            shown = local_date(moment(shown), self._policy.world.zone).isoformat()
        elif change.axis == "asked_at":
            return self._time_phrase(facts, shown, language)
        return texts.say(change.key, language, to=shown)

    def _time_phrase(self, facts: Facts, shown: str, language: str) -> str:
        asked = moment(shown)
        zone = self._policy.zone_of(facts)
        earlier = facts.asked_at - asked
        days = -(-earlier // timedelta(days=1))
        period = texts.seconds(int(days) * 86_400, language)
        to = local_date(asked, zone).isoformat()
        return texts.say("change.asked_at", language, to=to, period=period)


def targets(weighed: Weighed, facts: Facts, decision: Decision) -> list[str]:
    """What a buyer could want to be otherwise: the refusal, or each fee and lapsed resolution.

    ``weighed`` is the case that was decided.
    """
    if not decision.eligible:
        return ["eligible"]
    found = []
    still = {resolution.kind for resolution in decision.resolutions}
    if decision.because == ():
        offered = weighed.outcome.plan.windows
        found += [f"resolution.{w.kind.value}" for w in offered if w.kind not in still]
    if decision.freight.payer is Payer.BUYER:
        found.append("return_freight")
    if decision.restocking_ppm:
        found.append("restocking_fee")
    if facts.condition is not None and decision.grades.get(Grade(facts.condition)):
        found.append("deduction")
    if not decision.refund_original_shipping:
        found.append("original_shipping")
    return found


def goal_of(target: str) -> Goal:
    """The test for a target: whether a case is free of what the target names."""
    name, _, kind = target.partition(".")
    if name == "resolution":
        wanted = ResolutionKind(kind)
        return lambda w, _: any(r.kind is wanted for r in w.standing.resolutions)
    return _GOALS[name]


def _no_deduction(weighed: Weighed, facts: Facts) -> bool:
    if facts.condition is None:
        return weighed.eligible
    return weighed.eligible and weighed.outcome.grades[Grade(facts.condition)] == 0


_GOALS: Final[dict[str, Goal]] = {
    "eligible": lambda w, _: w.eligible,
    "return_freight": lambda w, _: w.eligible and w.outcome.freight.payer is Payer.MERCHANT,
    "restocking_fee": lambda w, _: w.eligible and not w.outcome.restocking_ppm,
    "deduction": _no_deduction,
    "original_shipping": lambda w, _: w.eligible and w.outcome.refund_original_shipping,
}


def because_text(policy: Policy, because: Because, locale: str) -> str:
    """One reason for an outcome as a sentence in the buyer's language."""
    language = texts.language_of(locale)
    own = policy.document.refusals.get(because.code, {})
    title = own.get(language) or own.get(texts.LANGUAGES[0])
    if title:
        return title
    if texts.knows(f"refusal.{because.code}"):
        return texts.say(f"refusal.{because.code}", language)
    words = {name: _argument(name, value, language) for name, value in because.args}
    if because.code in {"law_grants", "law_judgement"}:
        words["law"] = law_title(policy, because.rule or "", language)
    if texts.knows(f"because.{because.code}"):
        return texts.say(f"because.{because.code}", language, **words)
    return texts.say("because.refused", language, code=because.code)


def law_title(policy: Policy, law_id: str, language: str) -> str:
    """The title of a right, its id where the pinned law has no titles."""
    right = policy.law.right(law_id)
    titles = right.title if right and right.title else {}
    if not titles:
        current = default_law().right(law_id)
        titles = current.title if current else {}
    return titles.get(language) or titles.get(texts.LANGUAGES[0]) or law_id


def _argument(name: str, value: str, language: str) -> str:
    if name == "resolution":
        return texts.say(f"resolution.{value}", language)
    if name == "condition":
        return texts.say(f"grade.{value}", language)
    if name == "until_local":
        return value.partition(",")[0]
    if name == "window" and value[:1].isdigit():
        return texts.period(read_duration(value), language)
    return value


def explain(
    policy: Policy, facts: Facts, decision: Decision, locale: str | None = None
) -> tuple[Flip, ...]:
    """The smallest changes that turn each refusal and fee. Keep an ``Explainer`` for many cases."""
    return Explainer(policy).flips(facts, decision, locale)
