"""The two lists of a shop that its buyers can be on.

Owns the words: which lists there are and by what a person is named. Refuses to own what being on
one is worth (``policy.signals``, ``reviewing``) and keyed hashes (``ports.sealing``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from returns_api.domain.policy.vocabulary import Listed

LISTS: Final = tuple(each.value for each in Listed)
EMAIL, CUSTOMER = "email", "customer"
IDENTIFIERS: Final = (EMAIL, CUSTOMER)
KEPT_AFTER_ERASURE: Final = timedelta(days=365)
"""How long a person who was erased may stay on the block list at most, as a keyed hash and a code
without words: Regulation (EU) 2016/679, articles 17(3)(e) and 21(1), and no longer than needed,
article 5(1)(e)."""


@dataclass(frozen=True, slots=True)
class ListingRecord:
    """A listing as the database has it. Of whom it is, a keyed hash says, which stays there."""

    id: UUID
    list: str
    identifier: str
    reason: str
    """A code of the shop's own: no words about a person."""
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    sequence: int


@dataclass(frozen=True, slots=True)
class NewListing:
    """Who is to be on which list: a name in its one form (an e-mail address, or ``customer_name``
    of a platform's customer), or whoever placed an order."""

    list: str
    reason: str
    expires_at: datetime | None
    email: str | None = None
    customer: str | None = None
    order_id: UUID | None = None


def customer_name(source: str, customer_id: str) -> str:
    """What the keyed hash of a platform's customer is made from, at intake and here alike."""
    return f"customer:{source}:{customer_id}"
