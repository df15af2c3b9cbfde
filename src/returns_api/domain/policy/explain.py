"""Why not, and what would change it: the smallest change of a case for each refusal and each fee.

Owns ``Explainer``, the ``Flip`` as data, and the sentences for the reasons of a decision. What
*smallest* means and how it is found is ``flips``. Every change named was tried: applied to the
facts, it turns the outcome. Where no change of facts can turn it, the flip says so. Refuses to own
advice: a flip says what the policy would do, not what a buyer should claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from returns_api.domain.policy import texts
from returns_api.domain.policy.decisions import Because, Decision
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.flips import Change, Flips
from returns_api.domain.policy.flips.goals import Goal, goal_of, targets
from returns_api.domain.policy.flips.situation import Situation
from returns_api.domain.policy.flips.words import Words
from returns_api.domain.policy.law import default_law
from returns_api.domain.policy.values import read_duration

__all__ = [
    "Change", "Explainer", "Flip", "Goal", "apply_flip", "because_text", "explain", "goal_of",
    "law_title", "targets",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flip:
    """One outcome that would turn, and the change that turns it.

    ``target``: ``eligible``, ``resolution.<kind>``, ``return_freight``, ``restocking_fee``,
    ``deduction`` or ``original_shipping``. Without ``changes``, none exists where ``proven``, and
    otherwise the search was too large. ``sentence`` is empty where no language was asked for.
    """

    target: str
    changes: tuple[Change, ...]
    sentence: str = ""
    proven: bool = True

    @property
    def kind(self) -> str:
        """Whose doing it is (``buyer``, ``order``, ``item``), or ``none`` or ``not_found``."""
        kinds = {one.kind for one in self.changes}
        if not kinds:
            return "none" if self.proven else "not_found"
        return "item" if "item" in kinds else "order" if "order" in kinds else "buyer"

    def as_json(self) -> dict[str, Any]:
        """The flip as plain data; ``change`` are the facts to set, empty where none helps."""
        change: dict[str, Any] = {}
        for one in self.changes:
            change.update(one.facts)
        return {"target": self.target, "kind": self.kind, "change": change, "text": self.sentence}


def apply_flip(facts: Facts, flip: Flip) -> Facts:
    """The case after the change."""
    return Facts.from_json({**facts.to_json(), **flip.as_json()["change"]})


class Explainer:
    """Explains decisions of one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._flips = Flips(policy)
        self._words = Words(policy)

    def flips(
        self, facts: Facts, decision: Decision, locale: str | None = None
    ) -> tuple[Flip, ...]:
        """The smallest change for each refusal and fee of ``decision``; sentences in ``locale``."""
        return self._explained(Situation(self._policy, facts), decision, locale)

    def decide(self, facts: Facts, locale: str | None = None) -> tuple[Decision, tuple[Flip, ...]]:
        """The decision with its flips: less work than one after the other."""
        now = Situation(self._policy, facts)
        decision = self._policy.decision(now.weighed, facts)
        return decision, self._explained(now, decision, locale)

    def _explained(
        self, now: Situation, decision: Decision, locale: str | None
    ) -> tuple[Flip, ...]:
        language = texts.language_of(locale) if locale is not None else None
        return tuple(
            self._flip(target, now, language)
            for target in targets(now.weighed, now.facts, decision)
        )

    def _flip(self, target: str, now: Situation, language: str | None) -> Flip:
        found = self._flips.smallest(target, now)
        sentence = ""
        if language is not None and found.changes:
            sentence = self._words.sentence(now.facts, target, found.changes, language)
        elif language is not None:
            sentence = self._words.none(target, language, proven=found.proven)
        return Flip(target, found.changes, sentence, found.proven)


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
