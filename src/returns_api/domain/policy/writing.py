"""The canonical bytes of many decisions, put together from remembered parts.

Owns a faster way to the bytes of ``decision_bytes``: whether a history replays is a question about
bytes, and nearly all of a decision's bytes are those of its outcome, which thousands of cases
share. A test compares both, byte for byte. Refuses to own the form (``decision_json``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from returns_api.domain.policy.decision_json import (
    because_json,
    canonical_json,
    decision_to_json,
    fact_of,
    resolution_json,
    term_json,
)
from returns_api.domain.policy.decisions import Term
from returns_api.domain.policy.evaluate import Policy
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.offers import Standing
from returns_api.domain.policy.outcome import Outcome
from returns_api.domain.policy.weighed import Weighed

REMEMBERED: Final = 4_096
"""Outcomes, and standings, whose bytes are kept."""

_OF_CASE: Final = ("because", "eligible", "fault", "law_data", "resolutions", "terms", "tier")
"""Members of a decision that do not follow from its outcome."""

_FACTS: Final = b'{"facts":{'
_Terms = tuple[tuple[tuple[str, ...], bytes], ...]
"""For each term the facts that it used, and what stands behind them."""


@dataclass(frozen=True, slots=True)
class _OutcomeParts:
    """``between``: what stands before each member of ``_OF_CASE``, and after the last one."""

    outcome: Outcome  # kept, so that its id stays its own
    between: tuple[bytes, ...]
    terms: _Terms


@dataclass(frozen=True, slots=True)
class _StandingParts:
    standing: Standing
    resolutions: bytes
    terms: _Terms


class DecisionWriter:
    """Writes decisions of one policy. It only remembers what it wrote before."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._outcomes: dict[tuple[int, bool], _OutcomeParts] = {}
        self._standings: dict[int, _StandingParts] = {}

    def write_all(self, judged: Mapping[str, tuple[Facts, Weighed]]) -> bytes:
        """The canonical bytes of an object with the decision of each case by its name."""
        pairs = (canonical_json(name) + b":" + self.write(*judged[name]) for name in sorted(judged))
        return b"{" + b",".join(pairs) + b"}"

    def write(self, facts: Facts, weighed: Weighed) -> bytes:
        """The bytes of the decision that this policy, which weighed ``facts``, gives for them."""
        outcome, standing = self._outcome(facts, weighed), self._standing(weighed.standing)
        because, used = weighed.because, dict[tuple[str, ...], bytes]()
        terms = [
            (used.get(names) or _used(used, facts, names)) + rest
            for names, rest in (*standing.terms, *outcome.terms)
        ]
        members = (
            canonical_json([because_json(b) for b in because]) if because else b"[]",
            _FLAGS[weighed.eligible],
            canonical_json(weighed.fault.value),
            canonical_json(self._policy.law_data(facts)),
            standing.resolutions,
            b"[" + b",".join(terms) + b"]",
            canonical_json(weighed.tier),
        )
        found = [part for pair in zip(outcome.between, members, strict=False) for part in pair]
        return b"".join((*found, outcome.between[-1]))

    def _outcome(self, facts: Facts, weighed: Weighed) -> _OutcomeParts:
        key = (id(weighed.outcome), weighed.standing.by_judgement)
        known = self._outcomes.get(key)
        if known is None:
            if len(self._outcomes) >= REMEMBERED:
                self._outcomes.clear()
            whole = decision_to_json(self._policy.decision(weighed, facts))
            parts = _OutcomeParts(weighed.outcome, _between(whole), _terms(weighed.outcome.terms))
            known = self._outcomes[key] = parts
        return known

    def _standing(self, standing: Standing) -> _StandingParts:
        known = self._standings.get(id(standing))
        if known is None:
            if len(self._standings) >= REMEMBERED:
                self._standings.clear()
            resolutions = canonical_json([resolution_json(r) for r in standing.resolutions])
            parts = _StandingParts(standing, resolutions, _terms(standing.terms))
            known = self._standings[id(standing)] = parts
        return known


def _between(whole: Mapping[str, object]) -> tuple[bytes, ...]:
    """The canonical bytes of ``whole``, cut where the members of ``_OF_CASE`` stand."""
    cut, first = [b"{"], True
    for name in sorted(whole):
        cut[-1] += (b"" if first else b",") + canonical_json(name) + b":"
        first = False
        if name in _OF_CASE:
            cut.append(b"")
        else:
            cut[-1] += canonical_json(whole[name])
    return (*cut[:-1], cut[-1] + b"}")


def _terms(terms: tuple[Term, ...]) -> _Terms:
    """``facts`` is the first member of a term; all behind it is the same for every case."""
    return tuple((tuple(sorted(term.facts)), b"," + _without_facts(term)[1:]) for term in terms)


def _without_facts(term: Term) -> bytes:
    data = term_json(term, {})
    del data["facts"]
    return canonical_json(data)


def _used(known: dict[tuple[str, ...], bytes], facts: Facts, names: tuple[str, ...]) -> bytes:
    """The beginning of a term that used these facts."""
    parts = []
    for name in names:
        one = known.get((name,))
        if one is None:
            one = known[name,] = b'{"facts":{"%s":%s}' % (name.encode(), _value(facts, name))
        parts.append(one[len(_FACTS) : -1])
    known[names] = found = _FACTS + b",".join(parts) + b"}"
    return found


def _value(facts: Facts, name: str) -> bytes:
    value = fact_of(facts, name)
    if value is None:
        return b"null"
    if isinstance(value, int):
        return _FLAGS[value] if isinstance(value, bool) else b"%d" % value
    return canonical_json(value)


_FLAGS: Final = (b"false", b"true")
