"""A change in words.

Owns the sentence for a target and its changes, in the buyer's language. Refuses to own the
catalogue (``texts``) and which changes there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from returns_api.domain.calendars import local_date
from returns_api.domain.policy import texts
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.flips.changes import Change

_DAY: Final = timedelta(days=1)
_AMOUNTS: Final = frozenset({"unit_paid_minor", "order_paid_minor"})


class Words:
    """Sentences about changes under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._met: dict[tuple[str, ...], str] = {}

    def sentence(self, facts: Facts, target: str, changes: Sequence[Change], language: str) -> str:
        """The flip in words. ``facts`` are those of the case before the changes."""
        if len(changes) == 1:
            phrase = self._phrase(facts, changes[0], facts.currency, language)
            return _sentence(target, phrase, language)
        currency = facts.currency
        for change in changes:
            currency = change.facts.get("currency", currency)
        phrases = [self._phrase(facts, change, currency, language) for change in changes]
        change_text = phrases[0]
        for phrase in phrases[1:]:
            change_text = texts.say("change.and", language, one=change_text, two=phrase)
        return _sentence(target, change_text, language)

    def none(self, target: str, language: str, *, proven: bool) -> str:
        """That no change helps, or that none was found."""
        key = "flip.none" if proven else "flip.not_found"
        return texts.say(key, language, target=texts.say(f"wish.{target}", language))

    def _phrase(self, facts: Facts, change: Change, currency: str, language: str) -> str:
        if change.axis == "asked_at":
            return self._asked(facts, change.shown, language)
        key = (change.key, change.shown, currency, language)
        found = self._met.get(key)
        if found is None:
            if len(self._met) >= 4_096:
                self._met.clear()
            shown = self._shown(change, currency, language)
            found = self._met[key] = texts.say(change.key, language, to=shown)
        return found

    def _shown(self, change: Change, currency: str, language: str) -> str:
        shown = change.shown
        if change.axis == "reason":
            return self._policy.world.reasons[shown].title(language)
        if change.axis == "condition":
            return texts.say(f"grade.{shown}", language)
        if change.axis in _AMOUNTS:
            return texts.amount(int(shown), currency, language)
        if change.axis == "placed_at":
            return local_date(datetime.fromisoformat(shown), self._policy.world.zone).isoformat()
        return shown

    def _asked(self, facts: Facts, shown: str, language: str) -> str:
        asked = datetime.fromisoformat(shown)
        days = -((asked - facts.asked_at) // _DAY)
        return _earlier(local_date(asked, self._policy.zone_of(facts)).isoformat(), days, language)


@lru_cache(maxsize=4_096)
def _earlier(day: str, days: int, language: str) -> str:
    period = texts.seconds(days * 86_400, language)
    return texts.say("change.asked_at", language, to=day, period=period)


@lru_cache(maxsize=4_096)
def _sentence(target: str, change: str, language: str) -> str:
    key, _, kind = target.partition(".")
    words = {"change": change}
    if kind:
        words["resolution"] = texts.say(f"resolution.{kind}", language)
    text = texts.say(f"flip.{key}", language, **words)
    return text[:1].upper() + text[1:]
