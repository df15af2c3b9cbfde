"""Shapes of the books and of audits."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from returns_api.api.schemas.base import (
    AuditId,
    In,
    KeyId,
    LedgerEntryId,
    Moment,
    OrderId,
    Out,
    example,
    example_id,
)
from returns_api.api.schemas.runs import RunState

_POSTING: Final = {
    "rule": "transfer_succeeded",
    "debit": "reserved",
    "debit_of": example_id("pay"),
    "credit": "clearing",
    "credit_of": example_id("pay"),
    "amount": 3000,
    "currency": "EUR",
}
_ENTRY: Final = {
    "id": example_id("le"),
    "fact": "transfer_moved",
    "source": example_id("trf"),
    "order": example_id("ord"),
    "at": "2026-11-22T09:12:44Z",
    "actor": "system",
    "actor_key": None,
    "position": 4711,
    "seal": "cc21f94f90265909c3efbf9153ed07125b54e48a6fe2c3bd484ad427bb24b085",
    "postings": [_POSTING],
}
_BALANCE: Final = {"account": "clearing", "currency": "EUR", "balance": 841000}
_AUDIT: Final = {
    "id": example_id("aud"),
    "state": "succeeded",
    "total": 48210,
    "done": 48210,
    "breaches": 0,
    "position": 9120,
    "seal": "cc21f94f90265909c3efbf9153ed07125b54e48a6fe2c3bd484ad427bb24b085",
    "failure": None,
    "created_at": "2026-11-22T09:12:44Z",
    "finished_at": "2026-11-22T09:13:10Z",
}
_FINDING: Final = {
    "invariant": "N2",
    "check": "payment counters",
    "subject": "0192f0c1-2d3e-7a4b-8c5d-000000000001",
    "detail": {"reserved": 100, "held": 0},
}


class PostingOut(Out):
    """One amount from the credited account to the debited one."""

    model_config = example(_POSTING)

    rule: str = Field(description="The rule that made it; docs/ledger.md lists all.")
    debit: str
    debit_of: str | None = Field(description="Whose account it is: an order, a payment.")
    credit: str
    credit_of: str | None
    amount: int = Field(description="Minor units, above zero.")
    currency: str


class LedgerEntryOut(Out):
    """One fact with all its postings. Never changed; `seal` follows within seconds."""

    model_config = example(_ENTRY)

    id: LedgerEntryId
    fact: str
    source: str = Field(description="The thing whose fact it is.")
    order: OrderId | None
    at: Moment
    actor: str
    actor_key: KeyId | None
    position: int | None = Field(description="Its place in the shop's chain.")
    seal: str | None = Field(description="SHA-256 over itself and the seal before, in hex.")
    postings: list[PostingOut]


class LedgerEntriesOut(Out):
    """A page of entries, newest first."""

    model_config = example({"items": [_ENTRY], "next_cursor": None})

    items: list[LedgerEntryOut]
    next_cursor: str | None


class BalanceOut(Out):
    """Debits less credits: above zero the shop has it, below it owes it."""

    model_config = example(_BALANCE)

    account: str
    currency: str
    balance: int = Field(description="Minor units, with its sign.")


class BalancesOut(Out):
    """Every account at one time. The balances of one currency add up to zero."""

    model_config = example({"at": "2026-11-22T00:00:00Z", "items": [_BALANCE]})

    at: Moment | None = Field(description="The time that was asked for; null is now.")
    items: list[BalanceOut]


class AuditIn(In):
    """What is audited: the whole shop."""

    model_config = example({"scope": "shop"})

    scope: Literal["shop"] = "shop"


class AuditOut(Out):
    """How far an audit is. `total` may be passed: things go on while it looks."""

    model_config = example(_AUDIT)

    id: AuditId
    state: RunState = Field(description="`succeeded` says that it came to its end, see breaches.")
    total: int = Field(description="Orders, events and sealed entries when it began.")
    done: int
    breaches: int
    position: int = Field(description="How many entries the chain had.")
    seal: str | None = Field(
        description="Its last seal, in hex: keep it elsewhere, and nothing before it can change."
    )
    failure: str | None
    created_at: Moment
    finished_at: Moment | None


class FindingOut(Out):
    """One breach: which promise, on which row, and the figures that contradict each other."""

    model_config = example(_FINDING)

    invariant: str
    check: str
    subject: str
    detail: dict[str, Any]


class AuditDetailOut(AuditOut):
    """An audit with what it found so far."""

    model_config = example(
        {**_AUDIT, "breaches": 1, "counts": {"N2 payment counters": 1}, "findings": [_FINDING]}
    )

    counts: dict[str, int] = Field(description="Breaches by check.")
    findings: list[FindingOut] = Field(description="The first 200.")


class AuditsOut(Out):
    """A page of audits, newest first, without what they found."""

    model_config = example({"items": [_AUDIT], "next_cursor": None})

    items: list[AuditOut]
    next_cursor: str | None
