"""Decisions that a history recorded, taken at their word.

Owns the way from a decision's JSON form (``policy explain --json``, or a stored decision) back to
what a back-test compares. Refuses to own whether the decision was right: whoever wants it made
again gives the policy instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from returns_api.domain.backtests.history import PastLine
from returns_api.domain.errors import Invalid
from returns_api.domain.policy import Weighed
from returns_api.domain.policy.decisions import (
    Advance,
    Approval,
    Because,
    Deadlines,
    Evidence,
    ExchangeFirst,
    Freight,
    Insurance,
    Keep,
    Method,
    RefundDue,
    Resolution,
)
from returns_api.domain.policy.offers import Plan, Standing
from returns_api.domain.policy.outcome import Outcome
from returns_api.domain.policy.term_values import DEFAULT_STARTS
from returns_api.domain.policy.vocabulary import Grade, RefundAt
from returns_api.domain.reasons import Fault

KNOWN_MAX: Final = 4_096
"""Outcomes that are kept, so that equal ones are one object."""
NOT_RECORDED: Final = "no decision is recorded; name the policy to compare with"

_OF_OUTCOME: Final = (
    "methods", "freight", "restocking_ppm", "refund_original_shipping", "evidence", "approval",
    "deadlines", "refund_at", "refund_due", "grades", "advance", "exchange_first",
    "insurance", "keep", "send_to", "law",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Reason:
    code: str
    rule: str | None
    args: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Read:
    """The JSON form of a decision; the explanation of its terms is left out."""

    fault: Fault
    tier: str
    because: tuple[_Reason, ...]
    resolutions: tuple[Resolution, ...]
    methods: tuple[Method, ...]
    freight: Freight
    restocking_ppm: int
    refund_original_shipping: bool
    evidence: tuple[Evidence, ...]
    approval: Approval
    deadlines: Deadlines
    refund_at: RefundAt
    refund_due: tuple[RefundDue, ...]
    grades: dict[Grade, int | None]
    advance: Advance | None
    insurance: Insurance | None
    keep: Keep
    send_to: str
    law: tuple[str, ...]
    exchange_first: ExchangeFirst | None = None


_READER: Final = TypeAdapter(_Read)
_NO_PLAN: Final = Plan(DEFAULT_STARTS, ())


class Recorded:
    """Reads recorded decisions; equal outcomes become the same object, as in a policy."""

    def __init__(self) -> None:
        self._known: dict[bytes, Outcome] = {}

    def weighed(self, line: PastLine) -> Weighed:
        """What was decided about a line. Raises ``Invalid``: nothing, or nothing readable, is."""
        if line.decision is None:
            raise _invalid(NOT_RECORDED)
        try:
            read = _READER.validate_json(orjson.dumps(line.decision), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise _invalid(f"decision.{where}: {first['msg']}"[:300]) from None
        because = tuple(
            Because(b.code, b.rule, tuple(sorted(b.args.items()))) for b in read.because
        )
        standing = Standing(read.resolutions, (), because)
        return Weighed(self._outcome(line.decision, read), standing, read.fault, read.tier)

    def _outcome(self, decision: Mapping[str, Any], read: _Read) -> Outcome:
        parts = {name: decision.get(name) for name in _OF_OUTCOME}
        key = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            found = self._known[key] = _outcome(read)
        return found


def _outcome(read: _Read) -> Outcome:
    return Outcome(
        refusal=None,
        refused_conditions=frozenset(),
        plan=_NO_PLAN,
        remarks=(),
        terms=(),
        setters={},
        judged_approval=read.approval,
        **{name: getattr(read, name) for name in _OF_OUTCOME},
    )


def _invalid(problem: str) -> Invalid:
    return Invalid(problem, errors=[{"field": "history", "problem": problem}])
