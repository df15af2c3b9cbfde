"""Shapes of store credit."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from returns_api.api.schemas.base import (
    CreditMovementId,
    In,
    KeyId,
    LedgerEntryId,
    Moment,
    OrderId,
    Out,
    PositiveMinor,
    ShortText,
    StoreCreditId,
    example,
    example_id,
)
from returns_api.api.schemas.refunds import Reference

_LOT: Final = {
    "kind": "goodwill",
    "remaining": 2500,
    "expires_at": "2027-11-22T23:00:00Z",
    "issued_at": "2026-11-22T09:12:44Z",
}
_CREDIT: Final = {
    "store_credit": example_id("sc"),
    "holder": "customer",
    "currency": "EUR",
    "balance": 2500,
    "lots": [_LOT],
    "sequence": 3,
    "created_at": "2026-11-22T09:12:44Z",
    "updated_at": "2026-11-22T10:30:00Z",
    "movements": f"/v1/store-credits/{example_id('sc')}/movements",
}
_MOVEMENT: Final = {
    "movement": example_id("scm"),
    "store_credit": example_id("sc"),
    "no": 3,
    "kind": "spent",
    "amount": -1500,
    "balance": 2500,
    "currency": "EUR",
    "of": None,
    "expires_at": None,
    "order": None,
    "undoes": None,
    "can_come_back": 1500,
    "client_reference": "checkout-4711",
    "reference": "#1002",
    "ledger_entry": example_id("le"),
    "at": "2026-11-22T10:30:00Z",
    "actor": "agent",
    "actor_key": example_id("key"),
}


class LotOut(Out):
    """Credit that was issued at one time."""

    kind: str = Field(description="`refund` was owed; `goodwill` and `bonus` were not.")
    remaining: int = Field(description="Minor units.")
    expires_at: Moment | None = Field(description="The first moment after its last day.")
    issued_at: Moment


class StoreCreditOut(Out):
    """What a person can spend in the shop, in one currency."""

    model_config = example(_CREDIT)

    store_credit: StoreCreditId
    holder: str = Field(
        description=(
            "How the person is known: the platform's `customer`, an `email` address, an `order`"
            " alone, or `nobody` any more."
        )
    )
    currency: str
    balance: int = Field(description="Minor units; never below zero.")
    lots: list[LotOut] = Field(description="What has something left, in the order of use.")
    sequence: int
    created_at: Moment
    updated_at: Moment
    movements: str


class StoreCreditsOut(Out):
    items: list[StoreCreditOut]
    next_cursor: str | None


class CreditMovementOut(Out):
    """One thing that happened to an account; each is one entry of the ledger."""

    model_config = example(_MOVEMENT)

    movement: CreditMovementId
    store_credit: StoreCreditId
    no: int = Field(description="Without gaps in the account; the `sequence` of its event.")
    kind: str = Field(
        description="`issued`, `bonus`, `spent`, `given_back`, `expired` or `recovered`."
    )
    amount: int = Field(description="Minor units; below zero for what was taken.")
    balance: int = Field(description="After it.")
    currency: str
    of: str | None = Field(description="The kind of the lot that was issued or expired.")
    expires_at: Moment | None = Field(description="That lot's.")
    order: OrderId | None
    undoes: CreditMovementId | None = Field(description="The debit that came back.")
    can_come_back: int | None = Field(description="Of a debit: what was not undone yet.")
    client_reference: str | None
    reference: str | None
    ledger_entry: LedgerEntryId
    at: Moment
    actor: str
    actor_key: KeyId | None


class CreditMovementsOut(Out):
    items: list[CreditMovementOut]
    next_cursor: str | None


class DebitIn(In):
    """A purchase that is paid with store credit."""

    model_config = example(
        {"amount": 1500, "client_reference": "checkout-4711", "reference": "#1002"}
    )

    amount: PositiveMinor = Field(description="Minor units of the account's currency.")
    client_reference: Reference | None = Field(
        None, description="Your own id; it makes at most one debit, for ever."
    )
    reference: ShortText | None = Field(
        None, description="What was bought, such as your order's number. No personal data."
    )


class ReversalIn(In):
    """A purchase that is undone."""

    model_config = example({"amount": 500, "reference": "#1002 canceled in part"})

    amount: PositiveMinor | None = Field(
        None, description="Minor units; left out: all that did not come back yet."
    )
    reference: ShortText | None = Field(None, description="Why. No personal data.")


class RecoveryIn(In):
    """What the buyer owes the shop."""

    model_config = example({"amount": 4000, "reference": "empty parcel, case 77"})

    amount: PositiveMinor = Field(description="Minor units; taken as far as the credit goes.")
    reference: ShortText | None = Field(None, description="For what. No personal data.")


class RecoveryOut(Out):
    """What was taken and what is still owed; together they are what was asked."""

    model_config = example(
        {
            "taken": 2500,
            "owed": 1500,
            "movement": _MOVEMENT
            | {"kind": "recovered", "amount": -2500, "balance": 0, "can_come_back": None},
        }
    )

    taken: int
    owed: int
    movement: CreditMovementOut | None = Field(description="Null where nothing was there.")
