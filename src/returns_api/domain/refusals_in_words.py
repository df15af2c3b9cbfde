"""Why a line may not come back, and what would have to be otherwise: as data and as sentences."""

from __future__ import annotations

from typing import Any

from returns_api.domain.policy import Decision, Policy, texts
from returns_api.domain.policy.explain import Explainer, because_text


def not_offered_in_words(resolution: str, locale: str) -> dict[str, Any]:
    """That a line may come back, and not for this."""
    language = texts.language_of(locale)
    name = texts.say(f"resolution.{resolution}", language)
    return {
        "code": "resolution_not_offered",
        "rule": None,
        "args": {"resolution": resolution},
        "text": texts.say("because.resolution_not_offered", language, resolution=name),
    }


def reasons_in_words(policy: Policy, decision: Decision, locale: str) -> list[dict[str, Any]]:
    """Why a line may not come back, as data and as a sentence in the buyer's language."""
    return [
        {
            "code": because.code,
            "rule": because.rule,
            "args": dict(because.args),
            "text": because_text(policy, because, locale),
        }
        for because in decision.because
    ]


def flips_in_words(
    explainer: Explainer, decision: Decision, locale: str, wanted: str = "eligible"
) -> list[dict[str, Any]]:
    """The smallest changes that would turn a refusal, as data and as sentences.

    For what may come back in another way, ``wanted`` is the target that was missed.
    """
    flips = explainer.flips(decision.facts, decision, locale)
    return [flip.as_json() for flip in flips if flip.target in {"eligible", wanted}]
