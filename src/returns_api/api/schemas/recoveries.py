"""Shapes of recoveries: what of an advance has to come back, and what was done about it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.base import (
    CreditMovementId,
    ExchangeId,
    In,
    LongText,
    Moment,
    NoBool,
    OrderId,
    Out,
    PositiveMinor,
    RecoveryId,
    RefundId,
    ReturnId,
    StoreCreditId,
    example,
    example_id,
)
from returns_api.api.schemas.refunds import Binding, Reference

PAY_DAYS_MAX = 365

_RCV = example_id("rcv")


class RecoveryRequestIn(In):
    """Until when the buyer is to pay."""

    model_config = example({"pay_within_days": 14})

    pay_within_days: Annotated[int, Field(ge=1, le=PAY_DAYS_MAX), NoBool] = 14


class RecoveryPaymentIn(In):
    """Evidence that the buyer paid."""

    model_config = example({"amount": 4000, "reference": "pi_3NExample", "note": "Payment link"})

    amount: PositiveMinor | None = Field(
        None, description="Minor units; left out: all that is open."
    )
    reference: Reference = Field(
        description="The payment's id at your provider or bank; it counts once, for ever."
    )
    note: LongText | None = None


class RecoveryDebitIn(In):
    """Which store credit of the buyer pays."""

    model_config = example({"store_credit": example_id("sc"), "amount": 4000})

    store_credit: StoreCreditId
    amount: PositiveMinor | None = Field(
        None, description="Minor units; left out: all that is open, as far as the credit goes."
    )


class RecoveryGivingUpIn(In):
    """What is given up, and why."""

    model_config = example({"amount": 5510, "note": "Two reminders, no answer."})

    amount: PositiveMinor | None = Field(
        None, description="Minor units; left out: all that is open."
    )
    note: LongText


class RecoveryApprovalIn(In):
    """What the second person saw."""

    model_config = example({"binding": "9f" * 32})

    binding: Binding = Field(description="`approval.binding` of the recovery.")


class RecoveryApprovalOut(Out):
    """What waits for a second person."""

    action: str = Field(description="`write_off` or `waive`.")
    amount: int = Field(description="Minor units.")
    note: str | None
    binding: str = Field(description="Send this to approve.")


class RecoveryStepOut(Out):
    """One thing that was done; never changed afterwards."""

    kind: str = Field(
        description="`paid`, `debited` (from store credit), `written_off`, `waived`, `cleared`"
        " (goods came after all), or `write_off_undone` and `waiver_undone` by them."
    )
    amount: int = Field(description="Minor units.")
    reference: str | None
    movement: CreditMovementId | None = Field(description="Of the store credit that paid it.")
    note: str | None
    actor: str
    at: Moment


class AdvanceRecoveryOut(Out):
    model_config = example(
        {
            "recovery": _RCV,
            "return": example_id("ret"),
            "order": example_id("ord"),
            "refund": example_id("ref"),
            "exchange": None,
            "state": "requested",
            "cause": "not_returned",
            "amount": 9510,
            "open": 5510,
            "paid": 4000,
            "written_off": 0,
            "waived": 0,
            "cleared": 0,
            "currency": "EUR",
            "pay_by": "2026-12-05T10:00:00Z",
            "approval": None,
            "sequence": 3,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-23T10:00:00Z",
            "closed_at": None,
            "steps": [
                {
                    "kind": "paid",
                    "amount": 4000,
                    "reference": "pi_3NExample",
                    "movement": None,
                    "note": None,
                    "actor": "finance",
                    "at": "2026-11-23T10:00:00Z",
                }
            ],
            "actions": [
                {
                    "action": "pay",
                    "method": "POST",
                    "href": f"/v1/recoveries/{_RCV}/payments",
                    "until": "2026-12-05T10:00:00Z",
                    "on_silence": "open",
                }
            ],
        }
    )

    recovery: RecoveryId
    return_: ReturnId = Field(alias="return")
    order: OrderId
    refund: RefundId | None = Field(
        description="The refund that paid it in advance; null where it was goods: see `exchange`."
    )
    exchange: ExchangeId | None = Field(
        description="The exchange whose new goods went before the old ones came; null for money."
    )
    state: str
    cause: str = Field(description="`not_returned`, `worth_less` or `lost` (by the carrier).")
    amount: int = Field(description="Minor units; the sum of what follows.")
    open: int
    paid: int
    written_off: int
    waived: int
    cleared: int = Field(description="Covered by goods that came after all.")
    currency: str
    pay_by: Moment | None
    approval: RecoveryApprovalOut | None
    sequence: int
    created_at: Moment
    updated_at: Moment
    closed_at: Moment | None
    steps: list[RecoveryStepOut]
    actions: list[ActionOut]


class RecoveriesOut(Out):
    items: list[AdvanceRecoveryOut]
    next_cursor: str | None
