"""Gift receipts: what of an order somebody else may bring back, by a code, and on which terms.

Owns the code's form, what a receipt is for and how much of it is left, and how the terms of a gift
differ from those of the buyer's own return. Refuses to own which resolutions a policy offers
(``policy``), which units are there (``units_left``), the recipient's person and rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from returns_api.domain import ids
from returns_api.domain.errors import (
    Conflict,
    DoesNotFit,
    NotEligible,
    NothingLeftToReturn,
    unfit,
)
from returns_api.domain.exchanges import STORE_CREDIT
from returns_api.domain.order_facts import AskedLine
from returns_api.domain.order_record import OrderRecord
from returns_api.domain.orders import LineKind
from returns_api.domain.terms import ReturnTerms
from returns_api.domain.units_left import units_left

RESOLUTION: Final = STORE_CREDIT
"""What a gift's recipient gets: never money, which would go to whoever paid."""
LASTS_DAYS: Final = 90
LASTS_DAYS_MAX: Final = 730
"""How long a receipt opens returns. Whether a gift may come back then, the policy says."""
PER_ORDER: Final = 20
"""Receipts of one order, revoked ones too."""
NOT_THEIRS: Final = frozenset({"pickup"})
"""Ways back that take a conversation with a courier, which a recipient has no part in."""

_LETTERS: Final = 16
_GROUP: Final = 4
_ALIKE: Final = str.maketrans("ilo", "110", " -\t\n")
"""Crockford's base 32: letters that look like digits are those digits."""


@dataclass(frozen=True, slots=True)
class GiftLine:
    """Units of an order line that are a gift, and how many of them returns by the receipt hold."""

    order_line_id: UUID
    title: str
    sku: str | None
    quantity: int
    taken: int

    @property
    def left(self) -> int:
        return max(0, self.quantity - self.taken)


@dataclass(frozen=True, slots=True)
class GiftReceipt:
    """A receipt as the database has it; its code is not in it."""

    id: UUID
    order_id: UUID
    made_by: str
    sequence: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    lines: tuple[GiftLine, ...]

    def is_open(self, now: datetime) -> bool:
        """Whether returns can still be opened by it."""
        return self.revoked_at is None and now < self.expires_at

    def line(self, order_line_id: UUID) -> GiftLine | None:
        return next((line for line in self.lines if line.order_line_id == order_line_id), None)

    def left(self, order: OrderRecord, line: GiftLine, now: datetime) -> int:
        """Units of a line that can still come back by this receipt: no others, and none that the
        buyer returns."""
        sold = order.line(line.order_line_id)
        there = 0 if sold is None else len(units_left(order, sold, now))
        return min(line.left, there) if self.is_open(now) else 0


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who brings a gift back: whose the credit is, and where the parcel comes from."""

    email: str
    name: str
    street1: str
    street2: str | None
    city: str
    region: str | None
    postcode: str
    country: str
    phone: str | None
    locale: str | None


def draw_code(secret: str) -> str:
    """A new code from a random ``secret``: 80 bits, in groups that can be typed from paper."""
    number = int.from_bytes(sha256(f"gift {secret}".encode()).digest()[:10], "big")
    letters = "".join(
        ids.ALPHABET[number >> shift & 31] for shift in range(5 * (_LETTERS - 1), -1, -5)
    )
    groups = (letters[at : at + _GROUP] for at in range(0, _LETTERS, _GROUP))
    return "-".join(groups).upper()


def normalise_code(text: str) -> str:
    """The one form of a code as somebody types it; of what is no code, just another text."""
    return text.strip().lower().translate(_ALIKE)


def lasts_until(now: datetime, days: int | None) -> datetime:
    """The end of a receipt made now."""
    return now + timedelta(days=LASTS_DAYS if days is None else days)


def plan_lines(order: OrderRecord, asked: Mapping[UUID, int] | None) -> dict[UUID, int]:
    """The units that a receipt is for, by line; all goods of the order where none are named.

    Raises:
        DoesNotFit: no such goods in the order, or fewer units of them.
        Conflict: there is nothing that could be a gift.
    """
    goods = {line.id: line for line in order.lines if line.kind is LineKind.GOODS}
    if asked is None:
        found = {key: line.wanted for key, line in goods.items() if line.wanted > 0}
        if not found:
            raise Conflict("Nothing of this order can be a gift.")
        return found
    for key, quantity in asked.items():
        line = goods.get(key)
        if line is None or not 1 <= quantity <= line.wanted:
            raise _of_line(key, "The order has not so many units of such goods.")
    return dict(asked)


def require_left(
    receipt: GiftReceipt, order: OrderRecord, asked: Sequence[AskedLine], now: datetime
) -> None:
    """That the receipt is for these units, and that they are there. What else the order has, and
    what of it went back, is not told.

    Raises:
        Conflict: it opens no returns any more.
        DoesNotFit: it is not for such a line.
        NothingLeftToReturn: fewer units of the gift are left.
    """
    if not receipt.is_open(now):
        raise Conflict("This gift receipt was revoked, or its time is over.")
    for item in asked:
        line = receipt.line(item.line_id)
        if line is None:
            raise _of_line(item.line_id, "The gift receipt is not for such a line.")
        left = receipt.left(order, line, now)
        if left < item.quantity:
            raise nothing_left(item.line_id, left)


def require_holder(quoted: UUID | None, held: UUID | None) -> None:
    """That a quote is accepted by whom it was made for; ``quoted`` is the receipt that it was made
    by, ``held`` the caller's.

    Raises:
        Conflict: anybody else would name nobody whose the credit is, and go beyond the receipt.
    """
    if quoted != held:
        raise Conflict("A quote for a gift is accepted by whoever holds its receipt.")


def nothing_left(order_line_id: UUID, left: int = 0) -> NothingLeftToReturn:
    """The refusal that tells of the gift alone."""
    return NothingLeftToReturn(
        "Fewer units of this gift are left.", line=ids.encode("li", order_line_id), left=left
    )


def not_eligible(refused: NotEligible) -> NotEligible:
    """The refusal without its reasons: what decides may be what was paid, or who paid."""
    told = refused.context.get("lines")
    lines = [
        {name: line[name] for name in ("line", "reason")}
        for line in (told if isinstance(told, list) else ())
    ]
    return NotEligible("The shop does not take this gift back for store credit.", lines=lines)


def require_country(order: OrderRecord, country: str) -> None:
    """Raises ``DoesNotFit`` where the label would be another country's than was quoted."""
    if order.country is not None and order.country != country:
        raise unfit("address", "The gift comes back from the country that it was sent to.")


def for_recipient(terms: ReturnTerms) -> ReturnTerms:
    """The terms of a gift: nothing goes out before the goods are seen, what the buyer paid for the
    way there stays the buyer's, and so does a cover that they took with the order."""
    return replace(terms, advance=None, refund_original_shipping=False, insurance=None)


def told_of(receipt_id: UUID | None) -> dict[str, str]:
    """What an event says of a gift alone, so that whoever listens tells no buyer of it."""
    return {} if receipt_id is None else {"gift_receipt": ids.encode("gft", receipt_id)}


def _of_line(order_line_id: UUID, problem: str) -> DoesNotFit:
    name = ids.encode("li", order_line_id)
    return DoesNotFit(problem, errors=[{"field": "lines", "value": name, "problem": problem}])
