"""What an audit looks for and what it tells: the promises about money, one by one.

N1 nothing reserved beyond what was captured · N2 counters are the sums of their rows · N5 no unit
claimed twice or before it was shipped · N6 the ledger agrees with the rows, each posting with its
rule · N7 every transition is in the lifecycle table, has an actor, one event, and one delivery per
endpoint that asked · N8 at most one try in flight · N9 nothing waits that nobody will look at ·
N10 the chain over the ledger holds · N11 nothing hangs in the air.

Owns the judgements that need more than a query: which transitions a lifecycle allows, which state
transfers add up to, what a chain must be. Refuses to own the queries (``db.audit_checks``). N3 and
N4 compare with the provider's books; reconciliation does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from returns_api.domain.ledger import RULES, canonical, digest_of
from returns_api.domain.lifecycle.advances import ADVANCE, RECOVERY
from returns_api.domain.lifecycle.machine import Machine
from returns_api.domain.lifecycle.refunds import REFUND, TRANSFER, refund_state
from returns_api.domain.lifecycle.returns import RETURN
from returns_api.domain.lifecycle.shipments import SHIPMENT

FINDINGS_MAX: Final = 200
"""Findings that a report names; all are counted."""

_MACHINES: Final[Mapping[str, Machine]] = {
    "return": RETURN,
    "shipment": SHIPMENT,
    "advance": ADVANCE,
    "recovery": RECOVERY,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach: of which promise, on which row, and the figures that contradict each other."""

    invariant: str
    check: str
    subject: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """``N2 payment counters: {…}``, for people and proofs."""
        return f"{self.invariant} {self.check}: {self.subject} {dict(self.detail)}"

    def as_json(self) -> dict[str, Any]:
        return {
            "invariant": self.invariant,
            "check": self.check,
            "subject": self.subject,
            "detail": dict(self.detail),
        }


@dataclass(slots=True)
class Tally:
    """What an audit found so far: all counted by check, the first ``FINDINGS_MAX`` kept."""

    counts: dict[str, int] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def add(self, found: Iterable[Finding]) -> None:
        for one in found:
            name = f"{one.invariant} {one.check}"
            self.counts[name] = self.counts.get(name, 0) + 1
            if len(self.findings) < FINDINGS_MAX:
                self.findings.append(one.as_json())

    @property
    def breaches(self) -> int:
        return sum(self.counts.values())

    def to_json(self) -> dict[str, Any]:
        return {"counts": self.counts, "findings": self.findings}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Tally:
        return Tally(dict(data["counts"]), list(data["findings"]))


def wrong_steps(steps: Iterable[Any]) -> Iterator[Finding]:
    """Transitions that no lifecycle table has. A step has kind, id, before, state and, of
    a refund, whether one transfer ``alone`` covers it."""
    for step in steps:
        before, after, kind = step["before"], step["state"], step["kind"]
        if before is None or before == after:
            continue
        if kind == "refund":
            # Several transfers are derived into one state, of which no table tells the order; nor
            # does one when a part of the refund stays uncovered.
            fine = not step["alone"] or _refund_may(before, after)
        else:
            fine = _may(_MACHINES[kind], before, after)
        if not fine:
            yield Finding("N7", f"{kind} step", str(step["id"]), {"from": before, "to": after})


_BEFORE_A_TRY: Final = ("sending", "queued", "unknown")
"""What a transfer that is being sent may have been: a try begins in the transfer's row alone, and
the refund's row learns of it with its outcome."""


def wrong_refund_states(refunds: Iterable[Any]) -> Iterator[Finding]:
    """Refunds whose state is not what their transfers add up to. A row has id, state, amount_minor,
    given_up, and the transfers' states and amounts."""
    for row in refunds:
        derived = [
            refund_state(
                [
                    (before if state == "sending" else state, amount)
                    for state, amount in zip(row["states"], row["amounts"], strict=True)
                ],
                row["amount_minor"],
                given_up=row["given_up"],
            )
            for before in _BEFORE_A_TRY
        ]
        if row["state"] not in derived:
            told = {"state": row["state"], "derived": derived[0]}
            yield Finding("N2", "refund state", str(row["id"]), told)


@dataclass(slots=True)
class ChainCheck:
    """A walk along a shop's chain: where it is and the seal that the next entry must follow."""

    position: int
    digest: bytes
    anchors: Mapping[int, bytes] = field(default_factory=dict)
    """Seals that earlier audits saw, by position: they must still be there."""

    def walk(
        self, entries: Sequence[Any], postings: Mapping[UUID, Sequence[Any]]
    ) -> Iterator[Finding]:
        """Check sealed entries that follow; goes on behind a breach as if it had not been."""
        for entry in entries:
            own, expected = postings.get(entry["id"], ()), self.position + 1
            name = str(entry["id"])
            if entry["position"] != expected:
                told = {"missing": expected, "next": entry["position"]}
                yield Finding("N10", "chain gap", name, told)
            written = canonical(entry["position"], entry, own)
            if digest_of(self.digest, written) != entry["digest"]:
                yield Finding("N10", "chain seal", name, {"position": entry["position"]})
            if self.anchors.get(entry["position"], entry["digest"]) != entry["digest"]:
                yield Finding("N10", "chain rewritten", name, {"position": entry["position"]})
            yield from _wrong_postings(entry, own)
            self.position, self.digest = entry["position"], entry["digest"]

    def end(self) -> Iterator[Finding]:
        """What earlier audits saw behind the end."""
        last = max(self.anchors, default=0)
        if last > self.position:
            told = {"last": self.position, "seen": last}
            yield Finding("N10", "chain cut off", str(last), told)


def _wrong_postings(entry: Any, postings: Sequence[Any]) -> Iterator[Finding]:
    if not postings:
        yield Finding("N6", "entry without postings", str(entry["id"]), {"fact": entry["fact"]})
    for posting in postings:
        rule = RULES.get(posting["rule"])
        if rule is None or (posting["debit"], posting["credit"]) != (rule.debit, rule.credit):
            told = {name: posting[name] for name in ("no", "rule", "debit", "credit")}
            yield Finding("N6", "posting not of its rule", str(entry["id"]), told)


_PERSONS: Final = replace(
    REFUND, rules={at: rule for at, rule in REFUND.rules.items() if at[1] != "follow"}
)
"""What a person may do with a refund; to follow its transfers is nobody's decision."""


def _may(machine: Machine, before: str, after: str) -> bool:
    return any(state == before and after in rule.to for (state, _), rule in machine.rules.items())


def _refund_may(before: str, after: str) -> bool:
    """A refund of one transfer follows it (``sending`` is not announced), or a person decides what
    no transfer can: a failed one stays failed when its refund is given up."""
    start = "on_hold" if before == "requested" else before
    direct = _may(TRANSFER, start, after) or _may(_PERSONS, before, after)
    return direct or (_may(TRANSFER, start, "sending") and _may(TRANSFER, "sending", after))
