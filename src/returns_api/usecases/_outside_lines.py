"""What a refund that was made elsewhere gave back of each line, as it is kept and as it is told.

Refuses to own what follows from it (``_outside``).
"""

from __future__ import annotations

from typing import Any

from returns_api.domain.orders import OutsideRefundSeen


def kept(seen: OutsideRefundSeen) -> list[dict[str, Any]]:
    """The lines of the recorded fact: units, and the money of shipping. ``unsent`` stands only
    where it is so, as in facts that were recorded before anybody told."""
    units = [
        {
            "line": line.line_external_id,
            "quantity": line.quantity,
            **({"unsent": True} if line.unsent else {}),
        }
        for line in seen.lines
    ]
    shipping = [
        {
            "line": each.line_external_id,
            "quantity": 0,
            "amount": each.amount_minor,
            "tax": each.tax_minor,
        }
        for each in seen.shipping
    ]
    return units + shipping


def told(seen: OutsideRefundSeen) -> list[dict[str, Any]]:
    """The lines of the event."""
    return [
        {"line": line.line_external_id, "quantity": line.quantity, "unsent": line.unsent}
        for line in seen.lines
    ]
