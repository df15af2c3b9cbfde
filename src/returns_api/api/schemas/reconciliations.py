"""Shapes of reconciliations and what they found."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    DifferenceId,
    In,
    Moment,
    OrderId,
    Out,
    PaymentId,
    ReconciliationId,
    RefundId,
    Storable,
    TextFormat,
    TransferId,
    example,
    example_id,
)
from returns_api.api.schemas.connections import SLUG
from returns_api.api.schemas.runs import RunState
from returns_api.api.schemas.times import MomentIn
from returns_api.domain.reconciliations import Difference, Proposal

STATEMENT_MAX: Final = 900_000
"""Characters of a settlement file in one request; a longer one is sent in parts."""

_RUN: Final[dict[str, Any]] = {
    "id": example_id("rcn"),
    "source": "stripe",
    "origin": "provider",
    "whole": True,
    "since": "2026-10-17T09:12:44Z",
    "until": "2026-11-21T09:12:44Z",
    "state": "succeeded",
    "total": 4821,
    "done": 4821,
    "unmatched": 17,
    "failure": None,
    "created_at": "2026-11-21T09:12:44Z",
    "finished_at": "2026-11-21T09:13:05Z",
}
_COUNT: Final = {
    "subject": "refund",
    "kind": "missing_here",
    "proposal": "record_fact",
    "applied": True,
    "count": 2,
}
_DIFFERENCE: Final[dict[str, Any]] = {
    "id": example_id("dif"),
    "subject": "refund",
    "kind": "missing_here",
    "order": example_id("ord"),
    "payment": example_id("pay"),
    "refund": None,
    "transfer": None,
    "external_id": "re_3Q0aXkLkdIwHu7ix",
    "ours": None,
    "theirs": {
        "amount": 1299,
        "currency": "EUR",
        "state": "succeeded",
        "at": "2026-11-20T17:03:11+00:00",
    },
    "proposal": "record_fact",
    "applied": True,
    "created_at": "2026-11-21T09:12:51Z",
}
_STATEMENT: Final = (
    "kind,id,payment,reference,amount,currency,status,at\n"
    "refund,8835J,8515B,,1299,EUR,succeeded,2026-11-20T17:03:11Z\n"
)

Slug = Annotated[str, StringConstraints(pattern=SLUG)]
Statement = Annotated[
    str,
    StringConstraints(min_length=1, max_length=STATEMENT_MAX),
    Storable,
    TextFormat("settlement-csv"),
]


class ReconciliationIn(In):
    """Which account's list is to be compared."""

    model_config = example({"source": "stripe", "since": "2026-10-17T00:00:00Z"})

    source: Slug = Field(description="The connection's slug.")
    since: MomentIn | None = Field(None, description="Left out: the last 35 days.")


class StatementIn(In):
    """A settlement file to compare with."""

    model_config = example(
        {
            "source": "stripe",
            "statement": _STATEMENT,
            "since": "2026-11-20T00:00:00Z",
            "until": "2026-11-21T00:00:00Z",
        }
    )

    source: Slug = Field(description="The connection's slug.")
    statement: Statement = Field(
        description=(
            "CSV with the columns kind (refund, dispute), id, payment, reference, amount (minor"
            " units), currency, status (pending, requires_action, succeeded, failed, canceled;"
            " open, lost, won) and at; further columns are ignored."
        )
    )
    since: MomentIn | None = Field(
        None,
        description=(
            "The file holds everything from then on: what we have and it lacks is a difference."
            " Left out: only its own rows are compared."
        ),
    )
    until: MomentIn | None = Field(None, description="To then; left out: to now.")


class ReconciliationOut(Out):
    """How far a reconciliation is."""

    model_config = example(_RUN)

    id: ReconciliationId
    source: str
    origin: str = Field(description="sweep, provider or statement.")
    whole: bool = Field(description="Ours without a counterpart is looked for too.")
    since: Moment
    until: Moment
    state: RunState
    total: int = Field(description="Movements in the other book, as far as it was read.")
    done: int = Field(description="Of these compared.")
    unmatched: int = Field(description="Of these about payments of no order of ours.")
    failure: str | None
    created_at: Moment
    finished_at: Moment | None


class DifferenceCountOut(Out):
    """How many differences of one sort."""

    model_config = example(_COUNT)

    subject: str = Field(description="refund or dispute.")
    kind: Difference
    proposal: Proposal
    applied: bool
    count: int


class ReconciliationDetailOut(ReconciliationOut):
    """A reconciliation with its report."""

    model_config = example({**_RUN, "report": [_COUNT]})

    report: list[DifferenceCountOut]


class ReconciliationsOut(Out):
    """A page of reconciliations, newest first."""

    model_config = example({"items": [_RUN], "next_cursor": None})

    items: list[ReconciliationOut]
    next_cursor: str | None


class SideOut(Out):
    """One book's word on a movement."""

    amount: int = Field(description="Minor units.")
    currency: str
    state: str
    at: str | None


class DifferenceOut(Out):
    """One movement on which the books differ, and what is to be done about it."""

    model_config = example(_DIFFERENCE)

    id: DifferenceId
    subject: str = Field(description="refund or dispute.")
    kind: Difference
    order: OrderId | None
    payment: PaymentId | None
    refund: RefundId | None
    transfer: TransferId | None
    external_id: str | None = Field(description="The provider's id of the movement.")
    ours: SideOut | None
    theirs: SideOut | None
    proposal: Proposal
    applied: bool = Field(description="It was done already, as the provider's webhook would.")
    created_at: Moment


class DifferencesOut(Out):
    """A page of differences, newest first."""

    model_config = example({"items": [_DIFFERENCE], "next_cursor": None})

    items: list[DifferenceOut]
    next_cursor: str | None
