"""Shapes of gift receipts, and of the way in for whoever holds one."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from returns_api.api.schemas.base import (
    GiftReceiptId,
    In,
    LineId,
    Moment,
    NoBool,
    OrderId,
    Out,
    Quantity,
    Storable,
    example,
    example_id,
)
from returns_api.api.schemas.quotes import LINES_MAX
from returns_api.domain.gifts import LASTS_DAYS, LASTS_DAYS_MAX

_GFT, _LI, _ORD = example_id("gft"), example_id("li"), example_id("ord")
_CODE: Final = "7K3M-9QXT-04HV-ZB5E"
_CODE_MAX: Final = 64

GiftCode = Annotated[str, StringConstraints(min_length=1, max_length=_CODE_MAX), Storable]


class GiftLineIn(In):
    """Units of a line that are a gift."""

    line: LineId
    quantity: Quantity


class GiftReceiptIn(In):
    model_config = example({"lines": [{"line": _LI, "quantity": 1}], "lasts_days": 120})

    lines: Annotated[list[GiftLineIn], Field(min_length=1, max_length=LINES_MAX)] | None = Field(
        None, description="Left out, all goods of the order."
    )
    lasts_days: Annotated[int, Field(ge=1, le=LASTS_DAYS_MAX), NoBool] | None = Field(
        None,
        description=f"So long it opens returns, {LASTS_DAYS} days if left out. Whether a gift may"
        " come back then is the policy's to say.",
    )


class GiftReceiptLineOut(Out):
    line: LineId
    title: str
    sku: str | None
    quantity: int


_RECEIPT: Final[dict[str, Any]] = {
    "gift_receipt": _GFT,
    "order": _ORD,
    "lines": [{"line": _LI, "title": "Field jacket, M", "sku": "JKT-M-OLIVE", "quantity": 1}],
    "made_by": "buyer",
    "created_at": "2026-11-21T10:00:00Z",
    "expires_at": "2027-02-19T10:00:00Z",
    "revoked_at": None,
}


class GiftReceiptOut(Out):
    """A gift receipt; whether it was used is not told."""

    gift_receipt: GiftReceiptId
    order: OrderId
    lines: list[GiftReceiptLineOut]
    made_by: str
    created_at: Moment
    expires_at: Moment
    revoked_at: Moment | None


class GiftReceiptMadeOut(GiftReceiptOut):
    """A new gift receipt with its code, which is shown this once."""

    model_config = example({**_RECEIPT, "code": _CODE})

    code: str = Field(description="For the gift: whoever has it may bring the gift back.")


class GiftReceiptsOut(Out):
    model_config = example({"items": [_RECEIPT]})

    items: list[GiftReceiptOut]


class GiftSessionIn(In):
    model_config = example({"code": _CODE})

    code: GiftCode = Field(description="As it is printed; case, spaces and hyphens do not matter.")


class GiftSessionOut(Out):
    """A token that acts for the recipient of one gift; it is shown this once."""

    model_config = example(
        {
            "token": "rk_recipient_06a8w6d7f9s4p8x6z0000000_5f0c4f4e0b9d4f0a",
            "gift_receipt": _GFT,
            "expires_at": "2026-11-21T11:00:00Z",
        }
    )

    token: str
    gift_receipt: GiftReceiptId
    expires_at: Moment
