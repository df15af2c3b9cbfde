"""What may still be refunded of a payment, and the refusal of more than that.

Refuses to own where the counters come from (``order_record``) and which payment gives how much
(``refunds``, ``settlement``).
"""

from __future__ import annotations

from returns_api.domain.errors import Invalid, NothingLeftToRefund


def refundable(captured: int, reserved: int, refunded: int, external: int, disputed: int) -> int:
    """What may still be refunded of a payment, never below zero. Source: reliability promise S9.

    ``reserved`` covers refunds of unknown outcome; ``external`` was made elsewhere. Facts from
    outside may exceed ``captured``: then nothing is left (see ``overdrawn``).
    """
    return max(captured - reserved - refunded - external - disputed, 0)


def overdrawn(captured: int, reserved: int, refunded: int, external: int, disputed: int) -> int:
    """By how much all that left or is blocked exceeds ``captured``: above zero raises an alert."""
    return max(reserved + refunded + external + disputed - captured, 0)


def require_refundable(amount_minor: int, left_minor: int) -> None:
    """Raises ``NothingLeftToRefund`` with ``remaining`` when ``amount_minor`` exceeds what is left,
    ``Invalid`` when it is not above zero."""
    if amount_minor <= 0:
        detail = "A refund must be above zero."
        raise Invalid(detail, errors=[{"field": "amount", "message": detail}])
    if amount_minor > left_minor:
        raise NothingLeftToRefund(
            f"{amount_minor} is asked, {left_minor} is left (minor units).",
            requested=amount_minor,
            remaining=left_minor,
        )
