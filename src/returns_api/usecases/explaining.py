"""What a policy makes of one case, and why: for whoever writes it, before anybody is judged by it.

Owns the whole answer for one case (decision, sentences, smallest changes), for the API and for the
command line alike. Refuses to own the decision itself (``domain.policy``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from returns_api.db import policies as rows
from returns_api.domain.errors import Invalid
from returns_api.domain.policy import Facts, Policy, compile_policy, decision_to_json, load_policy
from returns_api.domain.policy.explain import Explainer, because_text
from returns_api.domain.policy.texts import language_of
from returns_api.domain.policy.vocabulary import Grade
from returns_api.usecases._policies import compiled_beside
from returns_api.usecases._policy_versions import found
from returns_api.usecases.context import Context
from returns_api.usecases.policies import policy_in_force


@dataclass(frozen=True, slots=True)
class Explained:
    """One case judged. ``version_id`` is None for a text that is not stored."""

    version_id: UUID | None
    language: str
    facts: dict[str, Any]
    decision: dict[str, Any]
    because: list[dict[str, Any]]
    flips_if: list[dict[str, Any]]
    signals: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The parts that do not depend on where the policy lies."""
        return {
            "language": self.language,
            "eligible": self.decision["eligible"],
            "because": self.because,
            "flips_if": self.flips_if,
            "signals": self.signals,
            "decision": self.decision,
            "facts": self.facts,
        }


def read_facts(data: Mapping[str, Any]) -> Facts:
    """Facts as somebody wrote them. Raises ``Invalid`` naming the first bad one."""
    facts = Facts.from_json(data)
    if facts.condition is not None and facts.condition not in {grade.value for grade in Grade}:
        known = ", ".join(grade.value for grade in Grade)
        detail = f"The fact condition is not one of: {known}."
        raise Invalid(detail, errors=[{"field": "facts.condition", "message": detail}])
    return facts


def explain_case(
    policy: Policy, facts: Facts, locale: str, version_id: UUID | None = None
) -> Explained:
    """Decide one case and say why and what would turn it, in the language of ``locale``. Pure."""
    decision = policy.decide(facts)
    flips = Explainer(policy).flips(facts, decision, locale)
    return Explained(
        version_id,
        language_of(locale),
        facts.to_json(),
        decision_to_json(decision),
        [
            {"code": b.code, "rule": b.rule, "text": because_text(policy, b, locale)}
            for b in decision.because
        ],
        [flip.as_json() for flip in flips],
        list(policy.signals.told(facts.buyer, facts.currency)),
    )


async def explain_asked(
    ctx: Context,
    shop: UUID,
    *,
    source: str | None,
    version_id: UUID | None,
    facts: Mapping[str, Any],
    locale: str,
) -> Explained:
    """The case under a text, a version of the shop, or (neither given) the policy in force.

    Raises:
        Invalid: a fact that is none.
        PolicyInvalid: the text cannot be read.
        NotFound: no such version, or nothing is in force.
        Unavailable: too much waits already.
    """
    case = read_facts(facts)
    if source is not None:
        return await ctx.beside.run(lambda: explain_case(_read(source), case, locale))
    if version_id is None:
        row, policy = await policy_in_force(ctx, shop)
    else:
        async with ctx.database.transaction(shop) as tx:
            row = found(await rows.by_id(tx, version_id, ctx.policies.keys()))
        policy = await compiled_beside(ctx, row)
    return await ctx.beside.run(partial(explain_case, policy, case, locale, row["id"]))


def _read(source: str) -> Policy:
    return compile_policy(load_policy(source))
