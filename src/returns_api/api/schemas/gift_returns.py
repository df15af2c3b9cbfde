"""Shapes of returns by a gift receipt: what their recipient sends, and what they are shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from returns_api.api.schemas.actions import ActionOut, DeadlineOut, WaitingOut
from returns_api.api.schemas.address_changes import DeliveryAddress
from returns_api.api.schemas.base import (
    In,
    LineId,
    Moment,
    Out,
    QuoteId,
    ReturnId,
    ReturnLineId,
    Storable,
    example,
    example_id,
)
from returns_api.api.schemas.labels import LabelOut
from returns_api.api.schemas.opening import EvidenceIn
from returns_api.api.schemas.quotes import LINES_MAX
from returns_api.api.schemas.shop import Locale
from returns_api.domain.people import EMAIL_MAX

_LI, _QT, _RET, _RL = (example_id(prefix) for prefix in ("li", "qt", "ret", "rl"))

Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=EMAIL_MAX, pattern="^[!-?A-~]+@[!-?A-~]+$"),
    Storable,
]


class GiftEvidenceIn(In):
    """What a line needs for its reason."""

    line: LineId
    evidence: Annotated[list[EvidenceIn], Field(min_length=1, max_length=20)]


class GiftReturnIn(In):
    """Accept a quote for a gift, and say who gets the credit and sends the parcel."""

    model_config = example(
        {
            "quote": _QT,
            "email": "bea@example.com",
            "address": {
                "name": "Bea Beispiel",
                "street1": "Geschenkweg 2",
                "street2": None,
                "city": "Hamburg",
                "region": None,
                "postcode": "20095",
                "country": "DE",
                "phone": None,
            },
            "locale": "de-DE",
            "lines": [],
        }
    )

    quote: QuoteId
    email: Email = Field(description="Whose the store credit is, and where messages go.")
    address: DeliveryAddress = Field(description="Where the parcel comes from, for its label.")
    locale: Locale | None = Field(None, description="BCP 47; left out, the shop's.")
    lines: Annotated[list[GiftEvidenceIn], Field(max_length=LINES_MAX)] = Field(
        default_factory=list
    )


class GiftReturnLineOut(Out):
    return_line: ReturnLineId
    line: LineId
    title: str
    sku: str | None
    quantity: int
    reason: str
    state: str
    received: int
    decision_code: str | None
    decision_note: str | None


class GiftCreditOut(Out):
    """Minor units of store credit, without its bonus."""

    expected: int = Field(description="What the accepted quote promised.")
    credited: int


class GiftReturnOut(Out):
    """A return by a gift receipt, and what its recipient may do next."""

    model_config = example(
        {
            "return": _RET,
            "number": "#1001-R1",
            "state": "approved",
            "method": "post",
            "currency": "EUR",
            "sequence": 1,
            "created_at": "2026-11-21T10:00:00Z",
            "updated_at": "2026-11-21T10:00:00Z",
            "lines": [
                {
                    "return_line": _RL,
                    "line": _LI,
                    "title": "Field jacket, M",
                    "sku": "JKT-M-OLIVE",
                    "quantity": 1,
                    "reason": "gift_not_wanted",
                    "state": "approved",
                    "received": 0,
                    "decision_code": None,
                    "decision_note": None,
                }
            ],
            "label": None,
            "credit": {"expected": 8410, "credited": 0},
            "info_request": None,
            "deadlines": [
                {
                    "of": "return",
                    "href": f"/v1/gift/returns/{_RET}",
                    "kind": "ship",
                    "who": "buyer",
                    "due_at": "2026-12-05T10:00:00Z",
                    "state": "open",
                    "on_silence": "expired",
                }
            ],
            "actions": [
                {
                    "action": "ship",
                    "method": "POST",
                    "href": f"/v1/gift/returns/{_RET}/ship",
                    "until": "2026-12-05T10:00:00Z",
                    "on_silence": "expired",
                }
            ],
            "waiting_for": {"who": "buyer", "to": "ship"},
        }
    )

    return_: ReturnId = Field(alias="return")
    number: str
    state: str
    method: str
    currency: str
    sequence: int
    created_at: Moment
    updated_at: Moment
    lines: list[GiftReturnLineOut]
    label: LabelOut | None
    credit: GiftCreditOut
    info_request: str | None = Field(description="What the shop asked last.")
    deadlines: list[DeadlineOut]
    actions: list[ActionOut]
    waiting_for: WaitingOut | None = Field(description="`buyer` stands for the recipient.")
