"""What a story is: a name, who does what, and what has to be true at its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from returns_api.demo.calls import StepFailed
from returns_api.demo.stories.scene import Scene


@dataclass(frozen=True, slots=True)
class Story:
    """``refunded`` is what the bank has paid back in all at its end, in minor units; ``mails`` are
    the kinds of messages that the buyer has got by then, in no order."""

    name: str
    play: Callable[[Scene], Awaitable[None]]
    refunded: int
    mails: tuple[str, ...]


def expect(what: str, seen: object, wanted: object) -> None:
    """Raises: StepFailed, where ``what`` is something else than ``wanted``."""
    if seen != wanted:
        raise StepFailed(f"{what} is {seen}, not {wanted}")


OPENED = ("return.opened", "shipment.label_ready")
"""A return that is approved at once, and its label."""
JUDGED = ("return.received", "return.inspected")
PAID = ("refund.requested", "refund.succeeded")
CREDITED = (*PAID, "store_credit.issued")
BONUS = (*CREDITED, "store_credit.issued")
"""Store credit for what is due, and more of it for taking that."""
