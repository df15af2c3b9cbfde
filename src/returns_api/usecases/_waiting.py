"""What a fact raises when it has to wait for another one, and how the two find each other.

Messages arrive in any order: a parcel before its order, a provider's refund before the payment.
Such a message is neither applied nor wrong. It goes back to the inbox under the name of what it
waits for; whoever writes that thing wakes it (``inbox.wake``).
"""

from __future__ import annotations

from datetime import timedelta


class NotYet(Exception):
    """Come back later. What was written before it is kept, so write nothing by halves.

    ``settles`` says what becomes of the message when nothing ever came: it counts as processed, not
    as dead. ``soon`` overrides the usual wait.
    """

    def __init__(
        self, waiting_for: str, *, settles: bool = False, soon: timedelta | None = None
    ) -> None:
        super().__init__(waiting_for)
        self.waiting_for = waiting_for
        self.settles = settles
        self.soon = soon


def order_key(source: str, external_id: str) -> str:
    """Waits for an order, or for a newer snapshot of it."""
    return f"order:{source}:{external_id}"


def payments_key(source: str, external_id: str) -> str:
    """Waits for any payment of an order."""
    return f"payments:{source}:{external_id}"


def payment_key(provider: str, account: str, provider_payment_id: str) -> str:
    """Waits for the payment that a provider names."""
    return f"payment:{provider}:{account}:{provider_payment_id}"


def parcel_key(source: str, order_external_id: str, external_id: str) -> str:
    """Waits for an outbound parcel."""
    return f"parcel:{source}:{order_external_id}:{external_id}"
