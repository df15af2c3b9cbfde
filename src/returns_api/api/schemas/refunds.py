"""Shapes of refunds and their movements of money."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from returns_api.api.schemas.actions import ActionOut
from returns_api.api.schemas.base import (
    In,
    KeyId,
    LongText,
    Minor,
    Moment,
    OrderId,
    Out,
    PaymentId,
    PositiveMinor,
    RefundId,
    ReturnId,
    Storable,
    StoreCreditId,
    TransferId,
    example,
    example_id,
)

Binding = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]
_REF, _ORD = example_id("ref"), example_id("ord")


class RefundIn(In):
    """A refund outside a return: an amount, or all that is left. It uses up no unit of a line."""

    model_config = example(
        {
            "order": _ORD,
            "amount": 2000,
            "client_reference": "case-4711",
            "reason": "Late delivery",
            "expected_refundable": 8900,
        }
    )

    order: OrderId
    amount: PositiveMinor | None = Field(
        None, description="Minor units of the payment's currency; left out: all that is left."
    )
    kind: Literal["manual", "goodwill"] = Field(
        "manual", description="`goodwill` is a present; `manual` is owed."
    )
    to: Literal["payments", "store_credit"] = Field(
        "payments",
        description=(
            "`store_credit` pays at once. `manual` still draws on the order's payments;"
            " `goodwill` draws on none."
        ),
    )
    buyer_agreed: bool = Field(
        False, description="What is owed becomes store credit only if the buyer agreed to it."
    )
    client_reference: Reference | None = Field(
        None, description="Your own id; it makes at most one refund, for ever."
    )
    reason: LongText | None = None
    expected_refundable: Minor | None = Field(
        None, description="Refuse with 409 when something else is refundable now."
    )


class TransferOut(Out):
    """Money along one payment, or to store credit."""

    transfer: TransferId
    payment: PaymentId | None = Field(description="Null for a present that became store credit.")
    store_credit: StoreCreditId | None = Field(
        description="Set where it became store credit: the payment's money stays in the shop."
    )
    gateway: str | None
    provider: str
    provider_reference: str | None
    amount: int
    state: str
    attempts: int
    next_try_at: Moment | None
    failure_code: str | None


class ApprovalIn(In):
    """What the approver saw."""

    model_config = example({"binding": "9f" * 32})

    binding: Binding = Field(
        description="`approval.binding` of the refund: its amount, currency and destinations."
    )


class ApprovalOut(Out):
    """Why a refund needs a second person, and where that stands."""

    because: str = Field(description="The limit that it exceeds.")
    binding: str | None = Field(description="Send this to approve; null when nothing waits.")
    requested_by: KeyId | None = Field(description="Who cannot approve it.")
    approved_by: KeyId | None


class RefundOut(Out):
    model_config = example(
        {
            "refund": _REF,
            "order": _ORD,
            "return": None,
            "kind": "manual",
            "amount": 2000,
            "currency": "EUR",
            "state": "succeeded",
            "client_reference": "case-4711",
            "reason": "Late delivery",
            "parts": [{"kind": "manual", "amount": 2000}],
            "due_by": "2026-11-26T10:00:00Z",
            "overdue_since": None,
            "approval": None,
            "sequence": 4,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:02Z",
            "transfers": [
                {
                    "transfer": example_id("trf"),
                    "payment": example_id("pay"),
                    "store_credit": None,
                    "gateway": "stripe",
                    "provider": "stripe",
                    "provider_reference": "re_3NExample",
                    "amount": 2000,
                    "state": "succeeded",
                    "attempts": 1,
                    "next_try_at": None,
                    "failure_code": None,
                }
            ],
            "actions": [],
        }
    )

    refund: RefundId
    order: OrderId
    return_: ReturnId | None = Field(alias="return")
    kind: str
    amount: int = Field(description="Minor units.")
    currency: str
    state: str = Field(description="`unknown` keeps the money reserved until the provider spoke.")
    client_reference: str | None
    reason: str | None
    parts: list[dict[str, Any]]
    due_by: Moment | None = Field(description="Promised by policy and law, or by the house.")
    overdue_since: Moment | None = Field(
        description="Set while it is open after `due_by`; told as `refund.overdue`, repeatedly."
    )
    approval: ApprovalOut | None = Field(
        description="Null when one person was enough, and for buyers."
    )
    sequence: int
    created_at: Moment
    updated_at: Moment
    transfers: list[TransferOut]
    actions: list[ActionOut]


class RefundsOut(Out):
    items: list[RefundOut]
    next_cursor: str | None
